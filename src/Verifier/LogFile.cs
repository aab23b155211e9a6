using System.Globalization;
using SQLitePCL;

namespace Mangrove.Verifier;

/// <summary>
/// The log's file, read and never changed: opened as immutable, which makes SQLite take no lock, write no journal and make
/// no file beside it. When a write-ahead log lies beside it, both are copied and the copy is read, because SQLite writes while it reads such a pair.
/// </summary>
internal sealed class LogFile : IDisposable
{
    private readonly string path;
    private readonly (long Length, DateTime Written)[] stamp;
    private readonly string? copied;
    private sqlite3 db;
    private sqlite3_stmt? entries;
    private sqlite3_stmt? checkpoints;
    private (long Size, byte[] Signed, byte[] Frontier)? ahead;
    private bool entriesDone;
    private bool checkpointsDone;

    private LogFile(string path, (long, DateTime)[] stamp, string? copied, sqlite3 db)
    {
        this.path = path;
        this.stamp = stamp;
        this.copied = copied;
        this.db = db;
    }

    /// <exception cref="VerifierRefusal"><c>verifier.log-missing</c>, <c>verifier.log-file</c>, <c>verifier.log-busy</c>.</exception>
    public static LogFile Open(string path)
    {
        Batteries_V2.Init();
        if (!File.Exists(path))
        {
            throw new VerifierRefusal("verifier.log-missing", "There is no file of that name. Name the log's file, audit.db, or a copy of it.");
        }

        var first = StampOf(path);
        if (!File.Exists(path + "-wal") || new FileInfo(path + "-wal").Length == 0)
        {
            return new LogFile(path, first, null, Connect(new Uri(Path.GetFullPath(path)).AbsoluteUri + "?immutable=1", raw.SQLITE_OPEN_READONLY));
        }

        var folder = Directory.CreateTempSubdirectory("mangrove-verify-").FullName;
        try
        {
            var copy = Path.Combine(folder, "log.db");
            File.Copy(path, copy);
            File.Copy(path + "-wal", copy + "-wal");
            return new LogFile(path, first, folder, Connect(new Uri(copy).AbsoluteUri, raw.SQLITE_OPEN_READWRITE));
        }
        catch
        {
            Directory.Delete(folder, recursive: true);
            throw;
        }
    }

    /// <summary>Refuses what was read when somebody wrote to the file meanwhile.</summary>
    /// <exception cref="VerifierRefusal"><c>verifier.log-busy</c>.</exception>
    public void RequireUnchanged()
    {
        if (!StampOf(path).SequenceEqual(stamp))
        {
            throw new VerifierRefusal("verifier.log-busy", "The log was written to while it was read. Copy it with its -wal file while no server runs, and verify the copy.");
        }
    }

    /// <summary>Type, name and definition of everything in the file, as it stands there.</summary>
    public IReadOnlyList<(string Type, string Name, string Sql)> Definitions()
    {
        using var rows = Prepare("SELECT type, name, sql FROM sqlite_schema");
        var found = new List<(string, string, string)>();
        while (Step(rows))
        {
            found.Add((raw.sqlite3_column_text(rows, 0).utf8_to_string() ?? "", raw.sqlite3_column_text(rows, 1).utf8_to_string() ?? "", raw.sqlite3_column_text(rows, 2).utf8_to_string() ?? ""));
        }

        return found;
    }

    /// <summary>Facility and log as the file says them; null unless it says them exactly once.</summary>
    public (byte[] Facility, byte[] Log)? Identity()
    {
        using var rows = Prepare("SELECT facility, log FROM log");
        if (!Step(rows))
        {
            return null;
        }

        var found = (raw.sqlite3_column_blob(rows, 0).ToArray(), raw.sqlite3_column_blob(rows, 1).ToArray());
        return Step(rows) ? null : found;
    }

    /// <summary>Fills the chunk with the next rows and the checkpoints up to the last of them.</summary>
    /// <returns>False when nothing is left.</returns>
    public bool Fill(RowChunk chunk)
    {
        entries ??= Prepare("SELECT seq, at, outcome, actor, action, hash, body FROM entry ORDER BY seq");
        checkpoints ??= Prepare("SELECT size, signed, frontier FROM checkpoint ORDER BY size");
        chunk.Clear();
        while (!entriesDone && !chunk.IsFull)
        {
            if (!Step(entries))
            {
                entriesDone = true;
                break;
            }

            chunk.Add(
                raw.sqlite3_column_int64(entries, 0), raw.sqlite3_column_int64(entries, 1), raw.sqlite3_column_int64(entries, 2), AreTyped(entries),
                raw.sqlite3_column_blob(entries, 3), raw.sqlite3_column_blob(entries, 4), raw.sqlite3_column_blob(entries, 5), raw.sqlite3_column_blob(entries, 6));
        }

        var upTo = entriesDone ? long.MaxValue : chunk[chunk.Count - 1].Seq;
        while (Ahead() is { } next && next.Size <= upTo)
        {
            chunk.Checkpoints.Add(next);
            ahead = null;
        }

        return chunk.Count > 0 || chunk.Checkpoints.Count > 0;
    }

    /// <summary>Every row of the lookup by patient, in its own order: by patient, then number.</summary>
    public IEnumerable<(UInt128? Patient, long Seq)> Patients()
    {
        using var rows = Prepare("SELECT patient, seq FROM entry_patient ORDER BY patient, seq");
        while (Step(rows))
        {
            yield return (PatientOf(rows), raw.sqlite3_column_int64(rows, 1));
        }
    }

    public void Dispose()
    {
        entries?.Dispose();
        checkpoints?.Dispose();
        db.Dispose();
        if (copied is not null)
        {
            Directory.Delete(copied, recursive: true);
        }
    }

    private static UInt128? PatientOf(sqlite3_stmt rows) => raw.sqlite3_column_blob(rows, 0) is { Length: 16 } patient
        ? System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(patient)
        : null;

    private static bool AreTyped(sqlite3_stmt row) =>
        raw.sqlite3_column_type(row, 1) == raw.SQLITE_INTEGER && raw.sqlite3_column_type(row, 2) == raw.SQLITE_INTEGER
        && raw.sqlite3_column_type(row, 3) == raw.SQLITE_TEXT && raw.sqlite3_column_type(row, 4) == raw.SQLITE_TEXT
        && raw.sqlite3_column_type(row, 5) == raw.SQLITE_BLOB && raw.sqlite3_column_type(row, 6) == raw.SQLITE_BLOB;

    private static (long, DateTime)[] StampOf(string path) =>
        [.. new[] { path, path + "-wal" }.Select(name => new FileInfo(name)).Select(file => file.Exists ? (file.Length, file.LastWriteTimeUtc) : (-1L, default))];

    private static sqlite3 Connect(string address, int access)
    {
        var code = raw.sqlite3_open_v2(address, out var db, access | raw.SQLITE_OPEN_URI | raw.SQLITE_OPEN_NOMUTEX, null);
        if (code != raw.SQLITE_OK)
        {
            db?.Dispose();
            throw NotALog();
        }

        // What stands in a file of somebody else is data; nothing of it may run.
        raw.sqlite3_exec(db, "PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON");
        return db;
    }

    private static VerifierRefusal NotALog() => new("verifier.log-file", "The file cannot be read as a log. Name audit.db or a copy of it, which this account may read.");

    private (long Size, byte[] Signed, byte[] Frontier)? Ahead()
    {
        if (ahead is null && !checkpointsDone)
        {
            if (Step(checkpoints!))
            {
                ahead = (raw.sqlite3_column_int64(checkpoints, 0), raw.sqlite3_column_blob(checkpoints, 1).ToArray(), raw.sqlite3_column_blob(checkpoints, 2).ToArray());
            }
            else
            {
                checkpointsDone = true;
            }
        }

        return ahead;
    }

    private sqlite3_stmt Prepare(string sql)
    {
        var code = raw.sqlite3_prepare_v2(db, sql, out var statement);
        return code == raw.SQLITE_OK ? statement : code is raw.SQLITE_ERROR or raw.SQLITE_NOTADB or raw.SQLITE_CANTOPEN ? throw NotALog() : throw new LogDamaged(code);
    }

    private static bool Step(sqlite3_stmt statement) => raw.sqlite3_step(statement) switch
    {
        raw.SQLITE_ROW => true,
        raw.SQLITE_DONE => false,
        var code => throw new LogDamaged(code),
    };
}

/// <summary>The database in the file is damaged: a finding, not a refusal.</summary>
public sealed class LogDamaged : Exception
{
    internal LogDamaged(int code)
        : base(string.Create(CultureInfo.InvariantCulture, $"SQLite error {code}")) => SqliteCode = code;

    internal int SqliteCode { get; }
}
