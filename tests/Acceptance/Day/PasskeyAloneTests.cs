using System.Globalization;
using Mangrove.Tests.Acceptance.Look;
using Microsoft.Playwright;

namespace Mangrove.Tests.Acceptance.Day;

/// <summary>
/// A hospital whose people have passkeys and no phones, in a real browser: a passkey made at the first sign-in, wrong tries told
/// on the first page, and an administrator who loosens every rule by a passkey.
/// </summary>
public sealed class PasskeyAloneTests(LookHost look) : ProductDay(look)
{
    private readonly List<string> wrong = [];

    [Fact]
    public async Task A_nurse_begins_with_a_passkey_and_an_administrator_without_a_phone_changes_every_rule()
    {
        await Product.Run("demo", "--patients", "3", "--seed", "5", "--data", Data, "--json");
        var codes = await RecoveryCodes();

        var address = (await Product.Serve(["--data", Data], "localhost")).ToString();
        await using var office = await Host.Browser.NewContextAsync(Contexts.Window(address));
        var admin = await office.NewPageAsync();
        await VirtualKey.Plug(office, admin);

        // The administrator changes over: a passkey comes, the phone goes.
        var (adminUser, adminPassword) = await Account("admin");
        await Enter(admin, adminUser, adminPassword);
        await admin.SecondStep(() => codes[0]);
        await admin.GotoAsync("/me/second-factor");
        await admin.GetByTestId("passkey-password").FillAsync(adminPassword);
        await admin.GetByTestId("passkey-code").FillAsync(codes[1]);
        await admin.GetByTestId("passkey-name").FillAsync("Office key");
        await admin.GetByTestId("add-passkey").ClickAsync();
        await admin.GetByTestId("make-passkey").ClickAsync();
        await Assertions.Expect(admin.GetByTestId("passkey-count")).ToHaveTextAsync("1");
        await admin.GetByTestId("password").FillAsync(adminPassword);
        await admin.GetByTestId("remove").ClickAsync();
        await Assertions.Expect(admin.GetByTestId("factor-state")).ToHaveTextAsync("None");

        // Asking for more needs nothing.
        await admin.GotoAsync("/admin/accounts/rules");
        await admin.GetByTestId("needs-nurse").CheckAsync();
        await admin.GetByTestId("save").ClickAsync();
        await Assertions.Expect(admin.GetByTestId("done")).ToBeVisibleAsync();
        await Picture(admin, "rules");

        // Somebody tries the nurse's name; then she comes, with a key of her own and no phone.
        await using var ward = await Host.Browser.NewContextAsync(Contexts.Window(address));
        var nurse = await ward.NewPageAsync();
        await VirtualKey.Plug(ward, nurse);
        var (nurseUser, nursePassword) = await Account("nurse");
        await Enter(nurse, nurseUser, "quite a wrong password");
        await Assertions.Expect(nurse.GetByTestId("error")).ToBeVisibleAsync();
        await Enter(nurse, nurseUser, nursePassword);
        await nurse.Reaches("/sign-in/phone");
        await Assertions.Expect(nurse.GetByTestId("totp-secret")).ToBeVisibleAsync();
        await Picture(nurse, "first");
        await nurse.GetByTestId("passkey-name").FillAsync("Blue key");
        await nurse.GetByTestId("first-passkey").ClickAsync();
        await nurse.Reaches("/me/recovery-codes");
        await Assertions.Expect(nurse.GetByTestId("recovery-codes").Locator("li")).ToHaveCountAsync(10);
        await Assertions.Expect(nurse.GetByTestId("trace")).ToHaveAttributeAsync("data-wrong", "1");
        await Assertions.Expect(nurse.GetByTestId("trace")).ToContainTextAsync("tell an administrator");
        await Picture(nurse, "tries");
        await nurse.GotoAsync("/me");
        await Assertions.Expect(nurse.GetByTestId("trace")).ToHaveCountAsync(0);
        await Assertions.Expect(nurse.GetByTestId("tries-found")).ToContainTextAsync("One wrong try");
        await Assertions.Expect(nurse.GetByTestId("tries-since")).ToHaveTextAsync("None");
        await Picture(nurse, "own-account");

        // From now on the key is the second step, and the next first page is calm.
        await ward.ClearCookiesAsync();
        await Enter(nurse, nurseUser, nursePassword);
        await nurse.GetByTestId("use-passkey").ClickAsync();
        await Assertions.Expect(nurse.Locator(".app")).ToBeVisibleAsync();
        await Assertions.Expect(nurse.GetByTestId("trace")).ToHaveAttributeAsync("data-wrong", "0");
        await Picture(nurse, "calm");

        // Asking for less needs the passkey: without it nothing is done, and Enter alone never asks for one.
        await admin.GotoAsync("/admin/accounts/rules");
        await admin.GetByTestId("needs-nurse").UncheckAsync();
        await admin.GetByTestId("save").ClickAsync();
        await Assertions.Expect(admin.GetByTestId("error").GetByTestId("error-code")).ToHaveTextAsync("factor.code");
        await Picture(admin, "rules-refused");
        await admin.GetByTestId("needs-nurse").UncheckAsync();
        await admin.GetByTestId("code-passkey").ClickAsync();
        await Assertions.Expect(admin.GetByTestId("done")).ToBeVisibleAsync();
        await Assertions.Expect(admin.GetByTestId("needs-nurse")).Not.ToBeCheckedAsync();

        await Times("240", "save-times");
        await Times("300", "times-code-passkey");

        await admin.GotoAsync("/admin/devices");
        await admin.GetByTestId("new-device").Locator("[name=name]").FillAsync("Ward-3-Tablet");
        await admin.GetByTestId("new-device").Locator("[name=department]").FillAsync("Ward 3");
        await admin.GetByTestId("register").ClickAsync();
        await Assertions.Expect(admin.GetByTestId("device-code")).ToBeVisibleAsync();
        await Department(check: false, "save-department", "everybody works there but Cashier");
        await Department(check: true, "department-code-passkey", "everybody works there from now on");
        await admin.GetByTestId("departments").Locator("summary").ClickAsync();
        await Picture(admin, "devices");
        Assert.Equal([], wrong);

        async Task Times(string idle, string button)
        {
            // A page that says "saved" may be the one of before: this one says nothing until it is sent.
            await admin.GotoAsync("/admin/accounts/rules");
            await admin.GetByTestId("idle").SelectOptionAsync(idle);
            await admin.GetByTestId(button).ClickAsync();
            await Assertions.Expect(admin.GetByTestId("done")).ToContainTextAsync("The times hold from now on");
            await Assertions.Expect(admin.GetByTestId("idle")).ToHaveValueAsync(idle);
        }

        async Task Department(bool check, string button, string said)
        {
            var place = admin.GetByTestId("departments");
            await place.Locator("summary").ClickAsync();
            await place.GetByTestId("works-cashier").SetCheckedAsync(check);
            await place.GetByTestId(button).ClickAsync();
            await Assertions.Expect(admin.GetByTestId("done")).ToContainTextAsync($"Ward 3: {said}");
            await Assertions.Expect(admin.GetByTestId("works-cashier")).ToBeCheckedAsync(new LocatorAssertionsToBeCheckedOptions { Checked = check });
        }
    }

    [Fact]
    public async Task By_a_bare_address_the_first_sign_in_offers_the_phone_alone()
    {
        await Product.Run("demo", "--patients", "3", "--seed", "5", "--data", Data, "--json");
        var codes = await RecoveryCodes();

        var address = (await Product.Serve(["--data", Data])).ToString();
        await using var context = await Host.Browser.NewContextAsync(Contexts.Window(address));
        var page = await context.NewPageAsync();
        var (user, password) = await Account("admin");
        await Enter(page, user, password);
        await page.SecondStep(() => codes[0]);
        await page.GotoAsync("/admin/accounts/rules");
        await Assertions.Expect(page.GetByTestId("code-passkey")).ToHaveCountAsync(0);
        await page.GetByTestId("needs-nurse").CheckAsync();
        await page.GetByTestId("save").ClickAsync();
        await Assertions.Expect(page.GetByTestId("done")).ToBeVisibleAsync();
        await context.ClearCookiesAsync();
        (user, password) = await Account("nurse");
        await Enter(page, user, password);
        await page.Reaches("/sign-in/phone");
        await Assertions.Expect(page.GetByTestId("totp-secret")).ToBeVisibleAsync();
        await Assertions.Expect(page.GetByTestId("first-passkey")).ToHaveCountAsync(0);
        await Picture(page, "bare");
        Assert.Equal([], wrong);
    }

    private async Task<(string User, string Password)> Account(string role)
    {
        var (user, file) = DayHospital.AccountIn(Data, role, Root);
        return (user, await File.ReadAllTextAsync(file));
    }

    private static async Task Enter(IPage page, string user, string password)
    {
        await page.GotoAsync("/sign-in");
        await page.GetByTestId("username").FillAsync(user);
        await page.GetByTestId("password").FillAsync(password);
        await page.GetByTestId("sign-in").ClickAsync();
    }

    private async Task Picture(IPage page, string name)
    {
        await page.EvaluateAsync("document.fonts.ready");
        foreach (var (theme, dir, width) in ((string, string, int)[])[("light", "ltr", 1280), ("dark", "ltr", 820), ("light", "rtl", 820)])
        {
            await page.EvaluateAsync("([theme, dir]) => { document.documentElement.dataset.bsTheme = theme; document.documentElement.dataset.theme = theme; document.documentElement.dir = dir; }", (string[])[theme, dir]);
            await page.SetViewportSizeAsync(width, 900);
            await Contexts.Picture(page, string.Create(CultureInfo.InvariantCulture, $"passkey-alone-{name}-{theme}-{dir}-{width}"));
            wrong.AddRange((await Accessibility.Violations(page)).Concat(await Contexts.Misfits(page)).Select(what => $"{name} {theme} {dir} {width}: {what}"));
        }

        await page.EvaluateAsync("() => { document.documentElement.dir = 'ltr'; document.documentElement.dataset.bsTheme = 'light'; document.documentElement.dataset.theme = 'light'; }");
        await page.SetViewportSizeAsync(1280, 900);
    }
}
