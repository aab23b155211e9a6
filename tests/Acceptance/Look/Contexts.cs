using System.Collections.Concurrent;
using Microsoft.Playwright;

namespace Mangrove.Tests.Acceptance.Look;

/// <summary>Browser windows with their settings, their complaints and their pictures.</summary>
internal static class Contexts
{
    public static async Task<IBrowserContext> Open(LookHost host, string theme, string dir, int width, bool letters = true)
    {
        var context = await host.Browser.NewContextAsync(new BrowserNewContextOptions
        {
            BaseURL = host.Address,
            IgnoreHTTPSErrors = true,
            ViewportSize = new ViewportSize { Width = width, Height = 900 },
        });
        await context.AddCookiesAsync([new Cookie { Name = "__Host-mangrove-screen", Value = $"{theme}.{dir}.{(letters ? "letters" : "noletters")}", Url = host.Address, Secure = true }]);
        return context;
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
