using Mangrove.Cli;
using Mangrove.Cli.Serving;
using Mangrove.Kernel;
using Mangrove.Tests.Acceptance.Look;
using Mangrove.Vault;
using Mangrove.Vault.Keys;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Mangrove.Tests.Acceptance.Day;

/// <summary>A tablet is stolen: it becomes an incident, its session dies, the log says whom it touches, and it is judged, told, reviewed and closed.</summary>
public sealed class IncidentDayTests(LookHost look) : ProductDay(look)
{
    private const string Words = "A nurse's session was left open on a tablet that was taken from ward 3.";

    private readonly List<string> wrong = [];
    private readonly Dictionary<Role, Queue<string>> codes = [];
    private string address = "";

    [Fact]
    public async Task A_stolen_tablet_becomes_an_incident_and_is_closed()
    {
        await Product.Run("demo", "--patients", "12", "--seed", "5", "--data", Data, "--json");
        codes[Role.Admin] = new Queue<string>(await RecoveryCodes());
        await using var hospital = await Hospital.Open(StorageOptions.Sqlite(Data), new RootSecret { KeyFile = Path.Combine(Data, "demo.key") }, TimeProvider.System, default);
        await hospital.Indexing;
        await using var server = await Server.Start(hospital, new Uri("https://localhost:0"), default);
        address = server.Address.ToString();
        await using var adminWindow = await Host.Browser.NewContextAsync(Contexts.Window(address));
        await using var officerWindow = await Host.Browser.NewContextAsync(Contexts.Window(address));
        await using var thiefWindow = await Host.Browser.NewContextAsync(Contexts.Window(address));
        var boss = await SignIn(adminWindow, Role.Admin);
        var officer = await SignIn(officerWindow, Role.Doctor);
        var (doctor, _) = DayHospital.AccountIn(Data, Role.Doctor.Slug(), Root);
        var (nurse, _) = DayHospital.AccountIn(Data, Role.FrontDesk.Slug(), Root);

        // The doctor answers for privacy, and has the page of incidents from then on.
        var roster = await hospital.Vault.Identity.Staff.Roster(default);
        var chief = roster.Single(one => one.User == doctor);
        await boss.GotoAsync("/privacy");
        await boss.GetByTestId($"officer-{chief.Staff}").CheckAsync();
        await boss.GetByTestId("code").FillAsync(codes[Role.Admin].Dequeue());
        await boss.Keyboard.PressAsync("Alt+O");
        await Expect(boss.GetByTestId("done")).ToBeVisibleAsync();

        // On the tablet records are open.
        var thief = await SignIn(thiefWindow, Role.FrontDesk);
        await thief.GotoAsync("/desk");
        await boss.GotoAsync("/admin/incidents");
        await Looks(adminWindow, boss, "none");
        await boss.GetByTestId("kind").SelectOptionAsync("StolenDevice");
        await boss.Locator("[name=lead]").SelectOptionAsync(chief.Staff.ToString());
        await boss.GetByTestId("words").FillAsync("gone");
        await boss.Keyboard.PressAsync("Control+Enter");
        await Expect(boss.GetByTestId("error-code")).ToHaveTextAsync("incident.words");
        await boss.GetByTestId("words").FillAsync(Words);
        await boss.Keyboard.PressAsync("Control+Enter");
        await Expect(boss.GetByTestId("done")).ToContainTextAsync("Contain it now");
        await Looks(adminWindow, boss, "open");

        // Contained: the screen of the tablet goes blank by itself.
        await boss.GetByTestId("accounts").FillAsync(nurse);
        await boss.GetByTestId("code").FillAsync(codes[Role.Admin].Dequeue());
        await boss.GetByTestId("do-contain").ClickAsync();
        await Expect(boss.GetByTestId("done")).ToContainTextAsync("Contained");
        await thief.WaitForURLAsync(url => !url.EndsWith("/desk", StringComparison.Ordinal), new PageWaitForURLOptions { Timeout = 5_000 });

        await officer.GotoAsync("/admin/incidents/1");
        await officer.GetByTestId("seen").ClickAsync();
        await Expect(officer.Locator("[data-step='1']")).ToHaveAttributeAsync("data-done", "yes");
        await officer.Locator("[data-test=examine] [name=actor]").FillAsync(nurse);
        await officer.GetByTestId("ask-log").ClickAsync();
        await Expect(officer.GetByTestId("impacts")).ToContainTextAsync("acts");
        await officer.GetByTestId("impact").ClickAsync();
        await Expect(officer.GetByTestId("exposed")).ToContainTextAsync(nurse);
        await Looks(officerWindow, officer, "impact");
        await officer.GotoAsync("/admin/incidents/1");

        // The copy of the log was proven meanwhile.
        for (var tries = 0; tries < 30 && await officer.Locator("[data-step='4'][data-done=yes]").CountAsync() == 0; tries++)
        {
            await officer.ReloadAsync();
            await officer.WaitForTimeoutAsync(500);
        }

        await Expect(officer.Locator("[data-step='4']")).ToHaveAttributeAsync("data-done", "yes");
        foreach (var factor in (string[])["nature", "person", "acquired", "mitigation"])
        {
            await officer.Locator($"[data-test=assess] [name={factor}]").FillAsync(Words);
        }

        await officer.Locator("[data-test=assess] [name=affected]").FillAsync("3");
        await officer.Locator("[data-test=assess] [name=state]").FillAsync("3");
        await officer.GetByTestId("risk").SelectOptionAsync("Breach");
        await officer.GetByTestId("do-assess").ClickAsync();
        await Expect(officer.GetByTestId("state")).ToHaveTextAsync("assessed");
        foreach (var (to, people) in (IEnumerable<(string, string)>)[("Patients", "3"), ("Authority", "1")])
        {
            await officer.Locator("[data-test=record-sent] [name=to]").SelectOptionAsync(to);
            await officer.Locator("[data-test=record-sent] [name=people]").FillAsync(people);
            await officer.Locator("[data-test=record-sent] [name=way]").SelectOptionAsync("Post");
            await officer.GetByTestId("do-sent").ClickAsync();
            await Expect(officer.GetByTestId("done")).ToContainTextAsync("Recorded");
        }

        await officer.Locator("#f-action").FillAsync("Tablets are counted at each change of shift.");
        await officer.GetByTestId("do-action").ClickAsync();
        await officer.GetByTestId("did").ClickAsync();

        // The page that comes has no such button any more: what is written before it came would be lost with the page of before.
        await Expect(officer.GetByTestId("did")).ToHaveCountAsync(0);
        await officer.Locator("#f-review").FillAsync("The drawer had no lock. It has one now, and tablets are counted.");
        await officer.GetByTestId("do-review").ClickAsync();
        await Expect(officer.GetByTestId("state")).ToHaveTextAsync("ready to close");
        await Looks(officerWindow, officer, "reviewed");
        await officer.GetByTestId("close").ClickAsync();
        await Expect(officer.GetByTestId("error-code")).ToHaveTextAsync("incident.steps-open");

        // The keys were not on the tablet: somebody who does not lead the incident says so.
        await boss.GotoAsync("/admin/incidents/1");
        await boss.Locator("[data-test=waive] [name=step]").SelectOptionAsync("RotateKeys");
        await boss.Locator("#f-waive").FillAsync("No key of the hospital lies on a tablet.");
        await boss.GetByTestId("do-waive").ClickAsync();
        await Expect(boss.Locator("[data-step='3']")).ToHaveAttributeAsync("data-done", "yes");
        await boss.GetByTestId("close").ClickAsync();
        await Expect(boss.GetByTestId("state")).ToHaveTextAsync("closed");
        await Looks(adminWindow, boss, "closed");
        await boss.GotoAsync("/admin/incidents");
        await Expect(boss.GetByTestId("incident")).ToContainTextAsync("closed");
        await Looks(adminWindow, boss, "list");
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    private async Task<IPage> SignIn(IBrowserContext window, Role role)
    {
        var (user, file) = DayHospital.AccountIn(Data, role.Slug(), Root);
        var page = await window.NewPageAsync();
        await page.GotoAsync("/sign-in");
        await page.GetByTestId("username").FillAsync(user);
        await page.GetByTestId("password").FillAsync(await File.ReadAllTextAsync(file));
        await page.GetByTestId("sign-in").ClickAsync();
        await page.SecondStep(() => codes[role].Dequeue());
        return page;
    }

    private async Task Looks(IBrowserContext window, IPage page, string name)
    {
        foreach (var (theme, dir) in new[] { ("dark", "ltr"), ("light", "rtl"), ("light", "ltr") })
        {
            await Contexts.Screen(window, address, theme, dir);
            await page.ReloadAsync();
            foreach (var width in new[] { 820, 1280 })
            {
                await page.SetViewportSizeAsync(width, 900);
                var where = $"{name} {theme} {dir} {width}";
                wrong.AddRange((await Accessibility.Violations(page)).Select(one => $"{where}: {one}"));
                wrong.AddRange((await Contexts.Misfits(page)).Select(one => $"{where}: {one}"));
                await Contexts.Picture(page, $"incident-{name}-{theme}-{dir}-{width}");
            }
        }
    }
}
