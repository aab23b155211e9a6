using System.Globalization;
using System.Security.Cryptography;
using Mangrove.Kernel;
using Mangrove.Sealing;

namespace Mangrove.Continuity;

/// <summary>A backup as it lies in a target.</summary>
/// <param name="Manifest">What it says of itself; proven when it was read with keys.</param>
/// <param name="Path">The manifest's file; archive and key bundle lie beside it under the same name.</param>
/// <param name="Hash">SHA-256 of that file, which the next manifest carries.</param>
public sealed record StoredBackup(BackupManifest Manifest, string Path, string Hash)
{
    public string DataPath => System.IO.Path.ChangeExtension(Path, BackupFolder.DataEnding);

    public string KeysPath => System.IO.Path.ChangeExtension(Path, BackupFolder.KeysEnding);
}

/// <summary>
/// One hospital's backups in one target: a folder <c>mangrove-</c> and the beginning of the hospital's id, with three files
/// for each backup. Whoever copies the folder has copied the backups: nothing elsewhere is needed but a protector or shares.
/// </summary>
public sealed class BackupFolder
{
    internal const string ManifestEnding = ".manifest";
    internal const string DataEnding = ".data";
    internal const string KeysEnding = ".keys";
    internal const string PartEnding = ".part";

    private const int LongestManifest = 4 * 1024 * 1024;

    private BackupFolder(string path) => Folder = path;

    /// <summary>The folder of this hospital within the target.</summary>
    public string Folder { get; }

    /// <summary>The backups of a hospital in a target; there may be none yet.</summary>
    /// <param name="target">A folder, which is made when the first backup goes there.</param>
    /// <param name="facility">The hospital.</param>
    public static BackupFolder In(string target, Guid facility) => new(Path.Combine(target, $"mangrove-{facility.ToString("N", CultureInfo.InvariantCulture)[..12]}"));

    /// <summary>
    /// Finds backups where a person points: at a manifest, at a hospital's folder, or at a target in which one hospital's folder lies.
    /// </summary>
    /// <returns>The folder, and the manifest if one was named.</returns>
    /// <exception cref="RefusedInput"><c>backup.not-found</c>, <c>backup.several</c>.</exception>
    public static (BackupFolder Folder, string? Manifest) Find(string path)
    {
        if (File.Exists(path))
        {
            var manifest = Path.ChangeExtension(Path.GetFullPath(path), ManifestEnding);
            return File.Exists(manifest) ? (new BackupFolder(Path.GetDirectoryName(manifest)!), manifest) : throw NotFound();
        }

        if (!Directory.Exists(path))
        {
            throw NotFound();
        }

        if (Manifests(path).Any())
        {
            return (new BackupFolder(Path.GetFullPath(path)), null);
        }

        return Directory.EnumerateDirectories(path, "mangrove-*").Where(folder => Manifests(folder).Any()).Take(2).ToArray() switch
        {
            [var one] => (new BackupFolder(Path.GetFullPath(one)), null),
            [] => throw NotFound(),
            _ => throw new RefusedInput("backup.several", "Backups of several hospitals lie there. Name the folder of one of them."),
        };
    }

    /// <summary>Every backup with a manifest, oldest first.</summary>
    /// <param name="keys">Proves each manifest; null where there are no keys yet, and then nothing is proven.</param>
    /// <exception cref="RefusedInput"><c>backup.manifest-bad</c>: one of them is damaged or not this hospital's.</exception>
    public IReadOnlyList<StoredBackup> List(IArchiveKeys? keys) =>
        Directory.Exists(Folder) ? [.. Manifests(Folder).Select(path => Read(path, keys)).OrderBy(stored => stored.Manifest.Number)] : [];

    /// <summary>As <see cref="List"/>, leaving out what cannot be read, and telling it.</summary>
    public (IReadOnlyList<StoredBackup> Backups, IReadOnlyList<string> Unreadable) Survey(IArchiveKeys? keys)
    {
        var backups = new List<StoredBackup>();
        var unreadable = new List<string>();
        if (Directory.Exists(Folder))
        {
            foreach (var path in Manifests(Folder))
            {
                try
                {
                    backups.Add(Read(path, keys));
                }
                catch (RefusedInput)
                {
                    unreadable.Add(Path.GetFileName(path));
                }
            }
        }

        return ([.. backups.OrderBy(stored => stored.Manifest.Number)], unreadable);
    }

    /// <summary>One stored backup.</summary>
    /// <exception cref="RefusedInput"><c>backup.manifest-bad</c>.</exception>
    public static StoredBackup Read(string manifest, IArchiveKeys? keys)
    {
        if (new FileInfo(manifest).Length > LongestManifest)
        {
            throw new RefusedInput("backup.manifest-bad", "The manifest of this backup was changed, is damaged or is not this hospital's. Use another backup.");
        }

        var bytes = File.ReadAllBytes(manifest);
        return new StoredBackup(BackupManifest.Parse(bytes, keys), manifest, Convert.ToHexStringLower(SHA256.HashData(bytes)));
    }

    /// <summary>Where a new backup goes, without ending.</summary>
    internal string NameOf(long number, DateTimeOffset created) =>
        Path.Combine(Folder, string.Create(CultureInfo.InvariantCulture, $"{number:000000}-{created.UtcDateTime:yyyyMMdd'T'HHmmss'Z'}"));

    /// <summary>Removes what an interrupted backup left: files without a manifest.</summary>
    internal void Sweep()
    {
        if (!Directory.Exists(Folder))
        {
            return;
        }

        foreach (var file in Directory.EnumerateFiles(Folder))
        {
            if (file.EndsWith(PartEnding, StringComparison.Ordinal)
                || ((file.EndsWith(DataEnding, StringComparison.Ordinal) || file.EndsWith(KeysEnding, StringComparison.Ordinal)) && !Kept(file)))
            {
                File.Delete(file);
            }
        }
    }

    // Of a backup that was removed its archive may have to stay, because younger ones refer to it; its mark says so.
    private static bool Kept(string file) => File.Exists(Path.ChangeExtension(file, ManifestEnding)) || File.Exists(Path.ChangeExtension(file, BackupRetention.RetiredEnding));

    private static IEnumerable<string> Manifests(string folder) => Directory.EnumerateFiles(folder, "*" + ManifestEnding);

    private static RefusedInput NotFound() => new("backup.not-found", "There is no backup there. Name a target, a hospital's folder in it, or a manifest.");
}
