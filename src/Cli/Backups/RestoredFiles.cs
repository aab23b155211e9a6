using Mangrove.Kernel;
using Mangrove.Vault.Backups;

namespace Mangrove.Cli.Backups;

/// <summary>Where the files of a backup go in a data folder. Names come from a signed list, and still lead nowhere else.</summary>
internal static class RestoredFiles
{
    /// <summary>Folders of the data folder whose files are in backups.</summary>
    public static IReadOnlyList<string> Folders { get; } = ["terminology", "files"];

    /// <summary>The path of a file in the data folder, its folder made.</summary>
    /// <exception cref="RefusedInput"><c>backup.part-name</c>.</exception>
    public static string PathIn(string data, string name)
    {
        var flat = PartName.FileOf(name);
        var slash = name.IndexOf('/', StringComparison.Ordinal);
        if (slash < 0 || !Folders.Contains(name[..slash], StringComparer.Ordinal))
        {
            return Path.Combine(data, flat);
        }

        var folder = Path.Combine(data, name[..slash]);
        Directory.CreateDirectory(folder);
        return Path.Combine(folder, PartName.FileOf(name[(slash + 1)..]));
    }
}
