using System.Data.Common;
using Mangrove.Vault.Backups;
using Mangrove.Vault.Keys;
using Npgsql;

namespace Mangrove.Vault;

/// <summary>
/// The stores of a hospital on PostgreSQL, each with one open transaction in which its tables are changed: PostgreSQL takes
/// a changed table back like a changed row (https://wiki.postgresql.org/wiki/Transactional_DDL_in_PostgreSQL). Nothing
/// of it is seen by anybody before <see cref="Commit"/>, and without it nothing ever is.
/// </summary>
public sealed class HeldTables : IAsyncDisposable
{
    private readonly StorageOptions storage;
    private readonly Dictionary<string, (NpgsqlConnection Connection, NpgsqlTransaction Transaction)> held = new(StringComparer.Ordinal);

    private HeldTables(StorageOptions storage) => this.storage = storage;

    /// <summary>Connects to each stamped store as whoever owns its tables, and begins.</summary>
    /// <param name="storage">A hospital on PostgreSQL.</param>
    /// <param name="cancel">Gives up.</param>
    public static async Task<HeldTables> Begin(StorageOptions storage, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(storage);
        var tables = new HeldTables(storage);
        try
        {
            foreach (var store in SchemaStamp.Stores)
            {
                var role = store == "clinic" && storage.Connections.ContainsKey("owner") ? "owner" : store;

                // Not pooled: a transaction that is given up must not come back with its connection.
                var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(storage.ConnectionString(role)) { Pooling = false, SearchPath = store }.ToString());
                try
                {
                    await connection.OpenAsync(cancel);
                    tables.held[store] = (connection, await connection.BeginTransactionAsync(cancel));
                }
                catch
                {
                    await connection.DisposeAsync();
                    throw;
                }
            }

            return tables;
        }
        catch
        {
            await tables.DisposeAsync();
            throw;
        }
    }

    /// <summary>The connection of a store and its transaction, for whoever changes its tables.</summary>
    public (DbConnection Connection, DbTransaction Transaction) Of(string store) => held[store];

    /// <summary>Makes what is missing in the stores of the vault.</summary>
    public async Task Create(CancellationToken cancel)
    {
        var vault = new Store(storage, "vault", held["vault"].Connection);
        var keys = new Store(storage, "keys", held["keys"].Connection);
        await KeyRing.CreateTables(keys, cancel);
        await VaultRoom.CreateTables(vault, keys, cancel);
    }

    /// <summary>How many rows each table of a store holds, as this transaction sees it.</summary>
    public async Task<IReadOnlyDictionary<string, long>> Rows(string store, CancellationToken cancel) =>
        await StoreSnapshot.Rows(held[store].Connection, store, cancel);

    /// <summary>Every column and index that the store has, as <c>table.column</c> and <c>table: index</c>.</summary>
    public async Task<IReadOnlySet<string>> Names(string store, CancellationToken cancel) => (await held[store].Connection.Query(
        """
        SELECT table_name || '.' || column_name FROM information_schema.columns WHERE table_schema = @store
        UNION ALL
        SELECT t.relname || ': ' || i.relname FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid
        JOIN pg_namespace n ON n.oid = t.relnamespace
        WHERE n.nspname = @store AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = x.indexrelid)
        """,
        row => row.GetString(0),
        cancel,
        ("@store", store))).ToHashSet(StringComparer.Ordinal);

    /// <summary>Stamps every store with the schema of this version.</summary>
    public async Task Stamp(CancellationToken cancel)
    {
        foreach (var store in SchemaStamp.Stores)
        {
            await SchemaStamp.Put(held[store].Connection, store, cancel);
        }
    }

    /// <summary>
    /// Lets everything hold, store by store. Each is whole for itself; should the machine stop between two of them, the next
    /// upgrade finds the others unstamped and goes on, and what is new so far disturbs no version of before: nothing was taken away.
    /// </summary>
    /// <param name="between">Told after each store.</param>
    /// <param name="cancel">Is not looked at once the first one holds.</param>
    public async Task Commit(Action<string> between, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(between);
        cancel.ThrowIfCancellationRequested();
        foreach (var (store, (_, transaction)) in held)
        {
            await transaction.CommitAsync(CancellationToken.None);
            between(store);
        }
    }

    /// <summary>How many other connections of Mangrove the database has: other servers, and commands.</summary>
    public async Task<long> Others(CancellationToken cancel)
    {
        // Within a transaction the first look is kept and shown again, unless it is thrown away
        // (https://www.postgresql.org/docs/current/monitoring-stats.html#MONITORING-STATS-VIEWS).
        var vault = held["vault"].Connection;
        await vault.Scalar("SELECT pg_stat_clear_snapshot()", cancel);
        return await vault.Scalar(
            "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'mangrove%' AND pid <> ALL (@mine)",
            cancel,
            ("@mine", held.Values.Select(one => one.Connection.ProcessID).ToArray())) as long? ?? 0;
    }

    /// <summary>Takes back what does not hold yet.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (var (connection, transaction) in held.Values)
        {
            await transaction.DisposeAsync();
            await connection.DisposeAsync();
        }
    }
}
