using System.Security.Cryptography;
using Mangrove.Kernel;

namespace Mangrove.Vault.Keys;

/// <summary>The destruction of patients' keys: for good, with a tombstone in their place (threats D1, D2, D4).</summary>
internal sealed partial class KeyRing
{
    /// <summary>
    /// Deletes every key of these patients and puts tombstones in their place, in one transaction. Done again it changes nothing and
    /// gives the tombstones of the first time. What was read before is not waited for: <see cref="Drain"/> afterwards.
    /// </summary>
    /// <param name="order">The order that asks for it.</param>
    /// <param name="patients">Whose.</param>
    /// <param name="sign">Signs a tombstone.</param>
    /// <param name="cancel">Gives up.</param>
    internal async Task<IReadOnlyList<Tombstone>> DestroyPatients(Guid order, IReadOnlyList<PatientId> patients, Func<Tombstone, byte[]> sign, CancellationToken cancel)
    {
        using var turn = await Writing(cancel);
        await using (var connection = await store.Open(cancel))
        {
            await using var transaction = await connection.BeginTransactionAsync(cancel);
            foreach (var patient in patients)
            {
                var keys = await connection.Query(
                    "SELECT id, wrapped, version FROM patient_key WHERE patient = @patient UNION ALL SELECT id, wrapped, version FROM patient_key_before WHERE patient = @patient ORDER BY version DESC",
                    row => (Id: row.Guid(0), Wrapped: row.Bytes(1)),
                    cancel,
                    ("@patient", patient.Value));
                var stone = new Tombstone(
                    patient,
                    order,
                    clock.GetUtcNow().ToUnixTimeMilliseconds(),
                    [.. keys.SelectMany(key => key.Id.ToByteArray(bigEndian: true)).Select(part => (byte)(part ^ 0xFF))],
                    SHA256.HashData([.. keys.SelectMany(key => key.Wrapped)]),
                    []);
                await connection.Run(
                    "INSERT INTO patient_tombstone (patient, destruction, at, key_ids, digest, signature) VALUES (@patient, @order, @at, @ids, @digest, @signature) ON CONFLICT (patient) DO NOTHING",
                    cancel,
                    ("@patient", patient.Value),
                    ("@order", order),
                    ("@at", stone.At),
                    ("@ids", stone.KeyIds),
                    ("@digest", stone.Digest),
                    ("@signature", sign(stone)));
                await connection.Run("DELETE FROM patient_key WHERE patient = @patient", cancel, ("@patient", patient.Value));
                await connection.Run("DELETE FROM patient_key_before WHERE patient = @patient", cancel, ("@patient", patient.Value));
            }

            await transaction.CommitAsync(CancellationToken.None);
        }

        foreach (var patient in patients)
        {
            turned.TryRemove(patient, out _);
            cache.TryRemove(patient, out _);
        }

        var wanted = patients.ToHashSet();
        return [.. (await Tombstones(cancel)).Where(stone => wanted.Contains(stone.Patient))];
    }

    /// <summary>Every tombstone.</summary>
    internal async Task<IReadOnlyList<Tombstone>> Tombstones(CancellationToken cancel)
    {
        await using var connection = await store.Open(cancel);
        return await connection.Query(
            "SELECT patient, destruction, at, key_ids, digest, signature FROM patient_tombstone ORDER BY at, patient",
            row => new Tombstone(new PatientId(row.Guid(0)), row.Guid(1), row.GetInt64(2), row.Bytes(3), row.Bytes(4), row.Bytes(5)),
            cancel);
    }

    /// <summary>How many keys of these patients keys.db has.</summary>
    internal async Task<long> KeysOf(IReadOnlyCollection<PatientId> patients, CancellationToken cancel)
    {
        var count = 0L;
        await using var connection = await store.Open(cancel);
        foreach (var patient in patients)
        {
            count += (long)(await connection.Scalar(
                "SELECT (SELECT COUNT(*) FROM patient_key WHERE patient = @patient) + (SELECT COUNT(*) FROM patient_key_before WHERE patient = @patient)",
                cancel,
                ("@patient", patient.Value)))!;
        }

        return count;
    }

    /// <summary>
    /// Takes what was deleted out of free pages and the write-ahead log too: the whole store is written anew. On PostgreSQL its
    /// own write-ahead log keeps what it has until it is recycled.
    /// </summary>
    internal async Task Purge(CancellationToken cancel)
    {
        using var turn = await Writing(cancel);
        await using var connection = await store.Open(cancel);
        if (store.IsSqlite)
        {
            await connection.Run("VACUUM", cancel);
            await connection.Run("PRAGMA wal_checkpoint(TRUNCATE)", cancel);
            return;
        }

        foreach (var table in (string[])["patient_key", "patient_key_before", "purpose_key", "backup_epoch", "backup_archive", "secret"])
        {
            await PurgeTable(connection, table, cancel);
        }
    }

    private static Task<int> PurgeTable(System.Data.Common.DbConnection connection, string table, CancellationToken cancel) => connection.Run($"VACUUM (FULL) {table}", cancel);
}

/// <summary>What stands in keys.db for a patient whose keys were destroyed. It travels in every key bundle.</summary>
/// <param name="Patient">Whose.</param>
/// <param name="Order">The order.</param>
/// <param name="At">Milliseconds since 1970.</param>
/// <param name="KeyIds">Ids of the keys, 16 bytes each, every bit turned over: raw bytes are searched for the ids, and this must not be found. They open nothing.</param>
/// <param name="Digest">SHA-256 of the wrapped keys.</param>
/// <param name="Signature">By the log's key over the rest.</param>
internal sealed record Tombstone(PatientId Patient, Guid Order, long At, byte[] KeyIds, byte[] Digest, byte[] Signature)
{
    /// <summary>The ids of the keys, as their rows and the envelopes under them had them.</summary>
    public IEnumerable<byte[]> Ids() => KeyIds.Select(part => (byte)(part ^ 0xFF)).Chunk(16);

    /// <summary>What is signed.</summary>
    public byte[] ToBytes()
    {
        var at = new byte[sizeof(long)];
        System.Buffers.Binary.BinaryPrimitives.WriteInt64BigEndian(at, At);
        return [.. "mangrove tombstone\n"u8, .. Patient.Value.ToByteArray(bigEndian: true), .. Order.ToByteArray(bigEndian: true), .. at, .. KeyIds, .. Digest];
    }
}
