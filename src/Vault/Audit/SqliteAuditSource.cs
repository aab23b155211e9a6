using System.Text;
using Mangrove.Vault.Storage;

namespace Mangrove.Vault.Audit;

/// <summary>Reads a log in SQLite.</summary>
internal sealed class SqliteAuditSource(RawSqlite connection, bool owned) : AuditSource
{
    private RawStatement? entries;
    private RawStatement? checkpoints;
    private CheckpointRow? nextCheckpoint;
    private bool entriesDone;
    private bool checkpointsDone;

    public override LogIdentity? Identity()
    {
        using var rows = connection.Prepare("SELECT facility, log FROM log");
        if (!rows.Step() || rows.Blob(0).Length != 16 || rows.Blob(1).Length != 16)
        {
            return null;
        }

        var identity = new LogIdentity(new Guid(rows.Blob(0), bigEndian: true), new Guid(rows.Blob(1), bigEndian: true));
        return rows.Step() ? null : identity;
    }

    public override IReadOnlyList<string> SchemaDifferences() => SqliteAuditSchema.Differences(connection);

    public override void Start(long after, long upTo)
    {
        entries?.Dispose();
        checkpoints?.Dispose();
        entries = connection.Prepare("SELECT seq, at, outcome, actor, action, hash, body FROM entry WHERE seq > ? AND seq <= ? ORDER BY seq");
        entries.Bind(1, after).Bind(2, upTo);
        checkpoints = connection.Prepare("SELECT size, signed, frontier FROM checkpoint WHERE size > ? AND size <= ? ORDER BY size");
        checkpoints.Bind(1, after).Bind(2, upTo);
        entriesDone = false;
        checkpointsDone = false;
        nextCheckpoint = null;
    }

    public override bool Fill(EntryChunk chunk)
    {
        chunk.Clear();
        while (!entriesDone && !chunk.IsFull)
        {
            if (!entries!.Step())
            {
                entriesDone = true;
                break;
            }

            chunk.Add(
                entries.Int64(0), entries.Int64(1), entries.Int64(2),
                entries.Blob(3), entries.Blob(4), entries.Blob(5), entries.Blob(6));
        }

        var upTo = entriesDone ? long.MaxValue : chunk[chunk.Count - 1].Seq;
        while (!checkpointsDone)
        {
            nextCheckpoint ??= Checkpoint(checkpoints!);
            if (nextCheckpoint is null)
            {
                checkpointsDone = true;
            }
            else if (nextCheckpoint.Size > upTo)
            {
                break;
            }
            else
            {
                chunk.Checkpoints.Add(nextCheckpoint);
                nextCheckpoint = null;
            }
        }

        return chunk.Count > 0 || chunk.Checkpoints.Count > 0;
    }

    public override void Patients(PatientRow row)
    {
        using var rows = connection.Prepare("SELECT patient, seq FROM entry_patient");
        while (rows.Step())
        {
            row(rows.Blob(0), rows.Int64(1));
        }
    }

    public override CheckpointRow? CheckpointAt(long size)
    {
        using var row = connection.Prepare("SELECT size, signed, frontier FROM checkpoint WHERE size = ?");
        return Checkpoint(row.Bind(1, size));
    }

    public override CheckpointRow? CheckpointBelow(long upTo)
    {
        using var row = connection.Prepare("SELECT size, signed, frontier FROM checkpoint WHERE size <= ? ORDER BY size DESC LIMIT 1");
        return Checkpoint(row.Bind(1, upTo));
    }

    public override long LastSequence() => connection.Number("SELECT max(seq) FROM entry") ?? 0;

    public override IReadOnlyList<byte[]> Find(AuditFilter filter, int most)
    {
        var sql = new StringBuilder(filter.Patient is null
            ? "SELECT e.body FROM entry e WHERE 1"
            : "SELECT e.body FROM entry_patient p JOIN entry e ON e.seq = p.seq WHERE p.patient = ?1");
        var key = filter.Patient is null ? "e.seq" : "p.seq";
        sql.Append(filter.Actor is null ? "" : " AND e.actor = ?2");
        sql.Append(filter.Action is null ? "" : " AND e.action = ?3");
        sql.Append(filter.Outcome is null ? "" : " AND e.outcome = ?8");
        sql.Append(filter.Since is null ? "" : " AND e.at >= ?4");
        sql.Append(filter.Until is null ? "" : " AND e.at < ?5");
        sql.Append(filter.Beyond is null ? "" : filter.NewestFirst ? $" AND {key} < ?6" : $" AND {key} > ?6");
        sql.Append(filter.NewestFirst ? $" ORDER BY {key} DESC LIMIT ?7" : $" ORDER BY {key} LIMIT ?7");
        using var rows = connection.Prepare(sql.ToString());
        BindIf(1, filter.Patient, (index, value) => rows.BindBlob(index, value.ToByteArray(bigEndian: true)));
        if (filter.Actor is { } actor)
        {
            rows.BindText(2, actor);
        }

        if (filter.Action is { } action)
        {
            rows.BindText(3, action);
        }

        BindIf(4, filter.Since, (index, value) => rows.Bind(index, value.ToUnixTimeMilliseconds()));
        BindIf(5, filter.Until, (index, value) => rows.Bind(index, value.ToUnixTimeMilliseconds()));
        BindIf(6, filter.Beyond, (index, value) => rows.Bind(index, value));
        rows.Bind(7, most);
        BindIf(8, filter.Outcome, (index, value) => rows.Bind(index, (int)value));
        var found = new List<byte[]>();
        while (rows.Step())
        {
            found.Add(rows.Blob(0).ToArray());
        }

        return found;
    }

    public override (long First, long Last) Between(DateTimeOffset since, DateTimeOffset until)
    {
        using var rows = connection.Prepare("SELECT coalesce(min(seq), 0), coalesce(max(seq), 0) FROM entry INDEXED BY entry_at WHERE at >= ? AND at < ?");
        rows.Bind(1, since.ToUnixTimeMilliseconds()).Bind(2, until.ToUnixTimeMilliseconds());
        return rows.Step() ? (rows.Int64(0), rows.Int64(1)) : (0, 0);
    }

    public override void Scan(ExposureQuestion question, long above, long upTo, BodyRow row)
    {
        // The plus signs keep the time and the outcome from an index: what is left is a walk through neighbouring rows.
        var sql = (question.Patient is not null
                ? "SELECT e.body FROM entry_patient p JOIN entry e ON e.seq = p.seq WHERE p.patient = ?6 AND p.seq > ?1 AND p.seq <= ?2"
                : "SELECT e.body FROM entry e WHERE e.seq > ?1 AND e.seq <= ?2")
            + " AND +e.at >= ?3 AND +e.at < ?4 AND +e.outcome <> 2"
            + (question.Actor is null ? "" : question.Patient is null ? " AND e.actor = ?5" : " AND +e.actor = ?5");
        using var rows = connection.Prepare(sql);
        rows.Bind(1, above).Bind(2, upTo).Bind(3, question.Since.ToUnixTimeMilliseconds()).Bind(4, question.Until.ToUnixTimeMilliseconds());
        if (question.Actor is { } actor)
        {
            rows.BindText(5, actor);
        }

        BindIf(6, question.Patient, (index, value) => rows.BindBlob(index, value.ToByteArray(bigEndian: true)));
        while (rows.Step())
        {
            row(rows.Blob(0));
        }
    }

    public override void Dispose()
    {
        entries?.Dispose();
        checkpoints?.Dispose();
        if (owned)
        {
            connection.Dispose();
        }
    }

    private static void BindIf<T>(int index, T? value, Action<int, T> bind)
        where T : struct
    {
        if (value is { } present)
        {
            bind(index, present);
        }
    }

    private static CheckpointRow? Checkpoint(RawStatement row) =>
        row.Step() ? new CheckpointRow(row.Int64(0), row.Blob(1).ToArray(), row.Blob(2).ToArray()) : null;
}
