using Deque.AxeCore.Commons;
using Microsoft.Playwright;

namespace Mangrove.Tests.Acceptance.Look;

/// <summary>What axe finds wrong with a page as it stands.</summary>
internal static class Accessibility
{
    private static readonly string Axe = new BundledAxeScriptProvider().GetScript();

    /// <summary>
    /// One line for each rule that is broken, with the first places. It runs in the page alone, which has no frames: to
    /// join frames, axe's package for Playwright opens a second page for each look, which took nine tenths of the time.
    /// </summary>
    /// <param name="page">With everything on it that belongs there.</param>
    /// <param name="coloursOnly">Only the rules about colours, for a page on which nothing else changed since the last look.</param>
    public static async Task<string[]> Violations(IPage page, bool coloursOnly = false)
    {
        Assert.Equal(0, await page.Locator("iframe, frame").CountAsync());
        if (!await page.EvaluateAsync<bool>("typeof axe === 'object'"))
        {
            await page.EvaluateAsync(Axe);
        }

        return await page.EvaluateAsync<string[]>(
            """
            async coloursOnly => {
              const rules = coloursOnly
                ? { type: 'rule', values: ['color-contrast', 'link-in-text-block'] }
                : { type: 'tag', values: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] };
              const found = await axe.run(document, { runOnly: rules, resultTypes: ['violations'] });
              return found.violations.map(broken => `${broken.id}: ${broken.help} ${broken.nodes.slice(0, 4).map(node => node.html).join(' | ')}`);
            }
            """,
            coloursOnly);
    }
}
