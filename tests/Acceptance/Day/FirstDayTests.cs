using Mangrove.Sealing;
using Mangrove.Tests.Acceptance.Look;
using Microsoft.Playwright;

namespace Mangrove.Tests.Acceptance.Day;

/// <summary>
/// The first day of a real hospital, by its pages alone: the first device and administrator by the set-up link, a second
/// device, a nurse with a PIN; then a thief with copied cookies, and the device revoked (threats S1, S3, S8, S13).
/// </summary>
public sealed class FirstDayTests(LookHost look) : ProductDay(look)
{
    private const string Tablet = "ER-Doctor-Tablet-03";
    private const string AdminPassword = "seven grey herons at dawn";
    private const string NursePassword = "nine blue boats on the lake";
    private const string Pin = "480265";

    private readonly List<string> wrong = [];

    [Fact]
    public async Task A_new_hospital_lets_in_its_own_devices_only_and_a_copied_cookie_opens_nothing()
    {
        var made = await Product.Run(
            "init", "--facility", "Kisiwa Bay Hospital", "--protector", $"keyfile:{Path.Combine(Root, "h.key")}", "--accept-same-volume", "--data", Data, "--json");
        var address = await Product.Serve(["--data", Data]);
        var link = new Uri(made.GetProperty("setupLink").GetString()!);

        // A device that nobody registered reaches the enrolment page, and from there only by a code.
        await using var atDesk = await Host.Browser.NewContextAsync(Contexts.Window(address.ToString()));
        var desk = await atDesk.NewPageAsync();
        await desk.GotoAsync("/admin");
        await desk.Reaches("/device");
        await desk.GetByTestId("device-code").FillAsync("AAAABBBBCCCC");
        await desk.GetByTestId("register-device").ClickAsync();
        await Assertions.Expect(desk.GetByTestId("error")).ToBeVisibleAsync();

        // The set-up link carries the code behind the #; the administrator chooses a password and sets up a phone.
        Assert.Equal("/welcome", link.PathAndQuery);
        await desk.GotoAsync(link.PathAndQuery + link.Fragment);
        await desk.Reaches("/device");
        await Look(desk, "device");
        await desk.GetByTestId("register-device").ClickAsync();
        await desk.Reaches("/welcome");
        await Choose(desk, AdminPassword);
        await desk.GetByTestId("password").FillAsync(AdminPassword);
        await desk.GetByTestId("sign-in").ClickAsync();
        await desk.Reaches("/sign-in/phone");
        await desk.GetByTestId("code").FillAsync(CodeOf(await desk.GetByTestId("totp-secret").InnerTextAsync()));
        await desk.GetByTestId("sign-in").ClickAsync();
        await desk.Reaches("/me/recovery-codes");
        await Look(desk, "recovery-codes");
        Assert.Equal(10, await desk.GetByTestId("recovery-codes").Locator("li").CountAsync());

        // A second device, and a nurse who signs in there and chooses a PIN.
        await desk.GotoAsync("/admin/devices");
        await desk.Locator("[name=name]").FillAsync(Tablet);
        await desk.Locator("[name=department]").FillAsync("Emergency");
        await desk.GetByTestId("register").ClickAsync();
        await Look(desk, "devices");
        var code = await desk.GetByTestId("device-code").InnerTextAsync();
        await desk.GotoAsync("/admin/devices");
        var emergency = desk.Locator("[data-department=Emergency]");
        await emergency.Locator("summary").ClickAsync();
        await emergency.GetByTestId("works-cashier").UncheckAsync();
        await emergency.GetByTestId("opens").SelectOptionAsync("/board");
        await emergency.GetByTestId("save-department").ClickAsync();
        await Assertions.Expect(desk.GetByTestId("done")).ToContainTextAsync("Emergency: everybody works there but Cashier");
        await emergency.Locator("summary").ClickAsync();
        await Look(desk, "departments");
        await desk.GotoAsync("/admin/accounts");
        await desk.Locator("[name=name]").FillAsync("Grace Wanjiru");
        await desk.Locator("[name=user]").FillAsync("nurse.wanjiru");
        await desk.Locator("[name=role]").SelectOptionAsync("nurse");
        await desk.GetByTestId("create").ClickAsync();
        var welcome = new Uri(await desk.GetByTestId("link-address").InputValueAsync());

        await using var atWard = await Host.Browser.NewContextAsync(Contexts.Window(address.ToString()));
        var ward = await atWard.NewPageAsync();
        Assert.Equal("/welcome", welcome.PathAndQuery);
        await ward.GotoAsync(welcome.PathAndQuery + welcome.Fragment);
        await ward.Reaches("/device");
        await ward.GetByTestId("device-code").FillAsync(code);
        await ward.GetByTestId("register-device").ClickAsync();
        await ward.Reaches("/welcome");
        await Choose(ward, NursePassword);
        await Assertions.Expect(ward.GetByText(Tablet)).ToBeVisibleAsync();
        await ward.GetByTestId("password").FillAsync(NursePassword);
        await ward.GetByTestId("sign-in").ClickAsync();
        await ward.Reaches("/board");
        await ward.GotoAsync("/me");
        await ward.GetByTestId("pin-password").FillAsync(NursePassword);
        await ward.GetByTestId("new-pin").FillAsync(Pin);
        await ward.GetByTestId("pin-again").FillAsync(Pin);
        await ward.GetByTestId("choose-pin").ClickAsync();
        await Assertions.Expect(ward.GetByTestId("pin-chosen")).ToBeVisibleAsync();

        // Locked, and back on the same screen by six keys.
        await ward.GotoAsync("/board");
        await ward.Keyboard.PressAsync("Alt+L");
        await ward.Reaches("/locked");
        await Look(ward, "locked");
        await ward.Keyboard.TypeAsync(Pin);
        await ward.Reaches("/board$");

        // Who leaves takes nothing of the device along: the next one signs in at it.
        await ward.GetByTestId("sign-out").ClickAsync();
        await ward.Reaches("/sign-in");
        await ward.GetByTestId("username").FillAsync("nurse.wanjiru");
        await ward.GetByTestId("password").FillAsync(NursePassword);
        await ward.GetByTestId("sign-in").ClickAsync();
        await ward.Reaches("/board");

        // Both cookies in another browser: without the key nobody signs in; the session's alone is nobody's.
        var cookies = await atWard.CookiesAsync();
        await using var elsewhere = await Host.Browser.NewContextAsync(Contexts.Window(address.ToString()));
        await elsewhere.AddCookiesAsync(cookies.Where(cookie => cookie.Name == "__Host-mangrove-device").Select(Copy));
        var thief = await elsewhere.NewPageAsync();
        await thief.GotoAsync("/sign-in");
        await thief.GetByTestId("username").FillAsync("nurse.wanjiru");
        await thief.GetByTestId("password").FillAsync(NursePassword);
        await thief.GetByTestId("sign-in").ClickAsync();
        await Assertions.Expect(thief.GetByTestId("error")).ToContainTextAsync("could not show that it is the registered device");
        await elsewhere.ClearCookiesAsync();
        await elsewhere.AddCookiesAsync(cookies.Where(cookie => cookie.Name == "__Host-mangrove").Select(Copy));
        await thief.GotoAsync("/triage");
        await thief.Reaches("/device");

        // Revoked: the open page of the tablet leaves by itself, and its key opens nothing.
        await desk.GotoAsync("/admin/devices");
        await desk.Locator($"[data-device-row='{Tablet}']").GetByTestId("revoke-device").ClickAsync();
        await Assertions.Expect(desk.GetByTestId("done")).ToBeVisibleAsync();
        await ward.Reaches("/device");

        Assert.Equal([], wrong);
    }

    private static Cookie Copy(BrowserContextCookiesResult cookie) =>
        new() { Name = cookie.Name, Value = cookie.Value, Domain = cookie.Domain, Path = cookie.Path, Secure = true, HttpOnly = true, SameSite = SameSiteAttribute.Strict };

    private static string CodeOf(string secret) => Base32.TryDecode(secret.Replace(" ", "", StringComparison.Ordinal), out var bytes)
        ? Totp.Code(bytes, TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() / Totp.StepSeconds)
        : throw new InvalidOperationException("The page shows no base32.");

    private static async Task Choose(IPage page, string password)
    {
        await page.GetByTestId("new-password").FillAsync(password);
        await page.GetByTestId("again").FillAsync(password);
        await page.GetByTestId("set-password").ClickAsync();
        await Assertions.Expect(page.GetByTestId("username")).ToBeVisibleAsync();
    }

    private async Task Look(IPage page, string name)
    {
        await page.EvaluateAsync("document.fonts.ready");
        foreach (var width in (int[])[820, 1280])
        {
            await page.SetViewportSizeAsync(width, 900);
            await Contexts.Picture(page, $"first-day-{name}-{width}");
            wrong.AddRange((await Accessibility.Violations(page)).Concat(await Contexts.Misfits(page)).Select(what => $"{name} {width}: {what}"));
        }
    }
}
