using System.Data;
using System.Text;
using Npgsql;

namespace Mangrove.Vault.Audit;

/// <summary>Reads a log in PostgreSQL, in one read-only snapshot.</summary>
internal sealed class PostgresAuditSource : AuditSource
{
    // Rows of one fetch: one connection has one open result, and the entries and checkpoints are read in turn.
    private const int Fetch = EntryChunk.Capacity;

    private readonly NpgsqlConnection connection;
    private readonly NpgsqlTransaction? transaction;
    private readonly Guid log;
    private long after;
    private long upTo;
    private bool done;

    public PostgresAuditSource(NpgsqlConnection connection, Guid log, bool owned = true)
    {
        this.connection = connection;
        this.log = log;
        if (owned)
        {
            transaction = connection.BeginTransaction(IsolationLevel.RepeatableRead);
            Run("SET TRANSACTION READ ONLY");
        }
    }

    public override LogIdentity? Identity()
    {
        using var command = Command("SELECT facility, log FROM audit.log WHERE log = $1", log);
        using var rows = command.ExecuteReader();
        return rows.Read() ? new LogIdentity(rows.GetGuid(0), rows.GetGuid(1)) : null;
    }

    public override IReadOnlyList<string> SchemaDifferences()
    {
        // What stands under the four names must be plain tables without rules or triggers of somebody else.
        using var command = Command(
            """
            SELECT name FROM unnest($1) AS name LEFT JOIN pg_class c ON c.relname = name AND c.relnamespace = 'audit'::regnamespace
            WHERE c.relkind IS DISTINCT FROM 'r' OR c.relhasrules OR c.relhastriggers OR c.relrowsecurity OR c.relispartition OR c.relhassubclass
            """,
            (object)PostgresAuditSchema.Tables);
        using var rows = command.ExecuteReader();
        var differences = new List<string>();
        while (rows.Read())
        {
            differences.Add($"audit.{rows.GetString(0)} is not the plain table that it was made as");
        }

        return differences;
    }

    public override void Start(long after, long upTo)
    {
        this.after = after;
        this.upTo = upTo;
        done = false;
    }

    public override bool Fill(EntryChunk chunk)
    {
        chunk.Clear();
        if (done)
        {
            return false;
        }

        using (var command = Command(
            "SELECT seq, at, outcome, actor, action, hash, body FROM audit.entry WHERE log = $1 AND seq > $2 AND seq <= $3 ORDER BY seq LIMIT $4",
            log, after, upTo, Fetch))
        using (var rows = command.ExecuteReader())
        {
            while (rows.Read())
            {
                chunk.Add(
                    rows.GetInt64(0), rows.GetInt64(1), rows.GetInt64(2),
                    Encoding.UTF8.GetBytes(rows.GetString(3)), Encoding.UTF8.GetBytes(rows.GetString(4)), (byte[])rows[5], (byte[])rows[6]);
            }
        }

        done = !chunk.IsFull;
        var until = done ? upTo : chunk[chunk.Count - 1].Seq;
        using (var command = Command(
            "SELECT size, signed, frontier FROM audit.checkpoint WHERE log = $1 AND size > $2 AND size <= $3 ORDER BY size", log, after, until))
        using (var rows = command.ExecuteReader())
        {
            while (rows.Read())
            {
                chunk.Checkpoints.Add(Checkpoint(rows));
            }
        }

        after = until;
        return chunk.Count > 0 || chunk.Checkpoints.Count > 0;
    }

    public override void Patients(PatientRow row)
    {
        using var command = Command("SELECT patient, seq FROM audit.entry_patient WHERE log = $1", log);
        using var rows = command.ExecuteReader();
        while (rows.Read())
        {
            row((byte[])rows[0], rows.GetInt64(1));
        }
    }

    public override CheckpointRow? CheckpointAt(long size) =>
        OneCheckpoint("SELECT size, signed, frontier FROM audit.checkpoint WHERE log = $1 AND size = $2", size);

    public override CheckpointRow? CheckpointBelow(long upTo) => OneCheckpoint(
        "SELECT size, signed, frontier FROM audit.checkpoint WHERE log = $1 AND size <= $2 ORDER BY size DESC LIMIT 1", upTo);

    public override long LastSequence()
    {
        using var command = Command("SELECT max(seq) FROM audit.entry WHERE log = $1", log);
        return command.ExecuteScalar() is long last ? last : 0;
    }

    public override IReadOnlyList<byte[]> Find(AuditFilter filter, int most)
    {
        var sql = new StringBuilder("SELECT e.body FROM audit.entry e");
        var values = new List<object> { log };
        if (filter.Patient is { } patient)
        {
            sql.Append(" JOIN audit.entry_patient p ON p.log = e.log AND p.seq = e.seq");
            Where(" WHERE e.log = $1 AND p.patient = ", patient.ToByteArray(bigEndian: true));
        }
        else
        {
            sql.Append(" WHERE e.log = $1");
        }

        Where(" AND e.actor = ", filter.Actor);
        Where(" AND e.action = ", filter.Action);
        Where(" AND e.outcome = ", (long?)filter.Outcome);
        Where(" AND e.at >= ", filter.Since?.ToUnixTimeMilliseconds());
        Where(" AND e.at < ", filter.Until?.ToUnixTimeMilliseconds());
        Where(filter.NewestFirst ? " AND e.seq < " : " AND e.seq > ", filter.Beyond);
        Where(filter.NewestFirst ? " ORDER BY e.seq DESC LIMIT " : " ORDER BY e.seq LIMIT ", most);
        using var command = Command(sql.ToString(), [.. values]);
        using var rows = command.ExecuteReader();
        var found = new List<byte[]>();
        while (rows.Read())
        {
            found.Add((byte[])rows[0]);
        }

        return found;

        void Where(string part, object? value)
        {
            if (value is not null)
            {
                values.Add(value);
                sql.Append(System.Globalization.CultureInfo.InvariantCulture, $"{part}${values.Count}");
            }
        }
    }

    public override (long First, long Last) Between(DateTimeOffset since, DateTimeOffset until)
    {
        using var command = Command("SELECT coalesce(min(seq), 0), coalesce(max(seq), 0) FROM audit.entry WHERE log = $1 AND at >= $2 AND at < $3", log, since.ToUnixTimeMilliseconds(), until.ToUnixTimeMilliseconds());
        using var rows = command.ExecuteReader();
        return rows.Read() ? (rows.GetInt64(0), rows.GetInt64(1)) : (0, 0);
    }

    public override void Scan(ExposureQuestion question, long above, long upTo, BodyRow row)
    {
        List<object> values = [log, above, upTo, question.Since.ToUnixTimeMilliseconds(), question.Until.ToUnixTimeMilliseconds()];
        var sql = new StringBuilder("SELECT e.body FROM audit.entry e");
        if (question.Patient is { } patient)
        {
            values.Add(patient.ToByteArray(bigEndian: true));
            sql.Append(System.Globalization.CultureInfo.InvariantCulture, $" JOIN audit.entry_patient p ON p.log = e.log AND p.seq = e.seq AND p.patient = ${values.Count}");
        }

        sql.Append(" WHERE e.log = $1 AND e.seq > $2 AND e.seq <= $3 AND e.at >= $4 AND e.at < $5 AND e.outcome <> 2");
        if (question.Actor is { } actor)
        {
            values.Add(actor);
            sql.Append(System.Globalization.CultureInfo.InvariantCulture, $" AND e.actor = ${values.Count}");
        }

        using var command = Command(sql.ToString(), [.. values]);
        using var rows = command.ExecuteReader();
        while (rows.Read())
        {
            row((byte[])rows[0]);
        }
    }

    public override void Dispose()
    {
        if (transaction is not null)
        {
            transaction.Dispose();
            connection.Dispose();
        }
    }

    private static CheckpointRow Checkpoint(NpgsqlDataReader row) => new(row.GetInt64(0), (byte[])row[1], (byte[])row[2]);

    private CheckpointRow? OneCheckpoint(string sql, long size)
    {
        using var command = Command(sql, log, size);
        using var row = command.ExecuteReader();
        return row.Read() ? Checkpoint(row) : null;
    }

    private void Run(string sql)
    {
        using var command = Command(sql);
        command.ExecuteNonQuery();
    }

    private NpgsqlCommand Command(string sql, params object[] values)
    {
        var command = new NpgsqlCommand(sql, connection);
        foreach (var value in values)
        {
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        }

        return command;
    }
}
