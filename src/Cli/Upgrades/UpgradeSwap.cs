using System.Text.Json;
using Mangrove.Kernel;
using Mangrove.Vault;

namespace Mangrove.Cli.Upgrades;

/// <summary>
/// The upgraded files take the place of those of before. It begins with a mark that is durable: from then on whoever opens
/// the folder first carries it to its end, whatever was cut off; without the mark nothing of it has happened.
/// root.json goes first and comes last, so that a version that does not know the mark finds no hospital in between.
/// </summary>
internal static class UpgradeSwap
{
    public const string KeptPrefix = "before-upgrade-";

    /// <summary>How long the files of before are kept. They hold the keys of before too.</summary>
    public static readonly TimeSpan KeptFor = TimeSpan.FromDays(14);

    private const string MarkName = "upgrade.json";

    /// <summary>The files that change places, in that order.</summary>
    public static IReadOnlyList<string> Files { get; } = ["root.json", "clinic.db", "vault.db", "keys.db", "audit.db"];

    // What SQLite keeps beside a database: it belongs to that file and moves before it.
    private static readonly string[] Beside = ["-wal", "-shm"];

    /// <param name="Fresh">Folder of the upgraded files, in the data folder.</param>
    /// <param name="Kept">Folder for those of before.</param>
    private sealed record Mark(string Fresh, string Kept);

    /// <summary>Whether a swap was begun and not ended.</summary>
    public static bool Pending(string folder) => File.Exists(Path.Combine(folder, MarkName));

    /// <summary>Begins and ends a swap. The caller holds the folder's lock, and nothing in it is open.</summary>
    /// <param name="folder">The data folder.</param>
    /// <param name="fresh">Name of the folder in it with the upgraded files, each of them durable.</param>
    /// <param name="kept">Name of a folder in it for those of before; not there yet.</param>
    /// <param name="watch">Told each point.</param>
    public static void Run(string folder, string fresh, string kept, IUpgradeWatch? watch)
    {
        Durable.FlushFolder(Path.Combine(folder, fresh));
        watch?.Reached("mark");
        Put(Path.Combine(folder, MarkName), JsonSerializer.SerializeToUtf8Bytes(new Mark(fresh, kept)));
        Finish(folder, watch);
    }

    /// <summary>Carries a swap that was begun to its end; nothing to do without one. The caller holds the folder's lock.</summary>
    public static void Finish(string folder, IUpgradeWatch? watch = null)
    {
        if (!Pending(folder))
        {
            return;
        }

        var mark = JsonSerializer.Deserialize<Mark>(File.ReadAllBytes(Path.Combine(folder, MarkName)))
            ?? throw new RefusedInput("upgrade.mark-bad", "upgrade.json in the data folder is damaged. Call for help before anything is moved: the databases of before and after are both in folders beside it.");
        var fresh = Path.Combine(folder, mark.Fresh);
        var kept = Path.Combine(folder, mark.Kept);
        Directory.CreateDirectory(kept);
        Close(kept);
        foreach (var name in Files)
        {
            watch?.Reached($"put {name} aside");
            if (File.Exists(Path.Combine(fresh, name)) && File.Exists(Path.Combine(folder, name)))
            {
                foreach (var one in Beside.Select(end => name + end).Append(name).Where(one => File.Exists(Path.Combine(folder, one))))
                {
                    File.Move(Path.Combine(folder, one), Path.Combine(kept, one));
                }
            }

            // The root key's envelope comes back last.
            if (name != Files[0])
            {
                watch?.Reached($"put {name} in place");
                Place(fresh, folder, name);
            }
        }

        Durable.FlushFolder(kept);
        Durable.FlushFolder(folder);
        watch?.Reached("put root.json in place");
        Place(fresh, folder, Files[0]);
        Durable.FlushFolder(folder);
        watch?.Reached("tidy up");
        if (Directory.Exists(fresh))
        {
            Directory.Delete(fresh, recursive: true);
        }

        watch?.Reached("remove the mark");
        File.Delete(Path.Combine(folder, MarkName));
        Durable.FlushFolder(folder);
    }

    /// <summary>The folders of files of before, with when they were put there.</summary>
    public static IReadOnlyList<(string Path, DateTimeOffset Since)> Kept(string folder) =>
        [.. Directory.EnumerateDirectories(folder, KeptPrefix + "*").Select(path => (path, new DateTimeOffset(Directory.GetLastWriteTimeUtc(path), TimeSpan.Zero)))];

    /// <summary>Removes files of before that were kept long enough. The entry comes first: without one they stay until the next start.</summary>
    public static async Task Sweep(string folder, VaultRoom vault, TimeProvider clock, CancellationToken cancel)
    {
        foreach (var (path, since) in Kept(folder))
        {
            if (clock.GetUtcNow() - since > KeptFor)
            {
                await vault.NoteRemovalOfBefore(Path.GetFileName(path), cancel);
                Directory.Delete(path, recursive: true);
            }
        }
    }

    /// <summary>For the owner alone.</summary>
    public static void Close(string folder)
    {
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }

    /// <summary>A small file that is there whole or not at all.</summary>
    public static void Put(string path, byte[] content)
    {
        var beside = path + ".new";
        File.Delete(beside);
        using (var stream = Durable.NewFile(beside))
        {
            stream.Write(content);
            stream.Flush(flushToDisk: true);
        }

        File.Move(beside, path, overwrite: true);
        Durable.FlushFolder(Path.GetDirectoryName(path)!);
    }

    private static void Place(string fresh, string folder, string name)
    {
        if (File.Exists(Path.Combine(fresh, name)))
        {
            File.Move(Path.Combine(fresh, name), Path.Combine(folder, name));
        }
    }
}
