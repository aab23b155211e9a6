using System.Security.Cryptography;
using Mangrove.Continuity;
using Mangrove.Kernel;
using Mangrove.Sealing;
using Mangrove.Vault;
using Mangrove.Vault.Keys;

namespace Mangrove.Cli.Backups;

/// <summary>What a drill proved.</summary>
/// <param name="Stored">The backup that was restored.</param>
/// <param name="Entries">Entries of the log that were verified in it.</param>
/// <param name="Patients">Patients whose name, birth date and phone were opened.</param>
public sealed record DrillResult(StoredBackup Stored, long Entries, int Patients);

/// <summary>
/// A restore that is thrown away: the newest backup is written into a scratch folder (on PostgreSQL into the drill's own
/// database), put under a new root key as on a new machine, opened as a hospital of its own, its log verified from the first
/// entry, its rows counted and every patient opened through that hospital's own door. Nothing of it is served, and where it
/// lies is ciphertext like the original.
/// </summary>
internal static class RestoreDrill
{
    public static async Task<DrillResult> Run(Hospital live, BackupFolder folder, StoredBackup stored, IArchiveKeys keys, string scratch, IProgress<long> progress, Action<string> say, CancellationToken cancel)
    {
        // On PostgreSQL a backup fills the tables of its own version and no others.
        var postgres = live.Storage.Kind == StorageKind.Postgres;
        if (postgres && stored.Manifest.Schema != HospitalBackups.NewestSchema(StorageKind.Postgres))
        {
            throw new RefusedInput("restore.tables-differ", "The newest backup is of before an upgrade, and this version keeps other tables. Make a backup; the next drill proves that one.");
        }

        using (var bundle = await live.Vault.Backups.OpenBundle(stored.KeysPath, cancel))
        {
            bundle.Check();
        }

        using var source = await live.Vault.Backups.OpenBundle(stored.KeysPath, cancel);
        using var reader = BackupReader.Open(folder, stored, keys);
        say("reading");
        await Task.Run(() => reader.Verify(progress, cancel), cancel);
        say("restoring");
        await using var ground = postgres ? await DrillGround.Take(live.Storage, scratch, cancel) : null;
        var storage = ground?.Storage ?? StorageOptions.Sqlite(scratch);
        await BackupRestore.Place(storage, reader, source, progress, cancel);
        await BackupRestore.Compare(storage, stored.Manifest, cancel);

        // Nobody needs this secret again: the folder is thrown away.
        var passphrase = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16)).ToCharArray();
        var secret = new RootSecret { Passphrase = passphrase };
        await source.Protect(storage, secret, cancel);
        say("opening");
        await using var restored = await Hospital.Open(FolderLock.Take(scratch), storage, secret, live.Clock, OlderSchema.Migrate, cancel);
        var log = await BackupRestore.CheckLog(restored, stored.Manifest, cancel);
        say("reading patients");
        restored.StartIndexing();
        await restored.Indexing.WaitAsync(cancel);
        return new DrillResult(stored, log.Entries, restored.Vault.IndexedPatients);
    }
}
