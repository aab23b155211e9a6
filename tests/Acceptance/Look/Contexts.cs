using System.Collections.Concurrent;
using Microsoft.Playwright;

namespace Mangrove.Tests.Acceptance.Look;

/// <summary>Browser windows with their settings, their complaints and their pictures.</summary>
internal static class Contexts
{
    public static async Task<IBrowserContext> Open(LookHost host, string theme, string dir, int width, bool letters = true)
    {
        var context = await host.Browser.NewContextAsync(Window(host.Address, width));
        await Screen(context, host.Address, theme, dir, letters);
        return context;
    }

    public static BrowserNewContextOptions Window(string address, int width = 1280) =>
        new() { BaseURL = address, IgnoreHTTPSErrors = true, ReducedMotion = ReducedMotion.Reduce, ViewportSize = new ViewportSize { Width = width, Height = 900 } };

    /// <summary>Sets how the next page is drawn.</summary>
    public static Task Screen(IBrowserContext context, string address, string theme, string dir, bool letters = true) =>
        context.AddCookiesAsync([new Cookie { Name = "__Host-mangrove-screen", Value = $"{theme}.{dir}.{(letters ? "letters" : "noletters")}", Url = address, Secure = true }]);

    /// <summary>What is to be said when a page does not fit its window, or null.</summary>
    public static async Task<string?> TooWide(IPage page)
    {
        var over = await page.EvaluateAsync<int>("document.documentElement.scrollWidth - document.documentElement.clientWidth");
        return over > 0 ? $"{over} px wider than its window" : null;
    }

    /// <summary>Errors of the page and of its console: a broken policy, a missing file, a thrown error.</summary>
    public static ConcurrentQueue<string> Complaints(IPage page)
    {
        var complaints = new ConcurrentQueue<string>();
        page.PageError += (_, error) => complaints.Enqueue(error);
        page.Console += (_, message) =>
        {
            // A newer letter takes the place of a search under way (hx-sync): htmx says so on the console and goes on.
            var replaced = message.Text.StartsWith("htmx:sendAbort", StringComparison.Ordinal) || message.Text.StartsWith("htmx:afterRequest", StringComparison.Ordinal);
            if (message.Type is "error" or "warning" && !replaced)
            {
                complaints.Enqueue(message.Text);
            }
        };
        page.Response += (_, answer) =>
        {
            if (answer.Status >= 400)
            {
                complaints.Enqueue($"{answer.Status} {answer.Url}");
            }
        };
        return complaints;
    }

    public static async Task Picture(IPage page, string name)
    {
        if (Environment.GetEnvironmentVariable("MANGROVE_LOOK") is { Length: > 0 } folder)
        {
            Directory.CreateDirectory(folder);
            await page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(folder, name + ".png"), FullPage = true });
        }
    }
}
