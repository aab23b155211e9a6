using System.Buffers.Binary;
using System.Data.Common;
using System.Globalization;
using Mangrove.Kernel;
using Mangrove.Vault.Audit;
using Microsoft.Data.Sqlite;
using Npgsql;

namespace Mangrove.Vault;

/// <summary>
/// Which schema each store has, written in the store itself: in SQLite the header's user_version
/// (https://www.sqlite.org/pragma.html#pragma_user_version), in PostgreSQL the comment of one of its tables. It travels with
/// every copy. Unstamped (0) is a store that a version of before the stamps wrote. The log has a version of its own format.
/// </summary>
public static class SchemaStamp
{
    /// <summary>
    /// The schema of this version. Whoever changes a table of clinic, vault or keys adds one here and a fixture of the schema
    /// of before (tests/Cli/Upgrades/README.md); a test compares the tables with those of this number.
    /// </summary>
    public const int Newest = 4;

    private const string Prefix = "mangrove schema ";

    // https://www.sqlite.org/fileformat2.html#user_version_number
    private const int HeaderSize = 100;
    private const int VersionAt = 60;

    /// <summary>The stores that carry a stamp, with the table whose comment it is in PostgreSQL: one that was always there.</summary>
    private static readonly Dictionary<string, string> Tables = new(StringComparer.Ordinal) { ["clinic"] = "__ef_migrations", ["vault"] = "account", ["keys"] = "purpose_key" };

    /// <summary>The stores that carry a stamp.</summary>
    public static IReadOnlyCollection<string> Stores => Tables.Keys;

    /// <summary>The stamp of each store; a store that is not there yet is missing. Writes nothing.</summary>
    /// <param name="storage">The hospital.</param>
    /// <param name="cancel">Gives up.</param>
    public static async Task<IReadOnlyDictionary<string, int>> Read(StorageOptions storage, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(storage);
        var stamps = new Dictionary<string, int>(StringComparer.Ordinal);
        if (storage.Kind == StorageKind.Postgres)
        {
            await using var connection = new NpgsqlConnection(storage.ConnectionString("vault"));
            await connection.OpenAsync(cancel);
            foreach (var (store, table) in Tables)
            {
                if (await Stamped(connection, store, table, cancel) is { } stamp)
                {
                    stamps[store] = stamp;
                }
            }

            return stamps;
        }

        foreach (var store in Tables.Keys)
        {
            if (await InFile(storage, store, cancel) is { } stamp)
            {
                stamps[store] = stamp;
            }
        }

        return stamps;
    }

    /// <summary>The oldest schema among the stores; this version's for a hospital that is still to be made.</summary>
    public static async Task<int> Oldest(StorageOptions storage, CancellationToken cancel) =>
        (await Read(storage, cancel)).Values.DefaultIfEmpty(Newest).Min();

    /// <summary>Refuses stores that a newer version wrote, before anything is written there.</summary>
    /// <exception cref="RefusedInput"><c>upgrade.newer-data</c>.</exception>
    public static async Task RequireKnown(StorageOptions storage, CancellationToken cancel)
    {
        var stamps = await Read(storage, cancel);
        var newer = stamps.Where(stamp => stamp.Value > Newest).Select(stamp => stamp.Key).ToList();
        if (storage.Kind == StorageKind.Sqlite && await InFile(storage, "audit", cancel) > SqliteAuditSchema.Version)
        {
            newer.Add("audit");
        }

        if (newer.Count > 0)
        {
            throw new RefusedInput(
                "upgrade.newer-data",
                string.Create(CultureInfo.InvariantCulture, $"A newer version of Mangrove wrote this hospital (schema {stamps.Values.DefaultIfEmpty(Newest).Max()}; this version knows {Newest}). Start that version or a newer one; nothing was changed. There is no way back but a copy or backup of before the upgrade."));
        }
    }

    /// <summary>Stamps every store with the schema of this version.</summary>
    public static async Task Write(StorageOptions storage, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(storage);
        foreach (var (store, table) in Tables)
        {
            if (storage.Kind == StorageKind.Sqlite)
            {
                await using var file = new SqliteConnection(storage.ConnectionString(store));
                await file.OpenAsync(cancel);
                await file.Run(string.Create(CultureInfo.InvariantCulture, $"PRAGMA user_version={Newest}"), cancel);
            }
            else
            {
                await using var connection = new NpgsqlConnection(storage.ConnectionString(store == "clinic" && storage.Connections.ContainsKey("owner") ? "owner" : store));
                await connection.OpenAsync(cancel);
                await Put(connection, store, table, cancel);
            }
        }
    }

    /// <summary>Stamps one store of PostgreSQL in the transaction of a connection.</summary>
    internal static Task Put(DbConnection connection, string store, CancellationToken cancel) => Put(connection, store, Tables[store], cancel);

    private static Task<int> Put(DbConnection connection, string store, string table, CancellationToken cancel) =>
        connection.Run(string.Create(CultureInfo.InvariantCulture, $"COMMENT ON TABLE {store}.{table} IS '{Prefix}{Newest}'"), cancel);

    private static async Task<int?> Stamped(NpgsqlConnection connection, string store, string table, CancellationToken cancel)
    {
        // The catalogue is open to every role; the tables are not.
        var found = await connection.Query(
            """
            SELECT d.description FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            LEFT JOIN pg_description d ON d.objoid = c.oid AND d.classoid = 'pg_class'::regclass AND d.objsubid = 0
            WHERE n.nspname = @store AND c.relname = @table
            """,
            row => row.TextOrNull(0),
            cancel,
            ("@store", store),
            ("@table", table));
        return found switch
        {
            [] => null,
            [{ } words] when words.StartsWith(Prefix, StringComparison.Ordinal) && int.TryParse(words.AsSpan(Prefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var stamp) => stamp,
            _ => 0,
        };
    }

    private static async Task<int?> InFile(StorageOptions storage, string store, CancellationToken cancel)
    {
        var path = Path.Combine(storage.Folder, store + ".db");
        if (!File.Exists(path))
        {
            return null;
        }

        // A connection would make files of its own beside the database, and this must leave no trace. After a kill the newest
        // header may stand in the write-ahead log, which only SQLite reads.
        if (new FileInfo(path + "-wal") is not { Exists: true, Length: > 0 })
        {
            await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1, FileOptions.Asynchronous);
            var header = new byte[HeaderSize];
            var read = await file.ReadAtLeastAsync(header, HeaderSize, throwOnEndOfStream: false, cancel);
            return read < HeaderSize ? 0
                : header.AsSpan().StartsWith("SQLite format 3\0"u8) ? BinaryPrimitives.ReadInt32BigEndian(header.AsSpan(VersionAt))
                : throw new RefusedInput(StorageFault.Damaged.Code, StorageFault.Damaged.Message);
        }

        await using var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = path, Mode = SqliteOpenMode.ReadOnly, Pooling = false }.ToString());
        await connection.OpenAsync(cancel);
        return Convert.ToInt32(await connection.Scalar("PRAGMA user_version", cancel), CultureInfo.InvariantCulture);
    }
}
