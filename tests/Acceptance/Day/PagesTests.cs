using System.Collections.Concurrent;
using System.Text.RegularExpressions;
using Mangrove.Kernel;
using Mangrove.Tests.Acceptance.Look;
using Microsoft.Playwright;

namespace Mangrove.Tests.Acceptance.Day;

/// <summary>
/// Every page that a role can reach from its home, with real data on it: by the links of the rail, of the first rows and
/// of the day's patient, one of each kind.
/// </summary>
public abstract partial class PagesTests(DayHospital hospital, LookHost browser)
{
    // More kinds than any role has: a guard against a link that makes ever new ones.
    private const int MostPages = 45;

    protected async Task Walk(Role role)
    {
        var day = await hospital.Day;
        var slug = role.Slug();
        await using var context = await browser.Browser.NewContextAsync(Contexts.Window(hospital.Address.ToString()));
        await Direction(context, "ltr");
        var page = await context.NewPageAsync();
        var complaints = Contexts.Complaints(page);
        await SignIn(page, role);
        if (role == Role.Admin)
        {
            await RegisterProgram(page);
            await RegisterDesktop(page);
            await BackUp(page);
            await SetMail(page);
        }

        var wrong = new List<string>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var queue = new Queue<(string Path, bool Sure)>([(new Uri(page.Url).AbsolutePath, true), (day.Place, false), (day.Place + "/details", false), ("/keys", true), ("/me", true)]);
        while (queue.TryDequeue(out var next))
        {
            if (!seen.Add(Kind(next.Path)))
            {
                continue;
            }

            Assert.True(seen.Count <= MostPages, "Too many kinds of pages: " + string.Join(' ', seen));
            complaints.Clear();
            var answer = await page.GotoAsync(next.Path);
            if (answer is { Status: 404 } && !next.Sure)
            {
                continue;
            }

            await Check(page, slug, Kind(next.Path), complaints, wrong);
            foreach (var link in await page.EvaluateAsync<string[]>("[...document.querySelectorAll('a[href^=\"/\"]:not([download])')].map(a => a.getAttribute('href'))"))
            {
                queue.Enqueue((link, true));
            }
        }

        complaints.Clear();
        if (role == Role.Admin)
        {
            await Log(page, slug, day.Number, complaints, wrong);
        }

        complaints.Clear();
        await RefusedPassword(page, slug, complaints, wrong);
        Assert.True(seen.Count >= 4, "Hardly a page was found: " + string.Join(' ', seen));
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    /// <summary>A program that waits for approvals, so that its page has everything to show.</summary>
    private static async Task RegisterProgram(IPage page)
    {
        using var key = System.Security.Cryptography.ECDsa.Create(System.Security.Cryptography.ECCurve.NamedCurves.nistP256);
        await page.GotoAsync("/admin/integrations");
        var form = page.GetByTestId("new-integration");
        await form.Locator("[name=name]").FillAsync("Laboratory bridge");
        await form.Locator("[name=client]").FillAsync("lab-bridge");
        await form.Locator("[name=purpose]").SelectOptionAsync("Treatment");
        await form.Locator("[name=key]").FillAsync(key.ExportSubjectPublicKeyInfoPem());
        await form.GetByTestId("scope-Name").CheckAsync();
        await form.GetByTestId("scope-LabResults").CheckAsync();
        await page.Keyboard.PressAsync("Control+Enter");
        await Assertions.Expect(page.GetByTestId("scopes")).ToContainTextAsync("Laboratory results");
        await page.GetByTestId("agreement-form").Locator("[name=hash]").FillAsync(new string('a', 64));
        await page.GetByTestId("agreement-form").Locator("[name=signer]").FillAsync("Jo Partner, Bridge Ltd");
        await page.GetByTestId("agreement-form").Locator("[name=expires]").FillAsync(TimeProvider.System.GetUtcNow().AddDays(20).ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture));
        await page.GetByTestId("file").ClickAsync();
        await Assertions.Expect(page.GetByTestId("approve")).ToBeVisibleAsync();

        // Its certificate, from a request that was pasted.
        await page.GetByTestId("certificate-form").Locator("[name=request]").FillAsync(CertificateRequest());
        await page.GetByTestId("sign-certificate").ClickAsync();
        await Assertions.Expect(page.GetByTestId("certificates")).ToContainTextAsync("Good");
    }

    /// <summary>A desktop device with a certificate, from a request that lies in a file.</summary>
    private static async Task RegisterDesktop(IPage page)
    {
        await page.GotoAsync("/admin/devices");
        var form = page.GetByTestId("new-device");
        await form.Locator("[name=name]").FillAsync("Records-Desk-01");
        await form.Locator("[name=department]").FillAsync("Records");
        await page.GetByTestId("register").ClickAsync();
        await page.Locator("[data-device-row=Records-Desk-01]").GetByTestId("certificates").ClickAsync();
        await page.Locator("[name=file]").SetInputFilesAsync(new FilePayload { Name = "desk.csr", MimeType = "application/pkcs10", Buffer = System.Text.Encoding.ASCII.GetBytes(CertificateRequest()) });
        await page.GetByTestId("sign-certificate").ClickAsync();
        await Assertions.Expect(page.GetByTestId("certificates")).ToContainTextAsync("Good");
        await Assertions.Expect(page.GetByTestId("done")).ToBeVisibleAsync();
    }

    /// <summary>Mail to a server that is not there, so that the page has a letter that waits to show.</summary>
    private static async Task SetMail(IPage page)
    {
        await page.GotoAsync("/admin/mail");
        var form = page.GetByTestId("mail-form");
        await form.Locator("[name=host]").FillAsync("mail.hospital.example");
        await form.Locator("[name=security]").SelectOptionAsync("none");
        await form.Locator("[name=sender]").FillAsync("mangrove@hospital.example");
        await form.Locator("[name=administrators]").FillAsync("it@hospital.example");
        await page.Keyboard.PressAsync("Control+Enter");
        await Assertions.Expect(page.GetByTestId("error-code")).ToHaveTextAsync("mail.needs-tls");
        await page.GetByTestId("mail-form").Locator("[name=host]").FillAsync("localhost");
        await page.GetByTestId("mail-form").Locator("[name=port]").FillAsync("9");
        await page.Keyboard.PressAsync("Control+Enter");
        await Assertions.Expect(page.GetByTestId("done")).ToBeVisibleAsync();
        await page.Keyboard.PressAsync("Alt+t");
        await Assertions.Expect(page.GetByTestId("letters")).ToContainTextAsync("it@hospital.example");
        await Task.Delay(1_500);
        await page.GotoAsync("/admin/mail");
        await Assertions.Expect(page.GetByTestId("letters")).ToContainTextAsync("mail.unreachable");
    }

    /// <summary>A target is set, a backup made and its restore proven, all by the page; a folder that will not do is refused there.</summary>
    private static async Task BackUp(IPage page)
    {
        var target = Directory.CreateTempSubdirectory("mangrove-target-").FullName;
        await page.GotoAsync("/admin/backups");
        var form = page.GetByTestId("target-form");
        await form.Locator("[name=path]").FillAsync("relative/folder");
        await page.Keyboard.PressAsync("Control+Enter");
        await Assertions.Expect(page.GetByTestId("error-code")).ToHaveTextAsync("backup.path");
        await form.Locator("[name=path]").FillAsync(target);
        await page.Keyboard.PressAsync("Control+Enter");
        await Assertions.Expect(page.GetByTestId("targets")).ToContainTextAsync(target);
        await page.GetByTestId("start-backup").ClickAsync();
        await Assertions.Expect(page.GetByTestId("history")).ToContainTextAsync("read back whole", new() { Timeout = 60_000 });
        await Assertions.Expect(page.GetByTestId("underway")).ToHaveCountAsync(0, new() { Timeout = 60_000 });

        // A drill that the timetable made may stand in the list already, so the page that answers the click is waited for.
        await page.RunAndWaitForResponseAsync(() => page.GetByTestId("start-drill").ClickAsync(), static answer => answer.Request.Method == "GET" && new Uri(answer.Url).AbsolutePath == "/admin/backups");
        await page.WaitForLoadStateAsync();
        await Assertions.Expect(page.GetByTestId("history")).ToContainTextAsync("restored, opened, compared", new() { Timeout = 60_000 });
        await Assertions.Expect(page.GetByTestId("underway")).ToHaveCountAsync(0, new() { Timeout = 60_000 });
        await page.GotoAsync("/admin");
        await Assertions.Expect(page.Locator("main")).ToContainTextAsync("Last proven restore");
    }

    private static string CertificateRequest()
    {
        using var key = System.Security.Cryptography.ECDsa.Create(System.Security.Cryptography.ECCurve.NamedCurves.nistP256);
        return new System.Security.Cryptography.X509Certificates.CertificateRequest("CN=whoever", key, System.Security.Cryptography.HashAlgorithmName.SHA256).CreateSigningRequestPem();
    }

    private async Task Check(IPage page, string slug, string kind, ConcurrentQueue<string> complaints, List<string> wrong)
    {
        await Colour(page, slug, kind, wrong);
        await Direction(page.Context, "rtl");
        await page.ReloadAsync();
        await page.EvaluateAsync("document.fonts.ready");
        foreach (var width in (int[])[820, 1280])
        {
            await page.SetViewportSizeAsync(width, 900);
            await Fits(page, $"{kind} {width} right to left", wrong);
            await Contexts.Picture(page, $"page-{slug}{kind.Replace('/', '-').Replace('*', 'x')}-rtl-{width}");
        }

        await Direction(page.Context, "ltr");
        wrong.AddRange(complaints.Select(complaint => $"{kind}: {complaint}"));
    }

    /// <summary>What the log answers to a form: one patient's entries, the accounting for the patient, an export.</summary>
    private async Task Log(IPage page, string slug, string number, ConcurrentQueue<string> complaints, List<string> wrong)
    {
        foreach (var direction in (string[])["ltr", "rtl"])
        {
            await Direction(page.Context, direction);
            foreach (var (button, shown) in ((string, string)[])[("audit-show", "audit-hours"), ("audit-disclosures", "disclosures"), ("audit-export", "export-files")])
            {
                await page.SetViewportSizeAsync(1280, 900);
                await page.GotoAsync("/admin/audit");
                await page.Locator(".audit-ask [name=number]").FillAsync(number);
                await page.GetByTestId(button).ClickAsync();
                await Assertions.Expect(page.GetByTestId(shown)).ToBeVisibleAsync();
                await Colour(page, slug, $"/{shown} {direction}", wrong);
            }
        }

        await Direction(page.Context, "ltr");
        wrong.AddRange(complaints.Select(complaint => $"the log's answers: {complaint}"));
    }

    /// <summary>The password's form by the keyboard alone, with a current one that is wrong.</summary>
    private static async Task RefusedPassword(IPage page, string slug, ConcurrentQueue<string> complaints, List<string> wrong)
    {
        await page.GotoAsync("/me");
        await page.GetByTestId("current").FocusAsync();
        foreach (var typed in (string[])["this is not my password", "copper lantern drifts sideways", "copper lantern drifts sideways"])
        {
            await page.Keyboard.TypeAsync(typed);
            await page.Keyboard.PressAsync("Tab");
        }

        await page.Keyboard.PressAsync("Control+Enter");
        await Assertions.Expect(page.GetByTestId("error-current")).ToBeVisibleAsync();
        await Assertions.Expect(page.GetByTestId("current")).ToBeFocusedAsync();
        await Assertions.Expect(page.GetByTestId("new-password")).ToHaveValueAsync("");
        await Colour(page, slug, "/me refused", wrong);
        wrong.AddRange(complaints.Where(complaint => !complaint.Contains("422", StringComparison.Ordinal)).Select(complaint => $"/me refused: {complaint}"));
    }

    private static async Task Colour(IPage page, string slug, string kind, List<string> wrong)
    {
        await page.EvaluateAsync("document.fonts.ready");
        foreach (var width in (int[])[1280, 820])
        {
            await page.SetViewportSizeAsync(width, 900);
            foreach (var theme in (string[])["light", "dark"])
            {
                await page.EvaluateAsync("theme => document.documentElement.dataset.bsTheme = theme", theme);

                // Nothing but colours changes with the theme.
                var broken = await Accessibility.Violations(page, coloursOnly: theme == "dark");
                wrong.AddRange(broken.Select(violation => $"{kind} {theme} {width}: {violation}"));
                await Contexts.Picture(page, $"page-{slug}{kind.Replace('/', '-').Replace('*', 'x')}-{theme}-{width}");
            }

            await page.EvaluateAsync("document.documentElement.dataset.bsTheme = 'light'");
            await Fits(page, $"{kind} {width}", wrong);
        }
    }

    private Task Direction(IBrowserContext context, string direction) => Contexts.Screen(context, hospital.Address.ToString(), "light", direction);

    private static async Task Fits(IPage page, string what, List<string> wrong) => wrong.AddRange((await Contexts.Misfits(page)).Select(misfit => $"{what}: {misfit}"));

    private async Task SignIn(IPage page, Role role)
    {
        var (user, password) = hospital.Account(role);
        await page.GotoAsync("/");
        await page.GetByTestId("username").FillAsync(user);
        await page.GetByTestId("password").FillAsync(await File.ReadAllTextAsync(password));
        await page.GetByTestId("sign-in").ClickAsync();
        await page.SecondStep(() => hospital.Code(role));
    }

    /// <summary>The kind of a page: its path with every id and number taken out.</summary>
    private static string Kind(string path) => Ids().Replace(path.Split('?', '#')[0], "/*");

    [GeneratedRegex("/(?:[0-9a-f]{32}|S-[0-9]+|[0-9]{2}-[0-9]+|D-[0-9]+)(?=/|$)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Ids();
}

/// <summary>Those who treat.</summary>
public sealed class ClinicalPagesTests(DayHospital hospital, LookHost browser) : PagesTests(hospital, browser)
{
    [Theory]
    [InlineData(Role.Nurse)]
    [InlineData(Role.Doctor)]
    [InlineData(Role.Pharmacist)]
    [InlineData(Role.LabTech)]
    public Task Every_page_of_a_role_is_accessible_fits_its_width_and_keeps_the_policy_in_both_themes_and_directions(Role role) => Walk(role);
}

/// <summary>The offices. A class of its own, so that two roles are walked through at a time.</summary>
public sealed class OfficePagesTests(DayHospital hospital, LookHost browser) : PagesTests(hospital, browser)
{
    [Theory]
    [InlineData(Role.FrontDesk)]
    [InlineData(Role.Cashier)]
    [InlineData(Role.Admin)]
    public Task Every_page_of_a_role_is_accessible_fits_its_width_and_keeps_the_policy_in_both_themes_and_directions(Role role) => Walk(role);
}
