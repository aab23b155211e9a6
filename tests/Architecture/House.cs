using System.Diagnostics;
using System.Reflection;
using System.Runtime.CompilerServices;

namespace Mangrove.Tests.Architecture;

/// <summary>The tree as it lies on disk, and the product's assemblies as they were built.</summary>
internal static class House
{
    public static string Root { get; } = FindRoot();

    /// <summary>Every file of the project: what git holds, and what it would take in. Paths are relative, with slashes.</summary>
    public static IReadOnlyList<string> Files { get; } = ListFiles();

    /// <summary>The rooms that exist, by the name of their folder under src.</summary>
    public static IReadOnlyList<string> Rooms { get; } =
        [.. Files.Where(file => file.StartsWith("src/", StringComparison.Ordinal) && file.EndsWith(".csproj", StringComparison.Ordinal))
            .Select(file => Path.GetFileNameWithoutExtension(file)).Order(StringComparer.Ordinal)];

    public static string AssemblyName(string room) => room == "Cli" ? "mangrove" : $"Mangrove.{room}";

    public static string AssemblyPath(string room) => Path.Combine(AppContext.BaseDirectory, AssemblyName(room) + ".dll");

    public static Assembly Load(string room) => Assembly.Load(AssemblyName(room));

    public static string Read(string relative) => File.ReadAllText(Path.Combine(Root, relative));

    public static IEnumerable<string> Sources(string folder, params string[] endings) =>
        Files.Where(file => file.StartsWith(folder, StringComparison.Ordinal) && endings.Any(ending => file.EndsWith(ending, StringComparison.Ordinal)));

    /// <summary>Fails with the full list; the assertions of the framework cut it short.</summary>
    public static void None(IEnumerable<string> offenders)
    {
        var list = offenders.ToList();
        if (list.Count > 0)
        {
            Assert.Fail($"{list.Count} found:\n{string.Join('\n', list)}");
        }
    }

    private static string FindRoot([CallerFilePath] string here = "")
    {
        foreach (var start in new[] { AppContext.BaseDirectory, Path.GetDirectoryName(here) })
        {
            for (var folder = start; folder is not null; folder = Path.GetDirectoryName(folder))
            {
                if (File.Exists(Path.Combine(folder, "Mangrove.slnx")))
                {
                    return folder;
                }
            }
        }

        throw new InvalidOperationException("Mangrove.slnx was not found above the test's folder.");
    }

    private static List<string> ListFiles()
    {
        var start = new ProcessStartInfo("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        {
            WorkingDirectory = Root,
            RedirectStandardOutput = true,
            UseShellExecute = false,
        };
        using var git = Process.Start(start)!;
        var names = git.StandardOutput.ReadToEnd().Split('\0', StringSplitOptions.RemoveEmptyEntries);
        git.WaitForExit();
        if (git.ExitCode != 0 || names.Length == 0)
        {
            throw new InvalidOperationException("git could not list the files: the rules about the tree are checked in a clone.");
        }

        return [.. names.Where(name => File.Exists(Path.Combine(Root, name))).Distinct(StringComparer.Ordinal)];
    }
}
