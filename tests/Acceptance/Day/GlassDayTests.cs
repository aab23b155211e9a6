using System.Diagnostics;
using Mangrove.Cli;
using Mangrove.Cli.Serving;
using Mangrove.Kernel;
using Mangrove.Sealing;
using Mangrove.Tests.Acceptance.Look;
using Mangrove.Vault;
using Mangrove.Vault.Keys;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Mangrove.Tests.Acceptance.Day;

/// <summary>
/// A doctor opens the record of a real history in an emergency, in a real browser; the administrator is told at once on the page that
/// is open; the record leaves the screen when the hour is over; the justification is late, and somebody else reviews it.
/// </summary>
public sealed class GlassDayTests(LookHost look) : ProductDay(look)
{
    private static readonly TimeSpan FiveSeconds = TimeSpan.FromSeconds(5);

    private readonly AheadClock clock = new();
    private readonly List<string> wrong = [];
    private readonly Dictionary<Role, Queue<string>> codes = [];
    private string address = "";

    [Fact]
    public async Task A_doctor_breaks_the_glass_the_administrator_is_told_and_what_is_owed_is_reviewed()
    {
        await Product.Run("demo", "--patients", "3", "--seed", "5", "--data", Data, "--json");
        var files = Path.Combine(Root, "import");
        var patient = await Newcomer.Fetch(files, Product, Root);
        var (admin, adminPassword) = DayHospital.AccountIn(Data, "admin", Root);
        await Product.Run("import", "fhir", files, "--data", Data, "--as", admin, "--password-file", adminPassword, "--json");
        codes[Role.Admin] = new Queue<string>(await RecoveryCodes());

        await using var hospital = await Hospital.Open(StorageOptions.Sqlite(Data), new RootSecret { KeyFile = Path.Combine(Data, "demo.key") }, clock, default);
        await hospital.Indexing;
        codes[Role.Doctor] = await Phone(hospital, Role.Doctor);
        await using var server = await Server.Start(hospital, new Uri("https://localhost:0"), default);
        address = server.Address.ToString();
        await using var adminWindow = await Host.Browser.NewContextAsync(Contexts.Window(address));
        await using var doctorWindow = await Host.Browser.NewContextAsync(Contexts.Window(address));
        var boss = await SignIn(adminWindow, Role.Admin);
        var doctor = await SignIn(doctorWindow, Role.Doctor);

        // Nobody answers for privacy yet: the home says so, and it is mended on the page of it.
        await boss.GotoAsync("/admin");
        await Expect(boss.GetByTestId("alerts")).ToContainTextAsync("No privacy officer is named");
        await boss.GotoAsync("/privacy");
        await Expect(boss.GetByTestId("too-few")).ToBeVisibleAsync();
        await boss.Locator("[name=officer]").First.CheckAsync();
        await boss.GetByTestId("code").FillAsync(codes[Role.Admin].Dequeue());
        await boss.Keyboard.PressAsync("Alt+O");
        await Expect(boss.GetByTestId("done")).ToContainTextAsync("told from now on");
        await Expect(boss.GetByTestId("told")).ToHaveTextAsync("2 people");
        await Looks(adminWindow, boss, "privacy");

        // The doctor looks for the patient, finds the record closed, and goes on by the keyboard alone.
        await doctor.GotoAsync("/patients");
        await doctor.GetByTestId("q").FillAsync($"{patient.Family} {patient.Given}");
        var hit = doctor.GetByTestId("hit").Filter(new LocatorFilterOptions { HasText = patient.Given }).First;
        await Expect(hit).ToContainTextAsync("closed to you");
        await Looks(doctorWindow, doctor, "found", reload: false);
        var link = (await hit.GetByTestId("emergency").GetAttributeAsync("href"))!;
        await doctor.GotoAsync(link[..^"/glass".Length]);
        await Expect(doctor.GetByTestId("closed-chart")).ToBeVisibleAsync();
        await Looks(doctorWindow, doctor, "closed");
        await doctor.Keyboard.PressAsync("g");
        await Expect(doctor.GetByTestId("glass")).ToContainTextAsync(patient.Family, new LocatorAssertionsToContainTextOptions { IgnoreCase = true });
        await Looks(doctorWindow, doctor, "glass");
        await doctor.Keyboard.PressAsync("1");
        await doctor.GetByTestId("words").FillAsync("Collapsed");
        await doctor.GetByTestId("code").FillAsync("000000");
        await doctor.Keyboard.PressAsync("Control+Enter");
        await Expect(doctor.GetByTestId("error-code")).ToHaveTextAsync("glass.words");
        await Expect(doctor.GetByTestId("reason-life-at-risk")).ToBeCheckedAsync();
        await Looks(doctorWindow, doctor, "glass-wrong", reload: false);
        await doctor.GetByTestId("words").FillAsync("Collapsed in corridor B at 14:05, chest pain, pulse 38. Need medicines and last ECG.");
        await doctor.GetByTestId("code").FillAsync(codes[Role.Doctor].Dequeue());

        // Told at once on whatever page is open.
        await boss.GotoAsync("/admin/accounts");
        var told = Stopwatch.StartNew();
        await doctor.Keyboard.PressAsync("Control+Enter");
        await Expect(boss.GetByTestId("glass-notice")).ToBeVisibleAsync();
        Assert.True(told.Elapsed < FiveSeconds, $"The administrator was told after {told.Elapsed}.");
        await Expect(doctor.GetByTestId("glass-strip")).ToContainTextAsync("Life at risk now");
        await Expect(doctor.GetByTestId("glass-strip")).ToContainTextAsync("closes in");
        await Expect(doctor.Locator("[data-glass-left]")).ToHaveTextAsync(new System.Text.RegularExpressions.Regex("^(?:60|59):[0-5][0-9]$", System.Text.RegularExpressions.RegexOptions.None, TimeSpan.FromSeconds(1)));
        await Expect(doctor.GetByTestId("glass-owed")).ToBeVisibleAsync();
        await Looks(doctorWindow, doctor, "open");
        await Looks(adminWindow, boss, "notice");

        // Somebody works on, and the hour is over: within five seconds nothing of the record is on the screen.
        for (var time = 0; time < 15; time++)
        {
            clock.Pass(TimeSpan.FromMinutes(4));
            await doctor.EvaluateAsync("fetch('/keys').then(() => fetch('/me'))");
        }

        var over = Stopwatch.StartNew();
        await Expect(doctor.GetByTestId("glass-over")).ToBeVisibleAsync();
        Assert.True(over.Elapsed < FiveSeconds, $"The record left the screen after {over.Elapsed}.");
        Assert.DoesNotContain(patient.Family, await doctor.ContentAsync(), StringComparison.OrdinalIgnoreCase);
        await Note(doctor, "over");
        await doctor.ReloadAsync();
        await Expect(doctor.GetByTestId("closed-chart")).ToBeVisibleAsync();
        await doctor.GotoAsync("/glass");
        await Expect(doctor.GetByTestId("standing")).ToHaveTextAsync("justification owed");
        await Looks(doctorWindow, doctor, "owed");

        // A day later nothing was written: the right is suspended, and those who answer for it are told.
        clock.Pass(TimeSpan.FromHours(24));
        boss = await SignIn(adminWindow, Role.Admin);
        await Expect(boss.GetByTestId("glass-notice")).ToBeVisibleAsync();
        await boss.GotoAsync("/privacy");
        await Expect(boss.GetByTestId("standing").First).ToHaveTextAsync("not justified in time");
        await Expect(boss.GetByTestId("rates")).ToContainTextAsync("suspended");
        await Looks(adminWindow, boss, "overdue");
        await boss.Keyboard.PressAsync("s");
        await Expect(boss.GetByTestId("done")).ToContainTextAsync("you have seen it");
        await Expect(boss.GetByTestId("glass-notice")).ToHaveCountAsync(0);
        doctor = await SignIn(doctorWindow, Role.Doctor);
        await doctor.GotoAsync(link);
        await Expect(doctor.GetByTestId("error-code")).ToHaveTextAsync("glass.suspended");
        await Looks(doctorWindow, doctor, "suspended");
        await doctor.GotoAsync("/glass");
        await doctor.GetByTestId("words").FillAsync("Read medicines and the last potassium before the first dose; the patient could not answer.");
        await doctor.Keyboard.PressAsync("Control+Enter");
        await Expect(doctor.GetByTestId("done")).ToContainTextAsync("Somebody else reviews it");

        // Reviewed by somebody else, then lifted; then it opens again.
        await boss.GetByTestId("open").First.ClickAsync();
        await Expect(boss.GetByTestId("texts")).ToContainTextAsync("Read medicines and the last potassium");
        await Looks(adminWindow, boss, "one");
        await boss.Keyboard.PressAsync("1");
        await boss.GetByTestId("words").FillAsync("It could not wait, and nothing else was opened. The justification was late.");
        await boss.Keyboard.PressAsync("Control+Enter");
        await Expect(boss.GetByTestId("done")).ToContainTextAsync("The review stands");
        await boss.GotoAsync("/privacy");
        await boss.GetByTestId("lift").ClickAsync();
        await Expect(boss.GetByTestId("done")).ToContainTextAsync("Lifted");
        await Looks(adminWindow, boss, "lifted");
        await boss.GetByTestId("open").First.ClickAsync();
        await boss.GetByTestId("to-audit").ClickAsync();
        await Expect(boss.Locator(".act.is-glass").First).ToContainTextAsync("emergency access");
        await doctor.GotoAsync(link);
        await Expect(doctor.GetByTestId("break-glass")).ToBeVisibleAsync();
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    private async Task<IPage> SignIn(IBrowserContext window, Role role)
    {
        var (user, file) = DayHospital.AccountIn(Data, role.Slug(), Root);
        foreach (var open in window.Pages.ToList())
        {
            await open.CloseAsync();
        }

        var page = await window.NewPageAsync();
        await page.GotoAsync("/sign-in");
        await page.GetByTestId("username").FillAsync(user);
        await page.GetByTestId("password").FillAsync(await File.ReadAllTextAsync(file));
        await page.GetByTestId("sign-in").ClickAsync();
        await page.SecondStep(codes[role].Dequeue);
        return page;
    }

    /// <summary>Sets up a phone for somebody, and gives the recovery codes.</summary>
    private async Task<Queue<string>> Phone(Hospital hospital, Role role)
    {
        var (user, file) = DayHospital.AccountIn(Data, role.Slug(), Root);
        var password = await File.ReadAllTextAsync(file);
        var desk = hospital.Vault.Identity;
        var session = (await desk.SignIn.Password(user, password, "address:10.0.0.7", default)).Value.Session!;
        Assert.True(Base32.TryDecode((await desk.SecondFactor.Begin(session.Token, password, default, default)).Value.Secret, out var secret));
        var renewed = (await desk.SecondFactor.Confirm(session.Token, Totp.Code(secret, clock.GetUtcNow().ToUnixTimeSeconds() / Totp.StepSeconds), default)).Value;
        return new Queue<string>(desk.SecondFactor.TakeCodes(renewed.Actor)!);
    }

    private async Task Looks(IBrowserContext window, IPage page, string name, bool reload = true)
    {
        foreach (var (theme, dir) in reload ? new[] { ("dark", "ltr"), ("light", "rtl"), ("light", "ltr") } : [("light", "ltr")])
        {
            await Contexts.Screen(window, address, theme, dir);
            if (reload)
            {
                await page.ReloadAsync();
            }

            foreach (var width in new[] { 820, 1280 })
            {
                await page.SetViewportSizeAsync(width, 900);
                await Note(page, $"{name} {theme} {dir} {width}");
                await Contexts.Picture(page, $"glass-{name}-{theme}-{dir}-{width}");
            }
        }
    }

    private async Task Note(IPage page, string where)
    {
        wrong.AddRange((await Accessibility.Violations(page)).Select(one => $"{where}: {one}"));
        wrong.AddRange((await Contexts.Misfits(page)).Select(one => $"{where}: {one}"));
    }
}
