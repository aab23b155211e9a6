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

    /// <summary>What does not fit: the page its window, a text the box that it stands in.</summary>
    public static Task<string[]> Misfits(IPage page) => page.EvaluateAsync<string[]>(
        """
        () => {
          const wrong = [];
          const over = document.documentElement.scrollWidth - document.documentElement.clientWidth;
          if (over > 0) wrong.push(`${over} px wider than its window`);
          const boxes = '.card, .btn, button, td, th, li, header, nav, aside, main, [class*=box], [class*=card], [class*=tile], [class*=pill], [class*=badge]';
          const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
          while (texts.nextNode()) {
            const text = texts.currentNode;
            const said = text.data.trim();
            if (!said || !text.parentElement.checkVisibility({ visibilityProperty: true })) continue;
            const range = document.createRange();
            range.selectNodeContents(text);
            const lines = [...range.getClientRects()].filter(line => line.width > 0);
            for (let at = text.parentElement; at && at !== document.body; at = at.parentElement) {
              const style = getComputedStyle(at);
              const room = at.getBoundingClientRect();
              // For screen readers alone.
              if (room.width <= 1 || room.height <= 1) break;
              const outside = lines.some(line => line.right > room.right + 1.5 || line.left < room.left - 1.5);
              if (style.overflowX !== 'visible') {
                if (outside && style.overflowX !== 'auto' && style.overflowX !== 'scroll' && style.textOverflow !== 'ellipsis') wrong.push(`cut off: ${said.slice(0, 60)}`);
                break;
              }
              if (outside && style.display !== 'inline' && at.matches(boxes)) {
                wrong.push(`out of its box (${at.tagName.toLowerCase()}.${at.className}): ${said.slice(0, 60)}`);
                break;
              }
            }
          }
          return [...new Set(wrong)];
        }
        """);

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
