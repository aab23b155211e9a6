namespace Mangrove.Tests.Shared;

/// <summary>
/// The data that lies beside the project and is never part of it. A test that needs it names what it needs: where the
/// folder is missing the test is skipped by name, and with CI=true it fails.
/// </summary>
internal static class SharedData
{
    private static readonly Lazy<string?> Root = new(FindRoot);

    /// <summary>Full path of a file or folder under the shared folder.</summary>
    public static string Require(string relative)
    {
        if (Find(relative) is { } path)
        {
            return path;
        }

        Assert.Skip(Missing(relative));
        return relative;
    }

    /// <summary>The same for a test that has something else to run on where the folder is missing: then it is null, and with CI=true a failure.</summary>
    public static string? Find(string relative)
    {
        var path = Root.Value is { } root ? Path.Combine(root, relative) : null;
        if (path is not null && (File.Exists(path) || Directory.Exists(path)))
        {
            return path;
        }

        if (string.Equals(Environment.GetEnvironmentVariable("CI"), "true", StringComparison.OrdinalIgnoreCase))
        {
            Assert.Fail(Missing(relative));
        }

        return null;
    }

    /// <summary>Whether the long form of a campaign was asked for with MANGROVE_FULL=1.</summary>
    public static bool Full { get; } =
        string.Equals(Environment.GetEnvironmentVariable("MANGROVE_FULL"), "1", StringComparison.Ordinal);

    private static string Missing(string relative) => $"shared/{relative} is not here. Set MANGROVE_SHARED to the folder that holds it.";

    private static string? FindRoot()
    {
        if (Environment.GetEnvironmentVariable("MANGROVE_SHARED") is { Length: > 0 } named)
        {
            return Directory.Exists(named) ? named : null;
        }

        // The repository's root holds the solution; the shared folder is the root's neighbour.
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Mangrove.slnx")))
            {
                var shared = Path.Combine(folder.Parent?.FullName ?? folder.FullName, "shared");
                return Directory.Exists(shared) ? shared : null;
            }
        }

        return null;
    }
}
