using Npgsql;

namespace Mangrove.Vault.Audit;

/// <summary>
/// The tables of the logs in PostgreSQL: schema <c>audit</c>, one log for each node, told apart by <c>log</c>. Made by the
/// schema's owner at set-up and upgrade; the role that the server runs as has SELECT and INSERT and nothing else.
/// </summary>
internal static class PostgresAuditSchema
{
    public const int Version = 1;

    public static readonly string[] Tables = ["log", "entry", "entry_patient", "checkpoint"];

    private const string Definition =
        """
        CREATE TABLE IF NOT EXISTS audit.format (version int PRIMARY KEY);
        CREATE TABLE IF NOT EXISTS audit.log (facility uuid NOT NULL, log uuid PRIMARY KEY);
        CREATE TABLE IF NOT EXISTS audit.entry (log uuid NOT NULL, seq bigint NOT NULL, at bigint NOT NULL, actor text COLLATE "C" NOT NULL,
            action text COLLATE "C" NOT NULL, outcome bigint NOT NULL, hash bytea NOT NULL, body bytea NOT NULL, PRIMARY KEY (log, seq));
        CREATE TABLE IF NOT EXISTS audit.entry_patient (log uuid NOT NULL, patient bytea NOT NULL, seq bigint NOT NULL, PRIMARY KEY (log, patient, seq));
        CREATE TABLE IF NOT EXISTS audit.checkpoint (log uuid NOT NULL, size bigint NOT NULL, signed bytea NOT NULL, frontier bytea NOT NULL, PRIMARY KEY (log, size));
        CREATE INDEX IF NOT EXISTS entry_at ON audit.entry (log, at);
        CREATE INDEX IF NOT EXISTS entry_actor ON audit.entry (log, actor, seq);
        CREATE INDEX IF NOT EXISTS entry_action ON audit.entry (log, action, seq);
        INSERT INTO audit.format (version) SELECT 1 WHERE NOT EXISTS (SELECT FROM audit.format);
        REVOKE ALL ON ALL TABLES IN SCHEMA audit FROM PUBLIC;
        """;

    /// <summary>Makes what is missing.</summary>
    /// <param name="ownerConnection">A connection string of the role that owns the schema; used at set-up and upgrade only.</param>
    /// <param name="role">The role that the server runs as.</param>
    /// <param name="cancellation">Gives up.</param>
    public static async Task Create(string ownerConnection, string role, CancellationToken cancellation = default)
    {
        await using var source = Storage.PostgresSource.Open(ownerConnection);
        await using var connection = await source.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        await Run("CREATE SCHEMA IF NOT EXISTS audit");
        await Run(Definition);

        // A role name cannot be a parameter; quote_ident of the server itself makes it one harmless word.
        await using var quote = new NpgsqlCommand("SELECT quote_ident($1)", connection) { Parameters = { new() { Value = role } } };
        var quoted = (string)(await quote.ExecuteScalarAsync(cancellation))!;
        await Run($"REVOKE ALL ON ALL TABLES IN SCHEMA audit FROM {quoted}");
        await Run($"GRANT USAGE ON SCHEMA audit TO {quoted}");
        await Run($"GRANT SELECT, INSERT ON audit.log, audit.entry, audit.entry_patient, audit.checkpoint TO {quoted}");
        await Run($"GRANT SELECT ON audit.format TO {quoted}");
        await transaction.CommitAsync(cancellation);

        async Task Run(string sql)
        {
            await using var command = new NpgsqlCommand(sql, connection);
            await command.ExecuteNonQueryAsync(cancellation);
        }
    }
}
