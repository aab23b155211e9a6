using System.Data;
using System.Globalization;
using Mangrove.Kernel;
using Mangrove.Vault.Storage;
using Npgsql;
using NpgsqlTypes;

namespace Mangrove.Vault.Audit;

/// <summary>
/// A log in the <c>audit</c> schema of PostgreSQL, by a role that may select and insert only, which is asserted when it
/// opens. One batch is one round trip and one transaction; an advisory lock keeps a second writer away from the log.
/// </summary>
/// <param name="connectionString">Of the role that the server runs as.</param>
/// <param name="log">This node's log.</param>
internal sealed class PostgresAuditStore(string connectionString, Guid log) : AuditStore
{
    private const string Lock = "SELECT pg_advisory_lock(hashtextextended($1, 0))::text";
    private const string Unlock = "SELECT pg_advisory_unlock(hashtextextended($1, 0))";

    // How long the lock of a server that was killed may outlive it, and giving it back may take.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    private readonly NpgsqlDataSource source = PostgresSource.Open(connectionString);
    private NpgsqlConnection? writer;

    public override async Task<LogIdentity?> Open(Guid facility, bool mayCreate, CancellationToken cancellation)
    {
        writer = await source.OpenConnectionAsync(cancellation);
        await RefuseTooManyRights(cancellation);
        await KeepOthersAway(cancellation);
        if (await Ask<int>("SELECT max(version) FROM audit.format", cancellation) != PostgresAuditSchema.Version)
        {
            throw new RefusedInput("audit.schema", "The audit log was written by another version of Mangrove. Start the version that fits it, or upgrade.");
        }

        var owner = await Ask<Guid?>("SELECT facility FROM audit.log WHERE log = $1", cancellation, log);
        if (owner is null && mayCreate)
        {
            await Ask<object>("INSERT INTO audit.log (facility, log) VALUES ($1, $2)", cancellation, facility, log);
            owner = facility;
        }

        return owner is { } known ? new LogIdentity(known, log) : null;
    }

    public override async Task Commit(AuditBatch batch)
    {
        // One batch is sent as one message and, without an explicit transaction, is one.
        await using var commands = new NpgsqlBatch(writer);
        var count = batch.Rows.Count;
        var (seqs, times, outcomes) = (new long[count], new long[count], new long[count]);
        var (actors, actions) = (new string[count], new string[count]);
        var (hashes, bodies) = (new byte[count][], new byte[count][]);
        var (patients, patientSeqs) = (new List<byte[]>(), new List<long>());
        for (var index = 0; index < count; index++)
        {
            var row = batch.Rows[index];
            (seqs[index], times[index], outcomes[index]) = (row.Seq, row.At, (long)row.Draft.Outcome);
            (actors[index], actions[index]) = (System.Text.Encoding.UTF8.GetString(row.Actor), System.Text.Encoding.UTF8.GetString(row.Action));
            (hashes[index], bodies[index]) = (row.Hash, row.Draft.Body);
            for (var patient = 0; patient < row.PatientCount; patient++)
            {
                patients.Add(row.Patient(patient).ToArray());
                patientSeqs.Add(row.Seq);
            }
        }

        commands.BatchCommands.Add(new NpgsqlBatchCommand(
            "INSERT INTO audit.entry (log, seq, at, actor, action, outcome, hash, body) SELECT $1, * FROM unnest($2, $3, $4, $5, $6, $7, $8)")
        {
            Parameters =
            {
                new() { Value = log }, Longs(seqs), Longs(times), Texts(actors), Texts(actions), Longs(outcomes), Bytes(hashes), Bytes(bodies),
            },
        });
        if (patients.Count > 0)
        {
            commands.BatchCommands.Add(new NpgsqlBatchCommand("INSERT INTO audit.entry_patient (log, patient, seq) SELECT $1, * FROM unnest($2, $3)")
            {
                Parameters = { new() { Value = log }, Bytes([.. patients]), Longs([.. patientSeqs]) },
            });
        }

        commands.BatchCommands.Add(new NpgsqlBatchCommand("INSERT INTO audit.checkpoint (log, size, signed, frontier) VALUES ($1, $2, $3, $4)")
        {
            Parameters =
            {
                new() { Value = log }, new() { Value = batch.Checkpoint.Size }, new() { Value = batch.Checkpoint.ToBytes() }, new() { Value = batch.Frontier },
            },
        });
        await commands.ExecuteNonQueryAsync();
    }

    public override async Task Close()
    {
        if (writer is null)
        {
            return;
        }

        try
        {
            // A closed connection's lock goes only when the database notices, which the next start of this server may outrun.
            if (writer.State == ConnectionState.Open)
            {
                // Whoever waits for a receipt is refused after this: a network that is gone must not keep them waiting for long.
                await using var command = new NpgsqlCommand(Unlock, writer) { CommandTimeout = (int)Patience.TotalSeconds, Parameters = { new() { Value = log.ToString() } } };
                await command.ExecuteScalarAsync();
            }
        }
        catch (Exception fault) when (fault is NpgsqlException or InvalidOperationException)
        {
            // The connection broke, and its lock with it; whoever wrote to it was told so.
        }

        await writer.DisposeAsync();
        writer = null;
    }

    public override AuditSource Read()
    {
        var connection = source.OpenConnection();
        try
        {
            return new PostgresAuditSource(connection, log);
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    public override string Advice(Exception failure) => failure switch
    {
        PostgresException { SqlState: PostgresErrorCodes.DiskFull } => "The disk of the database is full: free some space on it.",
        PostgresException { SqlState: PostgresErrorCodes.InsufficientPrivilege or PostgresErrorCodes.ReadOnlySqlTransaction } =>
            "The audit role may not write its tables: give it SELECT and INSERT, and see that the database is not a read-only replica.",
        PostgresException { SqlState: PostgresErrorCodes.UniqueViolation } => "Another program wrote into the audit log: stop it and verify the log.",
        PostgresException { SqlState: PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.InvalidSchemaName } =>
            "The audit log's tables are missing: restore them from a backup.",
        _ => "The database of the audit log does not answer: check that PostgreSQL runs and can be reached.",
    };

    public override async ValueTask DisposeAsync()
    {
        await Close();
        await source.DisposeAsync();
    }

    private static NpgsqlParameter Longs(long[] values) => new() { Value = values, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bigint };

    private static NpgsqlParameter Texts(string[] values) => new() { Value = values, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text };

    private static NpgsqlParameter Bytes(byte[][] values) => new() { Value = values, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bytea };

    private async Task KeepOthersAway(CancellationToken cancellation)
    {
        try
        {
            await Ask<object>(string.Create(CultureInfo.InvariantCulture, $"SET lock_timeout = {(long)Patience.TotalMilliseconds}"), cancellation);
            await Ask<string>(Lock, cancellation, log.ToString());
            await Ask<object>("SET lock_timeout = 0", cancellation);
        }
        catch (PostgresException waited) when (waited.SqlState == PostgresErrorCodes.LockNotAvailable)
        {
            throw new RefusedInput("audit.in-use", "Another server writes this audit log. Give each server its own node, or stop the other one.");
        }
    }

    private async Task RefuseTooManyRights(CancellationToken cancellation)
    {
        foreach (var table in PostgresAuditSchema.Tables)
        {
            var rights = await Ask<string?>(
                """
                SELECT string_agg(privilege, ', ') FROM unnest(ARRAY['UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER', 'REFERENCES']) AS privilege
                WHERE has_table_privilege(current_user, $1, privilege)
                """,
                cancellation,
                "audit." + table);
            if (rights is not null)
            {
                throw new RefusedInput("audit.rights", string.Create(
                    CultureInfo.InvariantCulture, $"The database role of the audit log may {rights} on audit.{table}; it must only SELECT and INSERT. Take the other rights away."));
            }
        }
    }

    private async Task<T?> Ask<T>(string sql, CancellationToken cancellation, params object[] values)
    {
        await using var command = new NpgsqlCommand(sql, writer);
        foreach (var value in values)
        {
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        }

        return await command.ExecuteScalarAsync(cancellation) is T answer ? answer : default;
    }
}
