using System.Text.RegularExpressions;
using Microsoft.Playwright;

namespace Mangrove.Tests.Acceptance;

internal static class Arrival
{
    /// <summary>
    /// Waits until the page stands at an address and is loaded, with its keys. The address is asked for again and again:
    /// waiting for one navigation misses one that is over before the wait begins. The document itself is asked whether it
    /// is loaded: what the driver knows of it may be of the one before.
    /// </summary>
    public static async Task Reaches(this IPage page, string pattern)
    {
        await Assertions.Expect(page).ToHaveURLAsync(new Regex(pattern, RegexOptions.None, TimeSpan.FromSeconds(1)));
        await page.EvaluateAsync<bool>("() => document.readyState === 'complete' || new Promise(done => addEventListener('load', () => done(true), { once: true }))");
    }

    /// <summary>Goes on after the password: types a code where one is asked, and waits for the first page of the house.</summary>
    public static async Task SecondStep(this IPage page, Func<string> code)
    {
        var asked = page.GetByTestId("code");
        await Assertions.Expect(page.Locator(".app").Or(asked)).ToBeVisibleAsync();
        if (await asked.IsVisibleAsync())
        {
            await asked.FillAsync(code());
            await page.GetByTestId("sign-in").ClickAsync();
        }

        await Assertions.Expect(page.Locator(".app")).ToBeVisibleAsync();
    }
}
