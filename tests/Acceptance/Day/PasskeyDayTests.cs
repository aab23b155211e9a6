using System.Globalization;
using System.Text.Json;
using Mangrove.Tests.Acceptance.Look;
using Microsoft.Playwright;

namespace Mangrove.Tests.Acceptance.Day;

/// <summary>
/// A passkey in a real browser, with the browser's own virtual key: made at the account page, shown at the second step and
/// again before an act, refused when it counts backwards, and not offered where it cannot work (threats S15).
/// </summary>
public sealed class PasskeyDayTests(LookHost look) : IAsyncLifetime
{
    private readonly DirectoryInfo root = Directory.CreateTempSubdirectory("mangrove-passkey-day-");
    private readonly List<string> wrong = [];
    private Product? product;
    private string[] codes = [];
    private int used;

    public ValueTask InitializeAsync()
    {
        product = new Product(root.FullName);
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        await product!.DisposeAsync();
        root.Delete(recursive: true);
    }

    /// <param name="before">Whether the browser lacks the functions that read and write passkeys as JSON.</param>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_administrator_makes_a_passkey_and_signs_in_with_it(bool before)
    {
        var data = Path.Combine(root.FullName, "data");
        await product!.Run("demo", "--patients", "3", "--seed", "5", "--data", data, "--json");
        using (var accounts = JsonDocument.Parse(await File.ReadAllBytesAsync(Path.Combine(data, "demo-accounts.json"))))
        {
            codes = [.. accounts.RootElement.EnumerateArray().Single(one => one.GetProperty("role").GetString() == "admin").GetProperty("recoveryCodes").EnumerateArray().Select(code => code.GetString()!)];
        }

        var (user, file) = DayHospital.AccountIn(data, "admin", root.FullName);
        var password = await File.ReadAllTextAsync(file);
        var address = await product.Serve(["--data", data], "localhost");
        await using var context = await look.Browser.NewContextAsync(Contexts.Window(address.ToString()));
        if (before)
        {
            await context.AddInitScriptAsync("delete PublicKeyCredential.parseCreationOptionsFromJSON; delete PublicKeyCredential.parseRequestOptionsFromJSON; delete PublicKeyCredential.prototype.toJSON;");
        }

        var page = await context.NewPageAsync();
        var complaints = Contexts.Complaints(page);
        var key = await VirtualKey.Plug(context, page);

        // Made after the password and a code, under a name of the person's own.
        await Password();
        await Assertions.Expect(page.GetByTestId("use-passkey")).ToHaveCountAsync(0);
        await page.SecondStep(() => codes[used++]);
        await page.GotoAsync("/me/second-factor");
        await page.GetByTestId("passkey-password").FillAsync(password);
        await page.GetByTestId("passkey-code").FillAsync(codes[used++]);
        await page.GetByTestId("passkey-name").FillAsync("Blue key");
        await page.GetByTestId("add-passkey").ClickAsync();
        await Assertions.Expect(page.GetByTestId("make-passkey")).ToBeVisibleAsync();
        await Look("making", before);
        await page.GetByTestId("make-passkey").ClickAsync();
        await Assertions.Expect(page.GetByTestId("passkeys")).ToContainTextAsync("Blue key");
        await Assertions.Expect(page.GetByTestId("passkey-count")).ToHaveTextAsync("1");
        await Look("account", before);
        Assert.Equal(1, await key.Count());

        // The second step offers it first; Enter alone is enough.
        await SignOut();
        await Password();
        await Assertions.Expect(page.GetByTestId("use-passkey")).ToBeFocusedAsync();
        await Look("second-step", before);
        await page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(page.Locator(".app")).ToBeVisibleAsync();

        // Before an act it stands for the code.
        await page.GotoAsync("/me/second-factor");
        await page.GetByTestId("password").FillAsync(password);
        await page.GetByTestId("new-codes").ClickAsync();
        await page.Reaches("/me/recovery-codes");
        codes = [.. await page.GetByTestId("recovery-codes").Locator("li").AllInnerTextsAsync()];
        used = 0;
        Assert.Equal([], complaints);

        // Given up at the browser: the page says so and nothing is sent.
        await SignOut();
        await Password();
        await key.Agree(false);
        await page.GetByTestId("use-passkey").ClickAsync();
        await Assertions.Expect(page.GetByTestId("passkey-failed")).ToBeVisibleAsync();
        await Look("given-up", before);
        await key.Agree(true);

        // A copy that counts from where it was taken is told apart from the key, and says what to do.
        await key.CountBack();
        await page.GetByTestId("use-passkey").ClickAsync();
        await Assertions.Expect(page.GetByTestId("error")).ToContainTextAsync("counted backwards");
        await page.SecondStep(() => codes[used++]);

        // Taken away, it is offered no more.
        await page.GotoAsync("/me/second-factor");
        await page.GetByTestId("passkey-password").FillAsync(password);
        await page.GetByTestId("passkey-code").FillAsync(codes[used++]);
        await page.GetByTestId("remove-passkey").ClickAsync();
        await Assertions.Expect(page.GetByTestId("passkey-count")).ToHaveTextAsync("None");
        await SignOut();
        await Password();
        await Assertions.Expect(page.GetByTestId("code")).ToBeVisibleAsync();
        await Assertions.Expect(page.GetByTestId("use-passkey")).ToHaveCountAsync(0);
        Assert.Equal([], wrong);

        async Task Password()
        {
            await page.GotoAsync("/sign-in");
            await page.GetByTestId("username").FillAsync(user);
            await page.GetByTestId("password").FillAsync(password);
            await page.GetByTestId("sign-in").ClickAsync();
            await page.Reaches("/sign-in/code");
        }

        async Task SignOut()
        {
            await context.ClearCookiesAsync();
            await page.GotoAsync("/sign-in");
        }

        async Task Look(string name, bool again)
        {
            if (again)
            {
                return;
            }

            await page.EvaluateAsync("document.fonts.ready");
            foreach (var (theme, dir, width) in ((string, string, int)[])[("light", "ltr", 1280), ("dark", "ltr", 820), ("light", "rtl", 820)])
            {
                await page.EvaluateAsync("([theme, dir]) => { document.documentElement.dataset.bsTheme = theme; document.documentElement.dataset.theme = theme; document.documentElement.dir = dir; }", (string[])[theme, dir]);
                await page.SetViewportSizeAsync(width, 900);
                await Contexts.Picture(page, string.Create(CultureInfo.InvariantCulture, $"passkey-{name}-{theme}-{dir}-{width}"));
                wrong.AddRange((await Accessibility.Violations(page)).Concat(await Contexts.Misfits(page)).Select(what => $"{name} {theme} {dir} {width}: {what}"));
            }

            await page.EvaluateAsync("() => { document.documentElement.dir = 'ltr'; document.documentElement.dataset.bsTheme = 'light'; document.documentElement.dataset.theme = 'light'; }");
        }
    }

    [Fact]
    public async Task Where_no_passkey_can_work_the_page_says_so_and_offers_none()
    {
        var data = Path.Combine(root.FullName, "data");
        await product!.Run("demo", "--patients", "3", "--seed", "5", "--data", data, "--json");
        var (user, file) = DayHospital.AccountIn(data, "nurse", root.FullName);
        var password = await File.ReadAllTextAsync(file);
        var address = await product.Serve(["--data", data], "localhost");

        // By a bare address.
        var bare = new UriBuilder(address) { Host = "127.0.0.1" }.Uri.ToString();
        await using (var byNumber = await look.Browser.NewContextAsync(Contexts.Window(bare)))
        {
            var page = await byNumber.NewPageAsync();
            await Enter(page, user, password);
            await page.GotoAsync("/me/second-factor");
            await Assertions.Expect(page.GetByTestId("passkey-address")).ToBeVisibleAsync();
            await Assertions.Expect(page.GetByTestId("add-passkey")).ToHaveCountAsync(0);
            await Contexts.Picture(page, "passkey-bare-address");
        }

        // In a browser that has none.
        await using var without = await look.Browser.NewContextAsync(Contexts.Window(address.ToString()));
        await without.AddInitScriptAsync("delete globalThis.PublicKeyCredential;");
        var old = await without.NewPageAsync();
        await Enter(old, user, password);
        await old.GotoAsync("/me/second-factor");
        await Assertions.Expect(old.GetByTestId("add-passkey")).ToBeHiddenAsync();
        await Assertions.Expect(old.GetByText("This browser cannot use passkeys.")).ToBeVisibleAsync();

        static async Task Enter(IPage page, string user, string password)
        {
            await page.GotoAsync("/sign-in");
            await page.GetByTestId("username").FillAsync(user);
            await page.GetByTestId("password").FillAsync(password);
            await page.GetByTestId("sign-in").ClickAsync();
            await Assertions.Expect(page.Locator(".app")).ToBeVisibleAsync();
        }
    }
}
