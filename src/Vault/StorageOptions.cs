using System.Data.Common;
using Mangrove.Kernel;
using Microsoft.Data.Sqlite;
using Npgsql;

namespace Mangrove.Vault;

/// <summary>Which database keeps the hospital: one setting for all four stores.</summary>
public enum StorageKind
{
    /// <summary>Embedded, four files in the data folder.</summary>
    Sqlite = 1,

    /// <summary>One PostgreSQL database, four schemas with four roles.</summary>
    Postgres = 2,
}

/// <summary>Where the hospital's data lie.</summary>
public sealed record StorageOptions
{
    public required StorageKind Kind { get; init; }

    /// <summary>The data folder: always there, also with PostgreSQL (sockets, protector, attachments).</summary>
    public required string Folder { get; init; }

    /// <summary>PostgreSQL connection strings by schema (<c>clinic</c>, <c>vault</c>, <c>keys</c>, <c>audit</c>; <c>owner</c> for set-up and upgrade; <c>drill</c> for restores that are proven and thrown away).</summary>
    public IReadOnlyDictionary<string, string> Connections { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>What the folder is a read-only copy of; null for a hospital.</summary>
    public Backups.CopyMark? Copy { get; init; }

    public static StorageOptions Sqlite(string folder) => new() { Kind = StorageKind.Sqlite, Folder = Path.GetFullPath(folder) };

    /// <summary>Reads a connection file: one <c>name=connection string</c> a line, <c>#</c> begins a comment.</summary>
    /// <returns>
    /// The options, or <c>storage.connection-file-missing</c>, <c>storage.connection-file-bad</c>, <c>storage.connection-open</c>
    /// (a line reaches another machine without <c>SSL Mode=VerifyFull</c>).
    /// </returns>
    public static Result<StorageOptions> Postgres(string folder, string connectionFile)
    {
        if (!File.Exists(connectionFile))
        {
            return new Error("storage.connection-file-missing", "The connection file does not exist. Name a readable file with --connection.");
        }

        var connections = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var line in File.ReadLines(connectionFile))
        {
            var text = line.Trim();
            var split = text.IndexOf('=', StringComparison.Ordinal);
            if (text.Length == 0 || text[0] == '#')
            {
                continue;
            }

            if (split < 1)
            {
                return new Error("storage.connection-file-bad", "Every line of the connection file is name=connection string.");
            }

            connections[text[..split].Trim()] = text[(split + 1)..].Trim();
        }

        foreach (var name in new[] { "clinic", "vault", "keys", "audit" })
        {
            if (!connections.ContainsKey(name))
            {
                return new Error("storage.connection-file-bad", $"The connection file has no line for {name}.");
            }
        }

        foreach (var (name, connection) in connections)
        {
            if (Unsafe(name, connection) is { } refusal)
            {
                return refusal;
            }
        }

        return new StorageOptions { Kind = StorageKind.Postgres, Folder = Path.GetFullPath(folder), Connections = connections };
    }

    /// <summary>
    /// Why a line may not be used: what leaves this machine is encrypted, and the other side shows a certificate for the name
    /// that was asked for. The driver's own default encrypts when it can and checks nobody.
    /// </summary>
    private static Error? Unsafe(string name, string connection)
    {
        NpgsqlConnectionStringBuilder parts;
        try
        {
            parts = new NpgsqlConnectionStringBuilder(connection);
        }
        catch (Exception unread) when (unread is ArgumentException or FormatException)
        {
            return new Error("storage.connection-file-bad", $"The line {name} of the connection file is no connection string.");
        }

        var hosts = (parts.Host ?? string.Empty).Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        return parts.SslMode == SslMode.VerifyFull || hosts.All(IsThisMachine)
            ? null
            : new Error("storage.connection-open", $"The line {name} of the connection file leaves this machine without proof of the other. Add SSL Mode=VerifyFull and Root Certificate=FILE to it.");
    }

    // A folder is that of a Unix socket. Several hosts are separated by commas, each perhaps with a port.
    private static bool IsThisMachine(string host)
    {
        if (host.StartsWith('/') || host.StartsWith('@'))
        {
            return true;
        }

        var bare = host.StartsWith('[') ? host[1..Math.Max(1, host.IndexOf(']', StringComparison.Ordinal))]
            : host.Count(sign => sign == ':') == 1 ? host[..host.IndexOf(':', StringComparison.Ordinal)]
            : host;
        return bare.Equals("localhost", StringComparison.OrdinalIgnoreCase) || (System.Net.IPAddress.TryParse(bare, out var address) && System.Net.IPAddress.IsLoopback(address));
    }

    /// <summary>The SQLite file or PostgreSQL connection string of one store.</summary>
    public string ConnectionString(string store) => Kind == StorageKind.Sqlite
        ? new SqliteConnectionStringBuilder { DataSource = Path.Combine(Folder, store + ".db"), ForeignKeys = true, DefaultTimeout = 30 }.ToString()
        : new NpgsqlConnectionStringBuilder(Connections[store]) { SearchPath = store, IncludeErrorDetail = false, LogParameters = false, PersistSecurityInfo = false, ApplicationName = "mangrove-" + store, MaxAutoPrepare = 128, AutoPrepareMinUsages = 2 }.ToString();
}

/// <summary>One of the vault's own stores, opened per act. SQL here is plain and runs on both databases.</summary>
/// <param name="options">The hospital.</param>
/// <param name="name">The store.</param>
/// <param name="held">A connection to PostgreSQL in whose transaction tables are made and altered; null where each change stands for itself.</param>
internal sealed class Store(StorageOptions options, string name, DbConnection? held = null)
{
    private readonly string connectionString = options.ConnectionString(name);

    public bool IsSqlite => options.Kind == StorageKind.Sqlite;

    public async Task<DbConnection> Open(CancellationToken cancel)
    {
        DbConnection connection = IsSqlite ? new SqliteConnection(connectionString) : new NpgsqlConnection(connectionString);
        try
        {
            await connection.OpenAsync(cancel);
            if (IsSqlite)
            {
                await connection.Run("PRAGMA synchronous=FULL; PRAGMA secure_delete=ON; PRAGMA busy_timeout=30000", cancel);
            }

            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>Creates the schema. <paramref name="sql"/> is written for SQLite; BLOB and INTEGER become PostgreSQL's types.</summary>
    public async Task Create(string sql, CancellationToken cancel)
    {
        await using var own = held is null ? await Open(cancel) : null;
        var connection = held ?? own!;
        if (IsSqlite)
        {
            await connection.Run("PRAGMA journal_mode=WAL", cancel);
            await connection.Run(sql, cancel);
        }
        else
        {
            await connection.Run(
                sql.Replace("BLOB", "bytea", StringComparison.Ordinal).Replace("INTEGER", "bigint", StringComparison.Ordinal).Replace(" WITHOUT ROWID", string.Empty, StringComparison.Ordinal),
                cancel);
        }
    }

    /// <summary>Adds a column to a table that an earlier version made without it; nothing to do where it is there. All names are constants of this assembly.</summary>
    /// <param name="table">The table.</param>
    /// <param name="column">The column.</param>
    /// <param name="definition">Its type and default, written for SQLite.</param>
    /// <param name="fill">Gives the rows of before their values, in the same transaction; null where the default is right.</param>
    /// <param name="cancel">Gives up.</param>
    public async Task AddColumn(string table, string column, string definition, string? fill, CancellationToken cancel)
    {
        await using var own = held is null ? await Open(cancel) : null;
        var connection = held ?? own!;
        if (await connection.Scalar(
            IsSqlite
                ? "SELECT COUNT(*) FROM pragma_table_info(@table) WHERE name = @column"
                : "SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = current_schema() AND table_name = @table AND column_name = @column",
            cancel,
            ("@table", table),
            ("@column", column)) is not 0L)
        {
            return;
        }

        await using var transaction = held is null ? await connection.BeginTransactionAsync(cancel) : null;
        await connection.Run($"ALTER TABLE {table} ADD COLUMN {column} {(IsSqlite ? definition : definition.Replace("INTEGER", "bigint", StringComparison.Ordinal))}", cancel);
        if (fill is not null)
        {
            await connection.Run(fill, cancel);
        }

        if (transaction is not null)
        {
            await transaction.CommitAsync(cancel);
        }
    }
}

internal static class StoreCommands
{
    public static async Task<int> Run(this DbConnection connection, string sql, CancellationToken cancel, params (string Name, object? Value)[] values)
    {
        await using var command = connection.Command(sql, values);
        return await command.ExecuteNonQueryAsync(cancel);
    }

    /// <summary>A statement that runs many times on one connection, each time with other values.</summary>
    public static DbCommand Prepared(this DbConnection connection, string sql, params ReadOnlySpan<string> names)
    {
        var command = connection.Command(sql, []);
        foreach (var name in names)
        {
            var parameter = command.CreateParameter();
            parameter.ParameterName = name;
            command.Parameters.Add(parameter);
        }

        return command;
    }

    /// <summary>Runs a prepared statement with values in the order of its names.</summary>
    public static Task<int> Run(this DbCommand command, CancellationToken cancel, params ReadOnlySpan<object?> values)
    {
        for (var at = 0; at < values.Length; at++)
        {
            command.Parameters[at].Value = Stored(values[at]);
        }

        return command.ExecuteNonQueryAsync(cancel);
    }

    public static async Task<object?> Scalar(this DbConnection connection, string sql, CancellationToken cancel, params (string Name, object? Value)[] values)
    {
        await using var command = connection.Command(sql, values);
        var value = await command.ExecuteScalarAsync(cancel);
        return value is DBNull ? null : value;
    }

    public static async Task<List<T>> Query<T>(this DbConnection connection, string sql, Func<DbDataReader, T> read, CancellationToken cancel, params (string Name, object? Value)[] values)
    {
        await using var command = connection.Command(sql, values);
        await using var reader = await command.ExecuteReaderAsync(cancel);
        var rows = new List<T>();
        while (await reader.ReadAsync(cancel))
        {
            rows.Add(read(reader));
        }

        return rows;
    }

#pragma warning disable CA2100 // Every statement is a constant of this assembly; values travel as parameters.
    private static DbCommand Command(this DbConnection connection, string sql, (string Name, object? Value)[] values)
    {
        var command = connection.CreateCommand();
        command.CommandText = sql;
        foreach (var (name, value) in values)
        {
            var parameter = command.CreateParameter();
            parameter.ParameterName = name;
            parameter.Value = Stored(value);
            command.Parameters.Add(parameter);
        }

        return command;
    }
#pragma warning restore CA2100

    private static object Stored(object? value) => value switch
    {
        null => DBNull.Value,
        Guid guid => guid.ToByteArray(bigEndian: true),
        bool flag => flag ? 1L : 0L,
        int number => (long)number,
        _ => value,
    };

    public static Guid Guid(this DbDataReader reader, int column) => new((byte[])reader.GetValue(column), bigEndian: true);

    public static byte[] Bytes(this DbDataReader reader, int column) => (byte[])reader.GetValue(column);

    public static string? TextOrNull(this DbDataReader reader, int column) => reader.IsDBNull(column) ? null : reader.GetString(column);

    public static long? LongOrNull(this DbDataReader reader, int column) => reader.IsDBNull(column) ? null : reader.GetInt64(column);
}
