using Mangrove.Kernel;
using Mangrove.Sealing;

namespace Mangrove.Continuity;

/// <summary>
/// Which backups go. By count and by age together: one goes only when it is old and enough younger ones are there, so that
/// neither a quiet month nor a flood of backups can drive out the good ones. An archive that younger backups build on stays.
/// </summary>
public static class BackupRetention
{
    internal const string RetiredEnding = ".retired";

    /// <summary>Removes what is due.</summary>
    /// <param name="folder">The hospital's folder in a target.</param>
    /// <param name="keys">Proves the manifests.</param>
    /// <param name="count">At least this many stay.</param>
    /// <param name="age">Younger ones stay.</param>
    /// <param name="now">The time.</param>
    /// <returns>The archives that are gone, whose keys can be destroyed.</returns>
    public static IReadOnlyList<Guid> Apply(BackupFolder folder, IArchiveKeys keys, int count, TimeSpan age, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(folder);
        var backups = folder.Survey(keys).Backups;
        var going = backups.Take(Math.Max(0, backups.Count - count)).Where(stored => stored.Manifest.Created < now - age).ToList();
        foreach (var stored in going)
        {
            // First the name that makes it a backup; what is left then is an archive that younger ones may need.
            File.Move(stored.Path, Path.ChangeExtension(stored.Path, RetiredEnding), overwrite: true);
            File.Delete(stored.KeysPath);
        }

        var needed = backups.Except(going).SelectMany(stored => stored.Manifest.Archives).ToHashSet();
        var gone = new List<Guid>();
        foreach (var retired in Directory.Exists(folder.Folder) ? Directory.GetFiles(folder.Folder, "*" + RetiredEnding) : [])
        {
            if (ArchiveOf(retired, keys) is { } archive && !needed.Contains(archive))
            {
                File.Delete(Path.ChangeExtension(retired, BackupFolder.DataEnding));
                File.Delete(retired);
                gone.Add(archive);
            }
        }

        if (going.Count + gone.Count > 0)
        {
            Durable.FlushFolder(folder.Folder);
        }

        return gone;
    }

    /// <summary>Which archive a removed backup's mark stands for; null when it cannot be read, and then its archive stays.</summary>
    private static Guid? ArchiveOf(string retired, IArchiveKeys keys)
    {
        try
        {
            return BackupManifest.Parse(File.ReadAllBytes(retired), keys).Backup;
        }
        catch (RefusedInput)
        {
            return null;
        }
    }
}
