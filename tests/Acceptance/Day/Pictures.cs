using Microsoft.Playwright;

namespace Mangrove.Tests.Acceptance.Day;

/// <summary>Pictures of real pages, in artifacts/looks of the repository or where MANGROVE_LOOK says.</summary>
internal static class Pictures
{
    private static readonly Lazy<string> Folder = new(() =>
    {
        if (Environment.GetEnvironmentVariable("MANGROVE_LOOK") is { Length: > 0 } named)
        {
            return Directory.CreateDirectory(named).FullName;
        }

        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (root is not null && !File.Exists(Path.Combine(root.FullName, "Mangrove.slnx")))
        {
            root = root.Parent;
        }

        return Directory.CreateDirectory(Path.Combine(root?.FullName ?? AppContext.BaseDirectory, "artifacts", "looks")).FullName;
    });

    public static Task Take(IPage page, string name) => page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(Folder.Value, name + ".png") });
}
