using System.Collections.Concurrent;
using System.Text.RegularExpressions;
using Deque.AxeCore.Commons;
using Deque.AxeCore.Playwright;
using Mangrove.Kernel;
using Mangrove.Tests.Acceptance.Look;
using Microsoft.Playwright;

namespace Mangrove.Tests.Acceptance.Day;

/// <summary>
/// Every page that a role can reach from its home, with real data on it: by the links of the rail, of the first rows and
/// of the day's patient, one of each kind.
/// </summary>
public sealed partial class PagesTests(DayHospital hospital, LookHost browser)
{
    // More kinds than any role has: a guard against a link that makes ever new ones.
    private const int MostPages = 30;

    private static readonly RunOnlyOptions Everything = new() { Type = "tag", Values = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] };

    // Nothing but colours changes with the theme.
    private static readonly RunOnlyOptions Colours = new() { Type = "rule", Values = ["color-contrast", "link-in-text-block"] };

    public static TheoryData<string> Roles() => [.. Enum.GetValues<Role>().Select(role => role.Slug())];

    // Not run through yet on a whole day. Run with ./test --full.
    [Theory(Explicit = true)]
    [MemberData(nameof(Roles))]
    public async Task Every_page_of_a_role_is_accessible_fits_its_width_and_keeps_the_policy_in_both_themes_and_directions(string slug)
    {
        var day = await hospital.Day;
        var role = Enum.GetValues<Role>().Single(one => one.Slug() == slug);
        await using var context = await browser.Browser.NewContextAsync(new BrowserNewContextOptions { BaseURL = hospital.Address.ToString(), IgnoreHTTPSErrors = true, ViewportSize = new ViewportSize { Width = 1280, Height = 900 } });
        await context.AddCookiesAsync([new Cookie { Name = "__Host-mangrove-screen", Value = "light.ltr.letters", Url = hospital.Address.ToString(), Secure = true }]);
        var page = await context.NewPageAsync();
        var complaints = Contexts.Complaints(page);
        await SignIn(page, role);

        var wrong = new List<string>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var queue = new Queue<(string Path, bool Sure)>([(new Uri(page.Url).AbsolutePath, true), (day.Place, false), (day.Place + "/details", false), ("/keys", true), ("/account", false)]);
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

            await Check(page, slug, next.Path, complaints, wrong);
            foreach (var link in await page.EvaluateAsync<string[]>("[...document.querySelectorAll('a[href^=\"/\"]')].map(a => a.getAttribute('href'))"))
            {
                queue.Enqueue((link, true));
            }
        }

        Assert.True(seen.Count >= 4, "Hardly a page was found: " + string.Join(' ', seen));
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    private static async Task Check(IPage page, string slug, string path, ConcurrentQueue<string> complaints, List<string> wrong)
    {
        var kind = Kind(path);
        await page.EvaluateAsync("document.fonts.ready");
        foreach (var width in (int[])[1280, 820])
        {
            await page.SetViewportSizeAsync(width, 900);
            foreach (var theme in (string[])["light", "dark"])
            {
                await page.EvaluateAsync("theme => document.documentElement.dataset.bsTheme = theme", theme);
                var found = await page.RunAxe(new AxeRunOptions { RunOnly = theme == "light" ? Everything : Colours });
                wrong.AddRange(found.Violations.Select(v => $"{kind} {theme} {width}: {v.Id}: {v.Help} {string.Join(" | ", v.Nodes.Take(3).Select(node => node.Html))}"));
                await Pictures.Take(page, $"page-{slug}{kind.Replace('/', '-').Replace('*', 'x')}-{theme}-{width}");
            }

            await page.EvaluateAsync("document.documentElement.dataset.bsTheme = 'light'");
            await Fits(page, $"{kind} {width}", wrong);
        }

        await page.EvaluateAsync("document.documentElement.dir = 'rtl'");
        await Fits(page, $"{kind} 820 right to left", wrong);
        await page.SetViewportSizeAsync(1280, 900);
        await Fits(page, $"{kind} 1280 right to left", wrong);
        await Pictures.Take(page, $"page-{slug}{kind.Replace('/', '-').Replace('*', 'x')}-rtl-1280");
        wrong.AddRange(complaints.Select(complaint => $"{kind}: {complaint}"));
    }

    private static async Task Fits(IPage page, string what, List<string> wrong)
    {
        var over = await page.EvaluateAsync<int>("document.documentElement.scrollWidth - document.documentElement.clientWidth");
        if (over > 0)
        {
            wrong.Add($"{what}: {over} px wider than its window");
        }
    }

    private async Task SignIn(IPage page, Role role)
    {
        var (user, password) = hospital.Account(role);
        await page.GotoAsync("/");
        await page.GetByTestId("username").FillAsync(user);
        await page.GetByTestId("password").FillAsync(await File.ReadAllTextAsync(password));
        await page.GetByTestId("sign-in").ClickAsync();
        await Assertions.Expect(page.Locator(".app")).ToBeVisibleAsync();
    }

    /// <summary>The kind of a page: its path with every id and number taken out.</summary>
    private static string Kind(string path) => Ids().Replace(path.Split('?', '#')[0], "/*");

    [GeneratedRegex("/(?:[0-9a-f]{32}|S-[0-9]+|[0-9]{2}-[0-9]+|D-[0-9]+)(?=/|$)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Ids();
}
