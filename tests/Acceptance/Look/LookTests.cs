using Deque.AxeCore.Commons;
using Deque.AxeCore.Playwright;
using Microsoft.Playwright;

namespace Mangrove.Tests.Acceptance.Look;

/// <summary>
/// Draws every component and frame in both themes, both widths and both directions. Pictures are written to the folder
/// that MANGROVE_LOOK names, to be held beside the design's.
/// </summary>
public sealed class LookTests(LookHost host)
{
    public static TheoryData<string, string, string, int> Looks()
    {
        var looks = new TheoryData<string, string, string, int>();
        foreach (var path in new[] { "/look/components", "/look/triage", "/look/consultation", "/look/trust", "/sign-in", "/locked", "/keys", "/no-such-page" })
        {
            foreach (var (theme, dir, width) in new[] { ("light", "ltr", 1280), ("dark", "ltr", 1280), ("light", "rtl", 820), ("dark", "rtl", 820), ("light", "ltr", 820), ("light", "rtl", 1280) })
            {
                // The two last only where components stand together: axe takes seconds a page.
                if (path == "/look/components" || (theme, dir, width) is not (("light", "ltr", 820) or ("light", "rtl", 1280)))
                {
                    looks.Add(path, theme, dir, width);
                }
            }
        }

        return looks;
    }

    [Theory]
    [MemberData(nameof(Looks))]
    public async Task A_page_is_accessible_keeps_the_policy_and_fits_its_width(string path, string theme, string dir, int width)
    {
        await using var context = await Contexts.Open(host, theme, dir, width);
        var page = await context.NewPageAsync();
        var complaints = Contexts.Complaints(page);
        await page.GotoAsync(path);
        await Assertions.Expect(page.Locator("html")).ToHaveAttributeAsync("dir", dir);
        await Assertions.Expect(page.Locator("html")).ToHaveAttributeAsync("data-bs-theme", theme);
        await page.EvaluateAsync("document.fonts.ready");
        await Contexts.Picture(page, $"{path.Replace('/', '-').Trim('-')}-{theme}-{dir}-{width}");

        var overflow = await page.EvaluateAsync<int>("document.documentElement.scrollWidth - document.documentElement.clientWidth");
        Assert.True(overflow <= 0, $"The page is {overflow} px wider than its window.");

        var found = await page.RunAxe(new AxeRunOptions { RunOnly = new RunOnlyOptions { Type = "tag", Values = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] } });
        Assert.True(found.Violations.Length == 0, string.Join('\n', found.Violations.Select(v => $"{v.Id}: {v.Help} {string.Join(" | ", v.Nodes.Take(4).Select(n => n.Html))}")));
        Assert.Equal([], complaints.Where(c => !(path == "/no-such-page" && c.Contains("404", StringComparison.Ordinal))));
    }

    [Fact]
    public async Task Fonts_and_icons_really_arrive()
    {
        await using var context = await Contexts.Open(host, "light", "ltr", 1280);
        var page = await context.NewPageAsync();
        await page.GotoAsync("/look/components");
        await page.EvaluateAsync("document.fonts.ready");
        Assert.True(await page.EvaluateAsync<bool>("[...document.fonts].some(f => f.family.includes('Inter') && f.status === 'loaded')"));
        var width = await page.EvaluateAsync<double>("document.querySelector('.allergy svg use').getBoundingClientRect().width");
        Assert.True(width > 5, "The icon of the allergy state has no size: the sprite did not arrive.");
    }
}
