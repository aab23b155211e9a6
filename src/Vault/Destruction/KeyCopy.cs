using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using Mangrove.Sealing;
using Mangrove.Vault.Backups;
using Mangrove.Vault.Keys;
using Microsoft.Data.Sqlite;

namespace Mangrove.Vault.Destruction;

/// <summary>
/// The copy of keys.db of one key bundle, taken out and made anew: without the destroyed patients, and with the data key and the backup
/// key of its time replaced by new random ones. Were they kept, whoever holds another old copy of keys.db could open with this bundle
/// what that copy still has (threat D1).
/// </summary>
internal sealed class KeyCopy(BundleKeys before, IReadOnlyCollection<Tombstone> stones, (Guid Id, KeyMaterial Key) epoch) : IDisposable
{
    private const int WrappedSize = 61;

    private readonly Dictionary<(KeyPurpose, int), KeyMaterial> old = before.Purposes.ToDictionary(key => (key.Purpose, key.Version), key => key.Key);
    private readonly Dictionary<(KeyPurpose, int), KeyMaterial> fresh = before.Purposes
        .Where(key => key.Purpose is KeyPurpose.Data or KeyPurpose.Backup)
        .ToDictionary(key => (key.Purpose, key.Version), _ => KeyMaterial.Generate());

    private readonly HashSet<Guid> gone = [.. stones.Select(stone => stone.Patient.Value)];

    /// <summary>Keys of destroyed patients that were in the copy.</summary>
    public int Removed { get; private set; }

    /// <summary>The purpose keys that belong to the copy now.</summary>
    public IReadOnlyList<(KeyPurpose Purpose, int Version, KeyMaterial Key)> Purposes =>
        [.. before.Purposes.Select(key => (key.Purpose, key.Version, fresh.GetValueOrDefault((key.Purpose, key.Version)) ?? key.Key))];

    /// <summary>Changes the files of the copy where they lie.</summary>
    /// <exception cref="SealBroken">A key in it does not open under its own: it was damaged or changed.</exception>
    public async Task Change(IReadOnlyList<SnapshotPart> parts, CancellationToken cancel)
    {
        if (parts is [{ Name: "keys.db" } file])
        {
            await ChangeSqlite(file.Path, cancel);
            return;
        }

        foreach (var part in parts)
        {
            await ChangeTable(part.Name["keys/".Length..], part.Path, cancel);
        }
    }

    public void Dispose()
    {
        foreach (var key in fresh.Values)
        {
            key.Dispose();
        }
    }

    private async Task ChangeSqlite(string path, CancellationToken cancel)
    {
        await using var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = path, Pooling = false }.ToString());
        await connection.OpenAsync(cancel);

        // No journal that would keep a page of before; what is deleted is overwritten where it stands.
        await connection.Run("PRAGMA journal_mode=DELETE; PRAGMA journal_mode=MEMORY; PRAGMA secure_delete=ON; PRAGMA foreign_keys=OFF", cancel);
        var tables = (await connection.Query("SELECT name FROM sqlite_schema WHERE type = 'table'", row => row.GetString(0), cancel)).ToHashSet(StringComparer.Ordinal);
        await using (var transaction = await connection.BeginTransactionAsync(cancel))
        {
            foreach (var table in (string[])["patient_key", "patient_key_before"])
            {
                if (tables.Contains(table))
                {
                    await ChangePatients(connection, table, cancel);
                }
            }

            var archives = await connection.Query("SELECT id, version, wrapped FROM backup_archive", row => (Id: row.Guid(0), Version: (int)row.GetInt64(1), Wrapped: row.Bytes(2)), cancel);
            foreach (var (id, version, wrapped) in archives)
            {
                await connection.Run("UPDATE backup_archive SET wrapped = @new WHERE id = @id", cancel, ("@new", Rewrapped(KeyPurpose.Backup, version, wrapped, Context("backup_archive", id))), ("@id", id));
            }

            var secrets = await connection.Query("SELECT name, wrapped FROM secret WHERE purpose = @purpose", row => (Name: row.GetString(0), Wrapped: row.Bytes(1)), cancel, ("@purpose", (int)KeyPurpose.Backup));
            foreach (var (name, wrapped) in secrets)
            {
                await connection.Run("UPDATE secret SET wrapped = @new WHERE name = @name", cancel, ("@new", Resealed(name, wrapped)), ("@name", name));
            }

            await connection.Run("UPDATE purpose_key SET wrapped = @none", cancel, ("@none", new byte[WrappedSize]));
            await connection.Run("DELETE FROM backup_epoch", cancel);
            var (version2, wrappedEpoch) = WrappedEpoch();
            await connection.Run(
                "INSERT INTO backup_epoch (id, version, wrapped, created) VALUES (@id, @version, @wrapped, @created)",
                cancel,
                ("@id", epoch.Id),
                ("@version", version2),
                ("@wrapped", wrappedEpoch),
                ("@created", stones.Max(stone => stone.At)));
            await connection.Run(DestructionStore.Tombstones, cancel);
            foreach (var stone in stones)
            {
                await connection.Run(
                    "INSERT INTO patient_tombstone (patient, destruction, at, key_ids, digest, signature) VALUES (@patient, @order, @at, @ids, @digest, @signature) ON CONFLICT (patient) DO NOTHING",
                    cancel,
                    ("@patient", stone.Patient.Value),
                    ("@order", stone.Order),
                    ("@at", stone.At),
                    ("@ids", stone.KeyIds),
                    ("@digest", stone.Digest),
                    ("@signature", stone.Signature));
            }

            await transaction.CommitAsync(cancel);
        }

        await connection.Run("VACUUM", cancel);
    }

    private async Task ChangePatients(SqliteConnection connection, string table, CancellationToken cancel)
    {
        var rows = await connection.Query($"SELECT patient, version, wrapped, data_version FROM {table}", row => (Patient: row.Guid(0), Version: row.GetInt64(1), Wrapped: row.Bytes(2), Data: (int)row.GetInt64(3)), cancel);
        await using var update = connection.Prepared($"UPDATE {table} SET wrapped = @new WHERE patient = @patient AND version = @version", "@new", "@patient", "@version");
        await using var delete = connection.Prepared($"DELETE FROM {table} WHERE patient = @patient", "@patient");
        foreach (var (patient, version, wrapped, data) in rows)
        {
            if (gone.Contains(patient))
            {
                Removed += await delete.Run(cancel, patient);
            }
            else
            {
                await update.Run(cancel, Rewrapped(KeyPurpose.Data, data, wrapped, PatientContext(patient)), patient, version);
            }
        }
    }

    // PostgreSQL's binary COPY (https://www.postgresql.org/docs/current/sql-copy.html), after one line with the columns.
    private async Task ChangeTable(string table, string path, CancellationToken cancel)
    {
        var bytes = await File.ReadAllBytesAsync(path, cancel);
        var line = Array.IndexOf(bytes, (byte)'\n');
        var columns = JsonSerializer.Deserialize<string[]>(bytes.AsSpan(0, line)) ?? throw new SealBroken();
        var rows = CopiedRows.Read(bytes.AsSpan(line + 1));
        int At(string column) => Array.IndexOf(columns, column) is >= 0 and var at ? at : throw new SealBroken();
        switch (table)
        {
            case "patient_key" or "patient_key_before":
                Removed += rows.RemoveAll(row => gone.Contains(Id(row[At("patient")])));
                rows.ForEach(row => row[At("wrapped")] = Rewrapped(KeyPurpose.Data, Number(row[At("data_version")]), row[At("wrapped")]!, PatientContext(Id(row[At("patient")]))));
                break;
            case "backup_archive":
                rows.ForEach(row => row[At("wrapped")] = Rewrapped(KeyPurpose.Backup, Number(row[At("version")]), row[At("wrapped")]!, Context(table, Id(row[At("id")]))));
                break;
            case "secret":
                rows.Where(row => Number(row[At("purpose")]) == (int)KeyPurpose.Backup).ToList().ForEach(row => row[At("wrapped")] = Resealed(Encoding.UTF8.GetString(row[At("name")]!), row[At("wrapped")]!));
                break;
            case "purpose_key":
                rows.ForEach(row => row[At("wrapped")] = new byte[WrappedSize]);
                break;
            case "backup_epoch":
                var (version, wrapped) = WrappedEpoch();
                rows.Clear();
                rows.Add(Row(columns, ("id", Bytes(epoch.Id)), ("version", Bytes(version)), ("wrapped", wrapped), ("created", Bytes(stones.Max(stone => stone.At)))));
                break;
            case "patient_tombstone":
                rows.Clear();
                rows.AddRange(stones.Select(stone => Row(
                    columns, ("patient", Bytes(stone.Patient.Value)), ("destruction", Bytes(stone.Order)), ("at", Bytes(stone.At)), ("key_ids", stone.KeyIds), ("digest", stone.Digest), ("signature", stone.Signature))));
                break;
            default:
                return;
        }

        // In place, so that what was there is overwritten.
        var made = CopiedRows.Write(bytes.AsSpan(0, line + 1), rows, columns.Length);
        await using var file = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.None);
        await file.WriteAsync(made, cancel);
        if (made.Length < bytes.Length)
        {
            await file.WriteAsync(new byte[bytes.Length - made.Length], cancel);
        }

        Settle(file, made.Length);
    }

    // There is no asynchronous one that waits for the disk.
    private static void Settle(FileStream file, long length)
    {
        file.Flush(flushToDisk: true);
        file.SetLength(length);
    }

    private (int Version, byte[] Wrapped) WrappedEpoch()
    {
        var newest = fresh.Keys.Where(key => key.Item1 == KeyPurpose.Backup).Max(key => key.Item2);
        return (newest, KeyWrap.WrapBound(fresh[(KeyPurpose.Backup, newest)], epoch.Key, Context("backup_epoch", epoch.Id)));
    }

    private byte[] Rewrapped(KeyPurpose purpose, int version, byte[] wrapped, byte[] context)
    {
        if (!old.TryGetValue((purpose, version), out var from))
        {
            throw new SealBroken();
        }

        using var key = KeyWrap.UnwrapBound(from, wrapped, context);
        return KeyWrap.WrapBound(fresh[(purpose, version)], key, context);
    }

    private byte[] Resealed(string name, byte[] envelope)
    {
        var version = Envelope.ReadHeader(envelope).KeyVersion;
        var place = new CellAddress(Guid.Empty, "secret", name, Guid.Empty, Guid.Empty, 1);
        if (!old.TryGetValue((KeyPurpose.Backup, version), out var from))
        {
            throw new SealBroken();
        }

        var plain = Envelope.Open(envelope, from, place);
        try
        {
            return Envelope.Seal(plain, fresh[(KeyPurpose.Backup, version)], Guid.Empty, version, place);
        }
        finally
        {
            System.Security.Cryptography.CryptographicOperations.ZeroMemory(plain);
        }
    }

    private static byte[]?[] Row(string[] columns, params (string Name, byte[] Value)[] values) => [.. columns.Select(column => values.First(value => value.Name == column).Value)];

    private static byte[] PatientContext(Guid patient) => [.. "patient:"u8, .. patient.ToByteArray(bigEndian: true)];

    private static byte[] Context(string table, Guid id) => Encoding.UTF8.GetBytes($"{table}:{id:N}");

    private static Guid Id(byte[]? value) => new(value ?? throw new SealBroken(), bigEndian: true);

    private static int Number(byte[]? value) => checked((int)BinaryPrimitives.ReadInt64BigEndian(value ?? throw new SealBroken()));

    private static byte[] Bytes(Guid id) => id.ToByteArray(bigEndian: true);

    private static byte[] Bytes(long number)
    {
        var bytes = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(bytes, number);
        return bytes;
    }
}

/// <summary>Rows of PostgreSQL's binary COPY.</summary>
internal static class CopiedRows
{
    // PGCOPY, a line feed, a byte that is no text, a line end of two bytes, and a zero.
    private static ReadOnlySpan<byte> Signature => [0x50, 0x47, 0x43, 0x4F, 0x50, 0x59, 0x0A, 0xFF, 0x0D, 0x0A, 0x00];

    /// <exception cref="SealBroken">The bytes are of another form.</exception>
    public static List<byte[]?[]> Read(ReadOnlySpan<byte> bytes)
    {
        if (!bytes.StartsWith(Signature))
        {
            throw new SealBroken();
        }

        try
        {
            var at = Signature.Length + sizeof(int);
            at += sizeof(int) + BinaryPrimitives.ReadInt32BigEndian(bytes[at..]);
            var rows = new List<byte[]?[]>();
            while (BinaryPrimitives.ReadInt16BigEndian(bytes[at..]) is >= 0 and var count)
            {
                at += sizeof(short);
                var row = new byte[]?[count];
                for (var field = 0; field < count; field++)
                {
                    var length = BinaryPrimitives.ReadInt32BigEndian(bytes[at..]);
                    at += sizeof(int);
                    if (length >= 0)
                    {
                        row[field] = bytes.Slice(at, length).ToArray();
                        at += length;
                    }
                }

                rows.Add(row);
            }

            return rows;
        }
        catch (ArgumentOutOfRangeException)
        {
            throw new SealBroken();
        }
    }

    public static byte[] Write(ReadOnlySpan<byte> head, List<byte[]?[]> rows, int columns)
    {
        using var target = new MemoryStream();
        target.Write(head);
        target.Write(Signature);
        Number(target, 0);
        Number(target, 0);
        Span<byte> count = stackalloc byte[sizeof(short)];
        foreach (var row in rows)
        {
            BinaryPrimitives.WriteInt16BigEndian(count, checked((short)columns));
            target.Write(count);
            foreach (var value in row)
            {
                Number(target, value?.Length ?? -1);
                target.Write(value ?? []);
            }
        }

        target.Write([0xFF, 0xFF]);
        return target.ToArray();
    }

    private static void Number(MemoryStream target, int value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32BigEndian(bytes, value);
        target.Write(bytes);
    }
}
