using Mangrove.Tests.Acceptance.Look;
using Microsoft.Playwright;

namespace Mangrove.Tests.Acceptance.Day;

/// <summary>
/// The drill of an administrator who lost the machine: sheets made, a target set, a day's work backed up; the machine and its
/// key gone; two of three sheets and the removable disk bring the hospital back in another folder, and its people go on.
/// </summary>
public sealed class RecoveryDayTests(LookHost look) : ProductDay(look)
{
    // Half a second each: what runs by then has ended long before.
    private const int LooksOfATry = 20;

    private readonly List<string> wrong = [];

    [Fact]
    public async Task A_lost_machine_comes_back_elsewhere_from_its_backup_and_two_sheets_of_paper()
    {
        await Product.Run("demo", "--patients", "6", "--seed", "11", "--data", Data, "--json");
        var codes = await RecoveryCodes();
        var address = (await Product.Serve(["--data", Data], "localhost")).ToString();
        var disk = Path.Combine(Root, "usb");
        var administrator = DayHospital.AccountIn(Data, "admin", Root);
        var frontDesk = DayHospital.AccountIn(Data, "front-desk", Root);
        string[][] sheets;
        string patient;

        await using (var office = await Host.Browser.NewContextAsync(Contexts.Window(address)))
        {
            var admin = await Enter(office, administrator);
            await admin.SecondStep(() => codes[0]);
            sheets = await Sheets(admin, codes[1]);

            await using (var desk = await Host.Browser.NewContextAsync(Contexts.Window(address)))
            {
                patient = await Register(await Enter(desk, frontDesk));
            }

            await admin.GotoAsync("/admin/backups");
            await admin.GetByTestId("path").FillAsync(disk);
            await admin.Keyboard.PressAsync("Control+Enter");
            await Assertions.Expect(admin.GetByTestId("done")).ToBeVisibleAsync();
            await Done(admin, "start-backup", "read back whole");
            await Done(admin, "start-drill", "restored, opened, compared");
            await Shown(admin, "backups");
            await admin.GotoAsync("/admin");
            await Shown(admin, "home-before");
        }

        // The machine is gone, with its key. What is left: the disk and the paper.
        await Product.DisposeAsync();
        Directory.Delete(Data, recursive: true);

        var elsewhere = Path.Combine(Root, "another-machine");
        var passphrase = Path.Combine(Root, "new-passphrase");
        await File.WriteAllTextAsync(passphrase, "nine slow dhows leave the harbour\n");
        string[] papers = [Path.Combine(Root, "sheet-3"), Path.Combine(Root, "sheet-1")];
        await File.WriteAllLinesAsync(papers[0], sheets[2]);
        await File.WriteAllLinesAsync(papers[1], sheets[0]);
        var restored = await Product.Run("backup", "restore", disk, "--data", elsewhere, "--share-file", papers[0], "--share-file", papers[1], "--new-passphrase-file", passphrase, "--json");
        Assert.Equal(7, restored.GetProperty("patients").GetInt32());

        address = (await Product.Serve(["--data", elsewhere, "--passphrase-file", passphrase], "localhost")).ToString();
        await using (var desk = await Host.Browser.NewContextAsync(Contexts.Window(address)))
        {
            var page = await Enter(desk, frontDesk);
            await page.GotoAsync(patient);
            await Assertions.Expect(page.Locator("main")).ToContainTextAsync("KIMARO");
            await Shown(page, "patient-after");
        }

        await using (var office = await Host.Browser.NewContextAsync(Contexts.Window(address)))
        {
            var admin = await Enter(office, administrator);
            await admin.SecondStep(() => codes[2]);
            await admin.GotoAsync("/admin");
            await Shown(admin, "home-after");
            await admin.GotoAsync("/admin/audit");
            await Assertions.Expect(admin.Locator("main")).ToContainTextAsync("P-");
            await Shown(admin, "audit-after");
        }

        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    private static async Task<IPage> Enter(IBrowserContext context, (string User, string PasswordFile) account)
    {
        var page = await context.NewPageAsync();
        await page.GotoAsync("/sign-in");
        await page.GetByTestId("username").FillAsync(account.User);
        await page.GetByTestId("password").FillAsync(await File.ReadAllTextAsync(account.PasswordFile));
        await page.GetByTestId("sign-in").ClickAsync();
        await page.WaitForURLAsync(url => !url.EndsWith("/sign-in", StringComparison.Ordinal));
        return page;
    }

    /// <summary>Three sheets of which two bring the hospital back: made, read back from the paper, tried.</summary>
    private async Task<string[][]> Sheets(IPage admin, string code)
    {
        await admin.GotoAsync("/admin/keys/shares");
        await admin.GetByTestId("holders").SelectOptionAsync("3");
        await admin.GetByTestId("needed").SelectOptionAsync("2");
        await admin.GetByTestId("code").FillAsync(code);
        await admin.Keyboard.PressAsync("Alt+M");
        var sheets = await Paper.Read(admin, 3);
        await Shown(admin, "sheets");
        await admin.Keyboard.PressAsync("Control+Enter");
        await Paper.ReadBack(admin, sheets);
        await Assertions.Expect(admin.GetByTestId("done")).ToContainTextAsync("read back");
        await admin.GetByTestId("sheet-1").FillAsync(string.Join('\n', sheets[1]));
        await admin.GetByTestId("sheet-2").FillAsync(string.Join('\n', sheets[2]));
        await admin.Keyboard.PressAsync("Control+Enter");
        await Assertions.Expect(admin.GetByTestId("in-force")).ToContainTextAsync("any 2 of 3 sheets");
        await Shown(admin, "sheets-in-force");
        return sheets;
    }

    private static async Task<string> Register(IPage desk)
    {
        await desk.GotoAsync("/desk/register");
        await desk.GetByTestId("family").FillAsync("Kimaro");
        await desk.GetByTestId("given").FillAsync("Zawadi Neema");
        await desk.GetByTestId("age").FillAsync("34 y");
        await desk.GetByTestId("sex-female").CheckAsync();
        await desk.Keyboard.PressAsync("Control+Enter");
        await Assertions.Expect(desk.GetByTestId("how-far")).ToHaveTextAsync("Waits for triage");
        return new Uri(desk.Url).AbsolutePath;
    }

    /// <summary>By the button, unless the timetable was quicker: both lead to the same line.</summary>
    private static async Task Done(IPage admin, string button, string words)
    {
        var begun = TimeProvider.System.GetTimestamp();
        for (var look = 0; await admin.GetByTestId("history").Filter(new() { HasText = words }).CountAsync() == 0; look++)
        {
            Assert.True(TimeProvider.System.GetElapsedTime(begun) < TimeSpan.FromMinutes(3), $"Nothing was {words}.");
            if (look % LooksOfATry == 0 && await admin.GetByTestId("underway").CountAsync() == 0)
            {
                await admin.GetByTestId(button).ClickAsync();
            }

            await admin.WaitForTimeoutAsync(500);
            await admin.GotoAsync("/admin/backups");
        }
    }

    private async Task Shown(IPage page, string name)
    {
        await page.EvaluateAsync("document.fonts.ready");
        await Contexts.Picture(page, $"recovery-{name}");
        wrong.AddRange((await Accessibility.Violations(page)).Concat(await Contexts.Misfits(page)).Select(what => $"{name}: {what}"));
    }
}
