using Mangrove.Kernel;
using Mangrove.Sealing;
using Mangrove.Vault.Audit;
using Mangrove.Vault.Keys;
using Npgsql;

namespace Mangrove.Vault.Backups;

/// <summary>
/// The keys for a backup of a hospital on PostgreSQL whose tables an earlier version made, before an upgrade changes them:
/// opened as they lie, with nothing else of the hospital. Rows are added as by any backup, the tables stay as they are.
/// The entry is the caller's, when the upgraded hospital has a log again.
/// </summary>
public sealed class BackupBefore : IDisposable
{
    private readonly StorageOptions storage;
    private readonly KeyRing ring;
    private readonly BackupCrypt crypt;

    private BackupBefore(StorageOptions storage, RootProtector protector, KeyRing ring, TimeProvider clock)
    {
        this.storage = storage;
        this.ring = ring;
        Facility = protector.Facility;
        crypt = new BackupCrypt(storage, ring, new BackupKeys(new Store(storage, "keys"), ring, clock), protector.Facility, protector.FacilityName, clock);
    }

    /// <summary><c>backup.before</c>: the tables are of a version that kept no keys of backups, or kept them otherwise.</summary>
    public static Error Unlike { get; } = new("backup.before", "The version that wrote this hospital kept no keys of backups, or kept them otherwise: this version can make no backup of it as it is.");

    /// <summary>Whose backup it is.</summary>
    public Guid Facility { get; }

    /// <summary>Opens the keys.</summary>
    /// <param name="storage">The hospital, which nobody else has open.</param>
    /// <param name="secret">What opens its root key.</param>
    /// <param name="clock">The time.</param>
    /// <param name="cancel">Gives up.</param>
    /// <exception cref="RefusedInput">
    /// A <c>keys.</c> code; <c>backup.before</c>: the tables are of a version that kept no keys of backups, or keeps them otherwise.
    /// </exception>
    public static async Task<BackupBefore> Open(StorageOptions storage, RootSecret secret, TimeProvider clock, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(storage);
        await using (var keys = await new Store(storage, "keys").Open(cancel))
        {
            if (await keys.Scalar("SELECT to_regclass('keys.backup_epoch') IS NOT NULL AND to_regclass('keys.backup_archive') IS NOT NULL", cancel) is not true)
            {
                throw new RefusedInput(Unlike);
            }
        }

        var protector = RootProtector.Read(storage.Folder);
        using var root = await protector.Open(secret, cancel);
        try
        {
            return new BackupBefore(storage, protector, await KeyRing.OpenAsItIs(new Store(storage, "keys"), root, clock, cancel), clock);
        }
        catch (PostgresException unlike) when (unlike.SqlState is PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.UndefinedColumn)
        {
            throw new RefusedInput(Unlike);
        }
    }

    /// <summary>Where the hospital's backups go first; null where no target is set.</summary>
    public async Task<string?> FirstTarget(CancellationToken cancel)
    {
        await using var vault = await new Store(storage, "vault").Open(cancel);
        return await vault.Scalar("SELECT to_regclass('vault.backup_target') IS NOT NULL", cancel) is true
            ? await vault.Scalar("SELECT path FROM backup_target WHERE removed IS NULL ORDER BY added, path LIMIT 1", cancel) as string
            : null;
    }

    /// <summary>The number of the last backup that the hospital remembers in a target; 0 for none.</summary>
    public async Task<long> LastNumber(string target, CancellationToken cancel)
    {
        await using var vault = await new Store(storage, "vault").Open(cancel);
        return await vault.Scalar("SELECT to_regclass('vault.backup_run') IS NOT NULL", cancel) is true
            ? await vault.Scalar("SELECT MAX(number) FROM backup_run WHERE target = @target AND kind = @kind", cancel, ("@target", target), ("@kind", (int)BackupWork.Backup)) as long? ?? 0
            : 0;
    }

    /// <summary>The newest checkpoint of the log, which the manifest names; null for a log without one.</summary>
    public async Task<Checkpoint?> Newest(CancellationToken cancel)
    {
        await using var audit = await new Store(storage, "audit").Open(cancel);
        return await audit.Scalar("SELECT signed FROM audit.checkpoint WHERE log = CAST(@log AS uuid) ORDER BY size DESC LIMIT 1", cancel, ("@log", Facility.ToString())) is byte[] signed && Checkpoint.TryParse(signed, out var newest)
            ? newest
            : null;
    }

    /// <summary>As <see cref="BackupDesk.Seal"/>.</summary>
    public Task<IArchiveMaker> Seal(string folder, CancellationToken cancel) => crypt.Seal(folder, cancel);

    /// <summary>As <see cref="BackupDesk.Keys"/>.</summary>
    public Task<LiveArchives> Keys(CancellationToken cancel) => crypt.Keys(cancel);

    /// <summary>As <see cref="BackupDesk.OpenBundle"/>.</summary>
    public Task<OpenedBundle> OpenBundle(string path, CancellationToken cancel) => crypt.OpenBundle(path, cancel);

    /// <summary>Zeroes the keys.</summary>
    public void Dispose() => ring.Dispose();
}
