using Mangrove.Kernel;

namespace Mangrove.Cli.Installing;

/// <summary>The files of the program, where they were unpacked and where they are installed.</summary>
public static class ProgramFiles
{
    private const string ListName = "installed.txt";

    private const UnixFileMode Readable = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
    private const UnixFileMode Runnable = UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    /// <summary>Copies them, each taking the place of its older one in one step, so that a running service is not disturbed; what an older version had and this one has not goes.</summary>
    /// <param name="from">Where they were unpacked.</param>
    /// <param name="to">Where they are to be.</param>
    public static void Copy(string from, string to)
    {
        var before = Listed(to);
        var files = Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories).Select(path => Path.GetRelativePath(from, path)).Where(name => name != ListName).Order(StringComparer.Ordinal).ToList();
        MakeOpen(to);
        foreach (var name in files)
        {
            var target = Path.Combine(to, name);
            MakeOpen(Path.GetDirectoryName(target)!);
            var beside = target + ".new";
            File.Delete(beside);
            File.Copy(Path.Combine(from, name), beside);
            if (!OperatingSystem.IsWindows())
            {
                // The program reads them under another account, and nobody but the administrator may change them.
                File.SetUnixFileMode(beside, name == "mangrove" ? Readable | Runnable : Readable);
            }

            using (var written = new FileStream(beside, FileMode.Open, FileAccess.ReadWrite))
            {
                written.Flush(flushToDisk: true);
            }

            File.Move(beside, target, overwrite: true);
        }

        foreach (var gone in before.Except(files, StringComparer.Ordinal).Select(name => Path.Combine(to, name)).Where(File.Exists))
        {
            File.Delete(gone);
        }

        File.WriteAllLines(Path.Combine(to, ListName), files);
        Durable.FlushFolder(to);
    }

    /// <summary>Removes what was installed there, and folders that are empty then. Nothing else that lies there is touched.</summary>
    public static void Remove(string folder)
    {
        var names = Listed(folder);
        foreach (var path in names.Append(ListName).Select(name => Path.Combine(folder, name)).Where(File.Exists))
        {
            File.Delete(path);
        }

        foreach (var inner in names.Select(Path.GetDirectoryName).Append(string.Empty).Distinct(StringComparer.Ordinal).OrderByDescending(name => name!.Length))
        {
            var path = Path.Combine(folder, inner!);
            if (Directory.Exists(path) && !Directory.EnumerateFileSystemEntries(path).Any())
            {
                Directory.Delete(path);
            }
        }
    }

    private static string[] Listed(string folder)
    {
        var list = Path.Combine(folder, ListName);
        if (!File.Exists(list))
        {
            return [];
        }

        // It lies in a folder of the administrator's; a name that leads elsewhere was not written by us.
        var names = File.ReadAllLines(list);
        return names.Any(name => Path.IsPathRooted(name) || name.Split('/').Contains("..", StringComparer.Ordinal))
            ? throw new RefusedInput("install.list", "installed.txt in the program's folder names files elsewhere. Remove the folder by hand.")
            : names;
    }

    /// <summary>Makes a folder, and those above it that are missing, for everybody to read; what is there stays as it is. This process otherwise makes what only its own account may read.</summary>
    internal static void MakeOpen(string folder)
    {
        if (Directory.Exists(folder))
        {
            return;
        }

        if (Path.GetDirectoryName(folder) is { } above)
        {
            MakeOpen(above);
        }

        Directory.CreateDirectory(folder);
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(folder, Readable | Runnable);
        }
    }
}
