using Mangrove.Cli.Backups;
using Mangrove.Continuity;
using Mangrove.Kernel;
using Mangrove.Sealing;
using Mangrove.Storage.Postgres;
using Mangrove.Vault;
using Mangrove.Vault.Backups;
using Mangrove.Vault.Keys;
using BackupWork = Mangrove.Vault.Backups.BackupWork;

namespace Mangrove.Cli.Upgrades;

/// <summary>
/// The backup that an upgrade on PostgreSQL makes before it changes anything: whole, of the tables as the earlier version has
/// them, and read back. That version restores it. The run becomes an entry and history once the upgraded hospital has a log again.
/// </summary>
internal sealed class UpgradeBackup(StorageOptions storage, RootSecret secret, TimeProvider clock, IUpgradeWatch? watch, Action<string> say)
{
    /// <summary>Makes it.</summary>
    /// <param name="target">Where to; null for the hospital's first target.</param>
    /// <param name="cancel">Gives up and leaves nothing.</param>
    /// <exception cref="RefusedInput"><c>backup.no-target</c>, <c>backup.before</c>, or a code of <see cref="HospitalBackups.Make"/>.</exception>
    public async Task<BackupRun> Make(string? target, CancellationToken cancel)
    {
        using var keys = await BackupBefore.Open(storage, secret, clock, cancel);
        target = HospitalBackups.RequireOutside(
            target ?? await keys.FirstTarget(cancel) ?? throw new RefusedInput("backup.no-target", "No target of backups is set. Name a folder with --backup-to"),
            storage.Folder);
        HospitalBackups.RequireWritable(target);
        say($"making a backup of what is there, in {target}");
        watch?.Reached("backup");
        var started = clock.GetUtcNow();
        var folder = BackupFolder.In(target, keys.Facility);
        var scratch = HospitalBackups.NewScratch(storage.Folder);
        StoredBackup stored;
        try
        {
            var (maker, parts, facts) = await Copy(keys, scratch, cancel);
            using (maker)
            {
                stored = await BackupWriter.Write(folder, maker, parts, facts, complete: true, await keys.LastNumber(target, cancel), progress: null, cancel);
            }
        }
        finally
        {
            Directory.Delete(scratch, recursive: true);
        }

        say("reading it back");
        watch?.Reached("reading the backup back");
        using (var archives = await keys.Keys(cancel))
        using (var bundle = await keys.OpenBundle(stored.KeysPath, cancel))
        {
            await HospitalBackups.ReadBack(folder, stored, archives, bundle, progress: null, cancel);
        }

        var written = stored.Manifest.Length + new FileInfo(stored.KeysPath).Length + new FileInfo(stored.Path).Length;
        return new BackupRun(
            Ids.New(), BackupWork.Backup, target, started, clock.GetUtcNow(), null,
            stored.Manifest.Number, stored.Manifest.Complete, stored.Manifest.Content, written, stored.Manifest.Audit.Size);
    }

    private async Task<(IArchiveMaker Maker, IReadOnlyList<BackupSource> Parts, BackupFacts Facts)> Copy(BackupBefore keys, string scratch, CancellationToken cancel)
    {
        // Nobody else writes, and the order is kept all the same (StoreSnapshot).
        var parts = new List<SnapshotPart>();
        parts.AddRange(await StoreSnapshot.Take(storage, "clinic", scratch, cancel));
        parts.AddRange(await StoreSnapshot.Take(storage, "vault", scratch, cancel));
        var maker = await keys.Seal(scratch, cancel);
        try
        {
            var newest = await keys.Newest(cancel);
            parts.AddRange(await StoreSnapshot.Take(storage, "audit", scratch, cancel));
            var facts = new BackupFacts(
                HospitalBackups.Version,
                HospitalBackups.StorageName(storage.Kind),
                await PostgresClinics.Migrated(storage, cancel),
                new ManifestAudit(newest?.Size ?? 0, newest is null ? string.Empty : Convert.ToHexStringLower(newest.Root.Span)),
                parts.SelectMany(part => part.Rows).ToDictionary(count => count.Key, count => count.Value, StringComparer.Ordinal));
            return (maker, [.. parts.Select(part => new BackupSource(part.Name, part.Path)), .. HospitalBackups.LooseFiles(storage.Folder)], facts);
        }
        catch
        {
            maker.Dispose();
            throw;
        }
    }
}
