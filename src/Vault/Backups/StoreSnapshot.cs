using System.Data;
using System.Data.Common;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Mangrove.Kernel;
using Microsoft.Data.Sqlite;
using Npgsql;

namespace Mangrove.Vault.Backups;

/// <summary>A file of a snapshot: a whole SQLite database, or one table of PostgreSQL.</summary>
/// <param name="Name">As backups name it: <c>clinic.db</c>, <c>clinic/patients</c>. Lower case, no way up.</param>
/// <param name="Path">Where the copy lies.</param>
/// <param name="Length">In bytes.</param>
/// <param name="Rows">Number of rows by table, such as <c>clinic.patient</c>, counted in the copy.</param>
public sealed record SnapshotPart(string Name, string Path, long Length, IReadOnlyDictionary<string, long> Rows);

/// <summary>
/// Copies of the stores, each as it is at one moment, while the hospital goes on working. What they hold is sealed; a copy is
/// as safe as the original and lies beside it. The order in which a backup takes them matters: clinic first, then vault
/// and keys, the log last, so that every row finds its key and every act its entry.
/// </summary>
public static class StoreSnapshot
{
    /// <summary>The stores in the order in which they have to be copied.</summary>
    public static IReadOnlyList<string> Stores { get; } = ["clinic", "vault", "keys", "audit"];

    /// <summary>Copies one store into the folder.</summary>
    /// <param name="storage">The hospital.</param>
    /// <param name="store">One of <see cref="Stores"/>.</param>
    /// <param name="folder">Exists; on the volume of the data, or wherever ciphertext may lie.</param>
    /// <param name="cancel">Gives up; what was copied stays for the caller to remove.</param>
    public static async Task<IReadOnlyList<SnapshotPart>> Take(StorageOptions storage, string store, string folder, CancellationToken cancel)
    {
        if (storage.Kind == StorageKind.Postgres)
        {
            return await TakePostgres(storage, store, folder, cancel);
        }

        var copy = Path.Combine(folder, store + ".db");
        await Task.Run(() => CopySqlite(storage.ConnectionString(store), copy), cancel);
        await using var counted = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = copy, Mode = SqliteOpenMode.ReadOnly, Pooling = false }.ToString());
        await counted.OpenAsync(cancel);
        var rows = await Rows(counted, store, cancel);
        return [new SnapshotPart(store + ".db", copy, new FileInfo(copy).Length, rows)];
    }

    /// <summary>How many rows each table of a store holds now.</summary>
    public static async Task<IReadOnlyDictionary<string, long>> Rows(StorageOptions storage, string store, CancellationToken cancel)
    {
        await using var connection = await new Store(storage, store).Open(cancel);
        return await Rows(connection, store, cancel);
    }

    /// <summary>The same on a connection that somebody else holds.</summary>
    internal static async Task<SortedDictionary<string, long>> Rows(DbConnection connection, string store, CancellationToken cancel)
    {
        var counts = new SortedDictionary<string, long>(StringComparer.Ordinal);
        var tables = connection is SqliteConnection
            ? await connection.Query("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'", row => row.GetString(0), cancel)
            : await connection.Query("SELECT tablename FROM pg_tables WHERE schemaname = @schema", row => row.GetString(0), cancel, ("@schema", store));
        foreach (var table in tables)
        {
            counts[$"{store}.{table}"] = await Count(connection, Quoted(table), cancel);
        }

        return counts;
    }

    private static async Task<long> Count(DbConnection connection, string table, CancellationToken cancel) =>
        Convert.ToInt64(await connection.Scalar($"SELECT COUNT(*) FROM {table}", cancel), CultureInfo.InvariantCulture);

    private static void CopySqlite(string source, string copy)
    {
        using var from = new SqliteConnection(new SqliteConnectionStringBuilder(source) { Mode = SqliteOpenMode.ReadOnly, Pooling = false }.ToString());
        from.Open();
        using (var to = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = copy, Pooling = false }.ToString()))
        {
            to.Open();

            // The copy is thrown away when anything goes wrong, so it needs no journal; the backup itself is flushed.
            using (var quick = to.CreateCommand())
            {
                quick.CommandText = "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF";
                quick.ExecuteNonQuery();
            }

            // In one step: it holds a reading transaction, beside which writers go on in the write-ahead log.
            from.BackupDatabase(to);
        }

        File.Delete(copy + "-wal");
        File.Delete(copy + "-shm");
    }

    private static async Task<IReadOnlyList<SnapshotPart>> TakePostgres(StorageOptions storage, string store, string folder, CancellationToken cancel)
    {
        await using var connection = new NpgsqlConnection(storage.ConnectionString(store));
        await connection.OpenAsync(cancel);
        await using var moment = await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancel);
        var parts = new List<SnapshotPart>();
        foreach (var table in await InOrder(connection, store, cancel))
        {
            var columns = await connection.Query(
                "SELECT column_name FROM information_schema.columns WHERE table_schema = @schema AND table_name = @table AND is_generated = 'NEVER' ORDER BY ordinal_position",
                row => row.GetString(0),
                cancel,
                ("@schema", store),
                ("@table", table));
            var path = Path.Combine(folder, $"{store}.{table}.copy");
            await using (var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 20, FileOptions.Asynchronous))
            {
                // The columns stand first: a table that came by upgrades may have them in another order.
                await file.WriteAsync(Encoding.UTF8.GetBytes(JsonSerializer.Serialize(columns) + "\n"), cancel);
                await using var rows = await connection.BeginRawBinaryCopyAsync($"COPY {Quoted(store)}.{Quoted(table)} ({string.Join(',', columns.Select(Quoted))}) TO STDOUT (FORMAT BINARY)", cancel);
                await rows.CopyToAsync(file, cancel);
            }

            var rowCount = await Count(connection, $"{Quoted(store)}.{Quoted(table)}", cancel);
            parts.Add(new SnapshotPart($"{store}/{table}", path, new FileInfo(path).Length, new Dictionary<string, long>(StringComparer.Ordinal) { [$"{store}.{table}"] = rowCount }));
        }

        await moment.CommitAsync(cancel);
        return parts;
    }

    /// <summary>Fills the empty tables of a store in PostgreSQL from its copies, all or none; what set-up put in goes first.</summary>
    /// <param name="storage">The hospital that is being restored.</param>
    /// <param name="store">One of <see cref="Stores"/>.</param>
    /// <param name="parts">Its copies.</param>
    /// <param name="cancel">Gives up.</param>
    /// <exception cref="RefusedInput"><c>restore.tables-differ</c>: this version has other tables than the backup.</exception>
    public static async Task Fill(StorageOptions storage, string store, IReadOnlyList<SnapshotPart> parts, CancellationToken cancel)
    {
        // The owner fills what the role of the server may not: it cannot take rows out of the log.
        var role = storage.Connections.ContainsKey("owner") && store is "clinic" or "audit" ? "owner" : store;
        await using var connection = new NpgsqlConnection(storage.ConnectionString(role));
        await connection.OpenAsync(cancel);
        await using var transaction = await connection.BeginTransactionAsync(cancel);

        // The mark of the attempt that fills them stays: by it everything is removed again should the attempt come to nothing.
        var mark = $"keys/{PostgresGround.Mark}";
        var tables = (await InOrder(connection, store, cancel)).Where(table => $"{store}/{table}" != mark).ToList();
        var copies = parts.Where(part => part.Name != mark).ToDictionary(part => part.Name, part => part.Path, StringComparer.Ordinal);
        if (tables.Count != copies.Count || !tables.All(table => copies.ContainsKey($"{store}/{table}")))
        {
            throw new RefusedInput("restore.tables-differ", "This version of Mangrove keeps other tables than the one that made the backup. Restore with that version, then upgrade.");
        }

        // Where one role has both, as in a drill, the owner took its own rights to the log away, and takes them again for this.
        var both = role == "owner" && store == "audit" && new NpgsqlConnectionStringBuilder(storage.Connections["owner"]).Username == new NpgsqlConnectionStringBuilder(storage.Connections["audit"]).Username;
        if (both)
        {
            await connection.Run("GRANT INSERT, DELETE ON ALL TABLES IN SCHEMA audit TO CURRENT_USER", cancel);
        }

        foreach (var table in Enumerable.Reverse(tables))
        {
            await connection.Run($"DELETE FROM {Quoted(store)}.{Quoted(table)}", cancel);
        }

        foreach (var table in tables)
        {
            await Fill(connection, store, table, copies[$"{store}/{table}"], cancel);
        }

        if (both)
        {
            await connection.Run("REVOKE DELETE ON ALL TABLES IN SCHEMA audit FROM CURRENT_USER; REVOKE INSERT ON audit.format FROM CURRENT_USER", cancel);
        }

        await transaction.CommitAsync(cancel);
    }

    private static async Task Fill(NpgsqlConnection connection, string store, string table, string path, CancellationToken cancel)
    {
        await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 20, FileOptions.Asynchronous);
        var head = new List<byte>();
        for (var one = file.ReadByte(); one is not ('\n' or -1); one = file.ReadByte())
        {
            head.Add((byte)one);
        }

        var columns = JsonSerializer.Deserialize<string[]>(head.ToArray()) ?? [];
        await using var rows = await connection.BeginRawBinaryCopyAsync($"COPY {Quoted(store)}.{Quoted(table)} ({string.Join(',', columns.Select(Quoted))}) FROM STDIN (FORMAT BINARY)", cancel);
        await file.CopyToAsync(rows, cancel);
    }

    /// <summary>The tables of a schema, those that others refer to first.</summary>
    private static async Task<List<string>> InOrder(NpgsqlConnection connection, string store, CancellationToken cancel)
    {
        var waiting = (await connection.Query("SELECT tablename FROM pg_tables WHERE schemaname = @schema ORDER BY tablename", row => row.GetString(0), cancel, ("@schema", store))).ToList();
        var needs = (await connection.Query(
            """
            SELECT source.relname, target.relname FROM pg_constraint
            JOIN pg_class source ON source.oid = conrelid JOIN pg_class target ON target.oid = confrelid
            JOIN pg_namespace ON pg_namespace.oid = source.relnamespace
            WHERE contype = 'f' AND nspname = @schema AND conrelid <> confrelid
            """,
            row => (From: row.GetString(0), To: row.GetString(1)),
            cancel,
            ("@schema", store))).ToLookup(need => need.From, need => need.To, StringComparer.Ordinal);
        var ordered = new List<string>();
        while (waiting.Count > 0)
        {
            var ready = waiting.Where(table => !needs[table].Any(waiting.Contains)).ToList();
            if (ready.Count == 0)
            {
                throw new InvalidOperationException($"The tables of {store} refer to each other in a circle: {string.Join(", ", waiting)}.");
            }

            ordered.AddRange(ready);
            waiting.RemoveAll(ready.Contains);
        }

        return ordered;
    }

    // Names come from the catalogue of the hospital's own database or from a signed backup, never from a person.
    private static string Quoted(string name) => $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}
