using Microsoft.Playwright;

namespace Mangrove.Tests.Acceptance.Look;

/// <summary>
/// Draws every component and frame in both themes, both widths and both directions. Pictures are written to the folder
/// that MANGROVE_LOOK names, to be held beside the design's.
/// </summary>
public sealed class LookTests(LookHost host)
{
    [Theory]
    [InlineData("/look/components")]
    [InlineData("/look/triage")]
    [InlineData("/look/consultation")]
    [InlineData("/look/trust")]
    [InlineData("/sign-in")]
    [InlineData("/look/code")]
    [InlineData("/look/phone")]
    [InlineData("/locked")]
    [InlineData("/locked?with=password")]
    [InlineData("/keys")]
    [InlineData("/no-such-page")]
    public async Task A_page_is_accessible_keeps_the_policy_and_fits_its_width(string path)
    {
        // One window for all: a new one costs more than everything that is asked of it.
        await using var context = await host.Browser.NewContextAsync(Contexts.Window(host.Address));
        var page = await context.NewPageAsync();
        var complaints = Contexts.Complaints(page);
        var wrong = new List<string>();
        foreach (var (theme, dir) in new[] { ("light", "ltr"), ("dark", "ltr"), ("light", "rtl"), ("dark", "rtl") })
        {
            await Contexts.Screen(context, host.Address, theme, dir);
            await page.GotoAsync(path);
            await Assertions.Expect(page.Locator("html")).ToHaveAttributeAsync("dir", dir);
            await Assertions.Expect(page.Locator("html")).ToHaveAttributeAsync("data-bs-theme", theme);
            await page.EvaluateAsync("document.fonts.ready");
            foreach (var width in (int[])[1280, 820])
            {
                await page.SetViewportSizeAsync(width, 900);
                await Contexts.Picture(page, $"{path.Replace('/', '-').Replace('?', '-').Trim('-')}-{theme}-{dir}-{width}");
                wrong.AddRange((await Accessibility.Violations(page)).Concat(await Contexts.Misfits(page)).Select(what => $"{theme} {dir} {width}: {what}"));
            }
        }

        Assert.Empty(wrong);
        Assert.DoesNotContain(complaints, complaint => path != "/no-such-page" || !complaint.Contains("404", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_is_made_wrong_is_found()
    {
        await using var context = await Contexts.Open(host, "light", "ltr", 1280);
        var page = await context.NewPageAsync();
        await page.GotoAsync("/keys");
        await page.EvaluateAsync("document.documentElement.removeAttribute('lang'); document.querySelector('h1').style.color = '#ccc'");
        Assert.Collection(
            (await Accessibility.Violations(page)).Order(StringComparer.Ordinal),
            contrast => Assert.StartsWith("color-contrast: ", contrast, StringComparison.Ordinal),
            language => Assert.StartsWith("html-has-lang: ", language, StringComparison.Ordinal));
        Assert.StartsWith("color-contrast: ", Assert.Single(await Accessibility.Violations(page, coloursOnly: true)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_does_not_fit_is_found()
    {
        await using var context = await Contexts.Open(host, "light", "ltr", 1280);
        var page = await context.NewPageAsync();
        await page.GotoAsync("/look/components");
        await page.EvaluateAsync(
            """
            const card = document.querySelector('.card');
            card.style.width = '200px';
            card.style.whiteSpace = 'nowrap';
            card.prepend('An address that is much longer than the card that it was put into');
            """);
        Assert.Contains(await Contexts.Misfits(page), misfit => misfit.EndsWith(": An address that is much longer than the card that it was put", StringComparison.Ordinal));
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
