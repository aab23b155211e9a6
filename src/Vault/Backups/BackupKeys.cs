using System.Data.Common;
using System.Text;
using Mangrove.Kernel;
using Mangrove.Sealing;
using Mangrove.Vault.Keys;

namespace Mangrove.Vault.Backups;

/// <summary>The keys of backups in keys.db: one random key for each data archive, one for each epoch of key bundles.</summary>
internal sealed class BackupKeys(Store store, KeyRing ring, TimeProvider clock)
{
    private const string Epochs = "backup_epoch";
    private const string Archives = "backup_archive";
    private const int BatchSize = 200;

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

    /// <summary>A new epoch: every backup from now on is under it.</summary>
    public async Task<(Guid Id, KeyMaterial Key)> NewEpoch(CancellationToken cancel)
    {
        await using var connection = await store.Open(cancel);

        // Later than any there is, whatever the clock says: the newest by this is the one in use.
        var newest = await connection.Scalar($"SELECT MAX(created) FROM {Epochs}", cancel) as long? ?? 0;
        var made = await New(connection, Epochs, cancel);
        await connection.Run($"UPDATE {Epochs} SET created = @after WHERE id = @id AND created <= @newest", cancel, ("@after", newest + 1), ("@id", made.Id), ("@newest", newest));
        return made;
    }

    /// <summary>Destroys the keys of epochs: bundles under them open from here no more.</summary>
    public async Task ForgetEpochs(IReadOnlyCollection<Guid> epochs, CancellationToken cancel)
    {
        await using var connection = await store.Open(cancel);
        foreach (var epoch in epochs)
        {
            await connection.Run($"DELETE FROM {Epochs} WHERE id = @id", cancel, ("@id", epoch));
        }
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

    /// <summary>What hangs from the backup key, so that a version of it is retired only when nothing does.</summary>
    public IEnumerable<HangingKind> Kinds() =>
    [
        new HangingKind(KeyPurpose.Backup, "epochs of backups", cancel => Count(Epochs, cancel), (old, after, cancel) => Move(Epochs, old, after, cancel)),
        new HangingKind(KeyPurpose.Backup, "archives of backups", cancel => Count(Archives, cancel), (old, after, cancel) => Move(Archives, old, after, cancel)),

        // The key that signs manifests: without it in the count, its version would be retired from under it.
        new HangingKind(KeyPurpose.Backup, "signing keys of backups", cancel => ring.CountSecrets(KeyPurpose.Backup, cancel), (old, _, cancel) => ring.ResealSecrets(old, cancel)),
    ];

    private async Task<IReadOnlyList<Hanging>> Count(string table, CancellationToken cancel)
    {
        await using var connection = await store.Open(cancel);
        return await connection.Query($"SELECT version, COUNT(*) FROM {table} GROUP BY version ORDER BY version", row => new Hanging((int)row.GetInt64(0), row.GetInt64(1)), cancel);
    }

    /// <summary>Wraps the next keys anew under the newest version. The keys themselves stay, so no archive is touched.</summary>
    private async Task<MovedBatch> Move(string table, PurposeKey old, byte[]? after, CancellationToken cancel)
    {
        var to = ring.Newest(KeyPurpose.Backup);
        await using var connection = await store.Open(cancel);
        await using var transaction = await connection.BeginTransactionAsync(cancel);
        var rows = await connection.Query(
            $"SELECT id, version, wrapped FROM {table} WHERE version = @from AND id > @after ORDER BY id LIMIT {BatchSize}",
            Row,
            cancel,
            ("@from", old.Version),
            ("@after", after ?? []));
        var (moved, broken) = (0, 0);
        foreach (var row in rows)
        {
            try
            {
                using var key = KeyWrap.UnwrapBound(old.Key, row.Wrapped, Context(table, row.Id));
                moved += await connection.Run(
                    $"UPDATE {table} SET wrapped = @wrapped, version = @to WHERE id = @id AND version = @from",
                    cancel,
                    ("@wrapped", KeyWrap.WrapBound(to.Key, key, Context(table, row.Id))),
                    ("@to", to.Version),
                    ("@id", row.Id),
                    ("@from", old.Version));
            }
            catch (SealBroken)
            {
                broken++;
            }
        }

        await transaction.CommitAsync(CancellationToken.None);
        return new MovedBatch(moved, broken, rows.Count < BatchSize ? null : rows[^1].Id.ToByteArray(bigEndian: true));
    }

    private async Task<Dictionary<Guid, WrappedBackupKey>> All(string table, CancellationToken cancel)
    {
        await using var connection = await store.Open(cancel);
        return (await connection.Query($"SELECT id, version, wrapped FROM {table}", Row, cancel)).ToDictionary(row => row.Id);
    }

    private async Task<(Guid Id, KeyMaterial Key)> New(DbConnection connection, string table, CancellationToken cancel)
    {
        var id = Ids.New();
        using var held = ring.Hold();
        var newest = ring.Newest(KeyPurpose.Backup);
        var key = KeyMaterial.Generate();
        try
        {
            await connection.Run(
                $"INSERT INTO {table} (id, version, wrapped, created) VALUES (@id, @version, @wrapped, @created)",
                cancel,
                ("@id", id),
                ("@version", newest.Version),
                ("@wrapped", KeyWrap.WrapBound(newest.Key, key, Context(table, id))),
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
        KeyWrap.UnwrapBound(ring.Of(KeyPurpose.Backup, row.Version), row.Wrapped, Context(table, row.Id));

    private static WrappedBackupKey Row(DbDataReader row) => new(row.Guid(0), (int)row.GetInt64(1), row.Bytes(2));

    private static byte[] Context(string table, Guid id) => Encoding.UTF8.GetBytes($"{table}:{id:N}");
}

/// <summary>A key of backups as keys.db holds it.</summary>
internal sealed record WrappedBackupKey(Guid Id, int Version, byte[] Wrapped);
