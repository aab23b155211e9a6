using System.Diagnostics;
using Mangrove.Cli.Backups;
using Mangrove.Continuity;
using Mangrove.Vault;
using Mangrove.Vault.Identity;
using Mangrove.Vault.Keys;

namespace Mangrove.Cli.Bench;

/// <summary>A full backup with its reading back, and a restore with its proofs, against copying the same files and flushing them.</summary>
internal sealed class BackupBench : IBench
{
    private const double Mebibyte = 1 << 20;

    public string Name => "backup";

    public string Work => "everything is backed up and restored";

    public async Task<IReadOnlyList<BenchRow>> Run(BenchGround ground, CancellationToken cancel)
    {
        var bench = await ground.Sample(ground.Sizes.Patients[0]);
        var hospital = await bench.OpenWhole(cancel);
        var target = ground.Place("backup-target");
        BackupMade? made = null;
        var best = double.MaxValue;
        for (var round = 0; round <= ground.Sizes.Rounds; round++)
        {
            var started = Stopwatch.GetTimestamp();
            made = await hospital.Backups.Make(SystemActors.Backup, target, complete: true, null, static _ => { }, cancel);
            best = Math.Min(best, Stopwatch.GetElapsedTime(started).TotalSeconds);
        }

        var content = made!.Stored.Manifest.Content;
        var changed = Stopwatch.GetTimestamp();
        var next = await hospital.Backups.Make(SystemActors.Backup, target, complete: false, null, static _ => { }, cancel);
        var incremental = Stopwatch.GetElapsedTime(changed).TotalSeconds;
        var copied = Copied(ground, bench.Folder);
        var restored = await Restored(ground, hospital, target, next.Stored, cancel);
        Directory.Delete(target, recursive: true);
        return
        [
            BenchRow.ByRatio("backup", content / Mebibyte / best, "MiB/s", copied, 0.85, content, string.Create(System.Globalization.CultureInfo.InvariantCulture, $"n bytes of content; a full backup: the databases copied consistently, cut, hashed, sealed, flushed, and read back whole; the next, incremental one took {incremental:0.0} s and wrote {next.Written / Mebibyte:0.0} MiB; reference: the same files copied and flushed")),
            BenchRow.ByRatio("restore", content / Mebibyte / restored, "MiB/s", copied, 0.85, content, "n bytes of content; everything read and proven, written and flushed, keys wrapped anew, opened as a hospital, the whole log verified, every table counted; same reference"),
        ];
    }

    private static double Copied(BenchGround ground, string folder)
    {
        var best = 0.0;
        for (var round = 0; round <= ground.Sizes.Rounds; round++)
        {
            var to = Directory.CreateDirectory(ground.Place("copied")).FullName;
            var bytes = 0L;
            var started = Stopwatch.GetTimestamp();
            foreach (var file in Directory.EnumerateFiles(folder, "*.db"))
            {
                using var source = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, 1 << 20);
                using var copy = new FileStream(Path.Combine(to, Path.GetFileName(file)), FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 20);
                source.CopyTo(copy, 1 << 20);
                copy.Flush(flushToDisk: true);
                bytes += copy.Length;
            }

            best = Math.Max(best, bytes / Mebibyte / Stopwatch.GetElapsedTime(started).TotalSeconds);
            Directory.Delete(to, recursive: true);
        }

        return best;
    }

    private static async Task<double> Restored(BenchGround ground, Hospital hospital, string target, StoredBackup stored, CancellationToken cancel)
    {
        var place = Directory.CreateDirectory(ground.Place("restored")).FullName;
        var started = Stopwatch.GetTimestamp();
        var (folder, _) = BackupFolder.Find(target);
        using var keys = await hospital.Vault.Backups.Keys(cancel);
        using (var reader = BackupReader.Open(folder, stored, keys))
        using (var bundle = await hospital.Vault.Backups.OpenBundle(stored.KeysPath, cancel))
        {
            await Task.Run(() => reader.Verify(null, cancel), cancel);
            var storage = StorageOptions.Sqlite(place);
            await BackupRestore.Place(storage, reader, bundle, null, cancel);
            await BackupRestore.Compare(storage, stored.Manifest, cancel);
            var secret = new RootSecret { KeyFile = Path.Combine(place, "bench.key"), AcceptSameVolume = true };
            await bundle.Protect(storage, secret, cancel);
            await using var restored = await Hospital.Open(FolderLock.Take(place), storage, secret, ground.Clock, OlderSchema.Migrate, cancel);
            await BackupRestore.CheckLog(restored, stored.Manifest, cancel);
        }

        var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        Connections.Close();
        Directory.Delete(place, recursive: true);
        return seconds;
    }
}
