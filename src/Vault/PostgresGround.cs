using Mangrove.Kernel;
using Npgsql;

namespace Mangrove.Vault;

/// <summary>
/// The four schemas of a hospital on PostgreSQL while it is being made. They are empty before, carry the mark of the attempt
/// from then on, and are emptied again when it comes to nothing: by the same attempt, or by the next one when that was
/// killed. Only who still knows the mark can remove anything, and a hospital that is whole has forgotten it.
/// </summary>
public static class PostgresGround
{
    /// <summary>The table of the mark, in the schema <c>keys</c>. It belongs to its attempt and is never filled from a backup.</summary>
    internal const string Mark = "founding";

    private const string DuplicateTable = "42P07";

    // The mark stands in the first one.
    private static readonly string[] Schemas = ["keys", "vault", "clinic", "audit"];

    private static RefusedInput Taken { get; } = new("init.not-empty", "The database holds tables of a hospital already. Name another database in the connection file, or start the hospital with the data folder that belongs to it.");

    /// <summary>Puts the mark into empty schemas, so that of two attempts at once one goes on.</summary>
    /// <param name="storage">A hospital on PostgreSQL.</param>
    /// <param name="founding">Names the attempt; the caller keeps it in the data folder first.</param>
    /// <param name="cancel">Gives up.</param>
    /// <exception cref="RefusedInput"><c>init.not-empty</c>; then nothing was changed.</exception>
    public static async Task Claim(StorageOptions storage, Guid founding, CancellationToken cancel)
    {
        await using var connection = await Open(storage, Schemas[0], cancel);
        try
        {
            await using var transaction = await connection.BeginTransactionAsync(cancel);
            await Run(connection, $"CREATE TABLE {Mark} (id uuid NOT NULL, made text NOT NULL)", cancel);
            if (await Tables(connection, cancel) is not [(_, Mark)])
            {
                throw Taken;
            }

            // What is not there yet is made on the way, and goes with the rest.
            var there = await Read(connection, "SELECT nspname FROM pg_namespace", cancel);
            var missing = string.Join(',', Schemas.Where(schema => !there.Contains(schema, StringComparer.Ordinal)));
            await using var insert = new NpgsqlCommand($"INSERT INTO {Mark} (id, made) VALUES ($1, $2)", connection) { Parameters = { new() { Value = founding }, new() { Value = missing } } };
            await insert.ExecuteNonQueryAsync(cancel);
            await transaction.CommitAsync(cancel);
        }
        catch (PostgresException there) when (there.SqlState == DuplicateTable)
        {
            throw Taken;
        }
    }

    /// <summary>Removes all that an attempt made. Does nothing where its mark does not stand.</summary>
    public static async Task Clear(StorageOptions storage, Guid founding, CancellationToken cancel)
    {
        string made;
        await using (var connection = await Open(storage, Schemas[0], cancel))
        {
            if (!(await Tables(connection, cancel)).Contains((Schemas[0], Mark)))
            {
                return;
            }

            await using var mine = new NpgsqlCommand($"SELECT made FROM {Mark} WHERE id = $1", connection) { Parameters = { new() { Value = founding } } };
            if (await mine.ExecuteScalarAsync(cancel) is not string schemas)
            {
                return;
            }

            made = schemas;
        }

        // The mark goes last: whoever is interrupted here can begin again.
        foreach (var schema in Schemas.Reverse())
        {
            await using var connection = await Open(storage, schema, cancel);
            foreach (var (_, table) in (await Tables(connection, cancel)).Where(one => one.Schema == schema).OrderBy(one => one.Table == Mark))
            {
                await Run(connection, $"DROP TABLE {await Quoted(connection, schema, cancel)}.{await Quoted(connection, table, cancel)} CASCADE", cancel);
            }

            if (made.Split(',').Contains(schema, StringComparer.Ordinal))
            {
                await Run(connection, $"DROP SCHEMA IF EXISTS {schema}", cancel);
            }
        }
    }

    /// <summary>Connects as whoever makes the tables of a schema: the owner those of clinic and log, where one is named.</summary>
    private static async Task<NpgsqlConnection> Open(StorageOptions storage, string schema, CancellationToken cancel)
    {
        var name = schema is "clinic" or "audit" && storage.Connections.ContainsKey("owner") ? "owner" : schema;

        // Not pooled: nothing of an attempt stays behind, also no connection.
        var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(storage.ConnectionString(name)) { Pooling = false, SearchPath = schema }.ToString());
        try
        {
            await connection.OpenAsync(cancel);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    private static async Task<IReadOnlyList<(string Schema, string Table)>> Tables(NpgsqlConnection connection, CancellationToken cancel)
    {
        var tables = new List<(string, string)>();
        await using var command = new NpgsqlCommand("SELECT schemaname, tablename FROM pg_tables WHERE schemaname = ANY ($1)", connection) { Parameters = { new() { Value = Schemas } } };
        await using var reader = await command.ExecuteReaderAsync(cancel);
        while (await reader.ReadAsync(cancel))
        {
            tables.Add((reader.GetString(0), reader.GetString(1)));
        }

        return tables;
    }

    private static async Task<IReadOnlyList<string>> Read(NpgsqlConnection connection, string sql, CancellationToken cancel)
    {
        var names = new List<string>();
        await using var command = new NpgsqlCommand(sql, connection);
        await using var reader = await command.ExecuteReaderAsync(cancel);
        while (await reader.ReadAsync(cancel))
        {
            names.Add(reader.GetString(0));
        }

        return names;
    }

    // A name cannot be a parameter; quote_ident of the server itself makes it one harmless word.
    private static async Task<string> Quoted(NpgsqlConnection connection, string name, CancellationToken cancel)
    {
        await using var quote = new NpgsqlCommand("SELECT quote_ident($1)", connection) { Parameters = { new() { Value = name } } };
        return (string)(await quote.ExecuteScalarAsync(cancel))!;
    }

    private static async Task Run(NpgsqlConnection connection, string sql, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancel);
    }
}
