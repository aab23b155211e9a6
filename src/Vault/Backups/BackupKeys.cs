using System.Data.Common;
using System.Text;
using Mangrove.Kernel;
using Mangrove.Sealing;
using Mangrove.Vault.Keys;

namespace Mangrove.Vault.Backups;

/// <summary>The keys of backups in keys.db: one random key for each data archive, one for each epoch of key bundles.</summary>
internal sealed class BackupKeys(Store store, KeyRing keys, TimeProvider clock)
{
    private const string Epochs = "backup_epoch";
    private const string Archives = "backup_archive";

    /// <summary>The epoch in use; the first one is made when it is asked for.</summary>
    public async Task<(Guid Id, KeyMaterial Key)> Epoch(CancellationToken cancel)
    {
        await using var connection = await store.Open(cancel);
        var newest = await connection.Query($"SELECT id, version, wrapped FROM {Epochs} ORDER BY created DESC, id DESC LIMIT 1", Row, cancel);
        if (newest is [var found])
        {
            return (found.Id, Unwrap(Epochs, found));
        }

        return await New(connection, Epochs, cancel);
    }

    /// <summary>A new key for a new data archive; durable when the task ends, so that no archive is written whose key is lost.</summary>
    public async Task<(Guid Id, KeyMaterial Key)> NewArchive(CancellationToken cancel)
    {
        await using var connection = await store.Open(cancel);
        return await New(connection, Archives, cancel);
    }

    /// <summary>The wrapped keys of all archives; few, and each 61 bytes.</summary>
    public async Task<IReadOnlyDictionary<Guid, WrappedBackupKey>> AllArchives(CancellationToken cancel) => await All(Archives, cancel);

    public async Task<IReadOnlyDictionary<Guid, WrappedBackupKey>> AllEpochs(CancellationToken cancel) => await All(Epochs, cancel);

    /// <exception cref="SealBroken">Another key wrapped it, or it was changed.</exception>
    public KeyMaterial Archive(WrappedBackupKey wrapped) => Unwrap(Archives, wrapped);

    public KeyMaterial Epoch(WrappedBackupKey wrapped) => Unwrap(Epochs, wrapped);

    /// <summary>Destroys the keys of archives that are gone, so that a copy of one that somebody kept opens no more from here.</summary>
    public async Task Forget(IReadOnlyCollection<Guid> archives, CancellationToken cancel)
    {
        await using var connection = await store.Open(cancel);
        foreach (var archive in archives)
        {
            await connection.Run($"DELETE FROM {Archives} WHERE id = @id", cancel, ("@id", archive));
        }
    }

    private async Task<Dictionary<Guid, WrappedBackupKey>> All(string table, CancellationToken cancel)
    {
        await using var connection = await store.Open(cancel);
        return (await connection.Query($"SELECT id, version, wrapped FROM {table}", Row, cancel)).ToDictionary(row => row.Id);
    }

    private async Task<(Guid Id, KeyMaterial Key)> New(DbConnection connection, string table, CancellationToken cancel)
    {
        var id = Ids.New();
        var version = keys.NewestVersion(KeyPurpose.Backup);
        var key = KeyMaterial.Generate();
        try
        {
            await connection.Run(
                $"INSERT INTO {table} (id, version, wrapped, created) VALUES (@id, @version, @wrapped, @created)",
                cancel,
                ("@id", id),
                ("@version", version),
                ("@wrapped", KeyWrap.WrapBound(keys.At(KeyPurpose.Backup, version), key, Context(table, id))),
                ("@created", clock.GetUtcNow().ToUnixTimeMilliseconds()));
            return (id, key);
        }
        catch
        {
            key.Dispose();
            throw;
        }
    }

    private KeyMaterial Unwrap(string table, WrappedBackupKey row) =>
        KeyWrap.UnwrapBound(keys.At(KeyPurpose.Backup, row.Version), row.Wrapped, Context(table, row.Id));

    private static WrappedBackupKey Row(DbDataReader row) => new(row.Guid(0), (int)row.GetInt64(1), row.Bytes(2));

    private static byte[] Context(string table, Guid id) => Encoding.UTF8.GetBytes($"{table}:{id:N}");
}

/// <summary>A key of backups as keys.db holds it.</summary>
internal sealed record WrappedBackupKey(Guid Id, int Version, byte[] Wrapped);
