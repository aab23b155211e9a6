using System.Globalization;
using Mangrove.Kernel;
using Mangrove.Vault.Storage;
using SQLitePCL;

namespace Mangrove.Vault.Audit;

/// <summary>
/// The log in one SQLite file of its own. The writing connection is guarded: it can insert, select and commit, nothing
/// else. Checkpoints of the write-ahead log run on another thread, because they cost more than the appends.
/// </summary>
internal sealed class SqliteAuditStore(string path, TimeSpan busyTimeout, long? mostPages = null) : AuditStore
{
    // Above this many pages of 4 KiB the write-ahead log is moved into the file, beside the running writer.
    private const int EnoughPages = 4096;

    // Above this the writer waits for the move. Under steady load the writer is always ahead of the mover, the
    // write-ahead log never gets the moment of rest in which it starts over, and it would fill the disk.
    private const int TooManyPages = 4 * EnoughPages;

    private readonly SemaphoreSlim maintenance = new(1, 1);
    private Session? session;
    private FileIdentity? file;
    private FileIdentity? wal;
    private int pagesSinceMove;
    private volatile int pagesAtMove;

    private string WalPath => path + "-wal";

    public override Task<LogIdentity?> Open(Guid facility, bool mayCreate, CancellationToken cancellation) =>
        Task.Run(() => OpenNow(facility, mayCreate), cancellation);

    public override async Task Commit(AuditBatch batch)
    {
        RefuseMovedFile();
        session!.Write(batch);

        // The file may have gone between the look before and the commit; then what was written is lost with it.
        RefuseMovedFile();
        await Maintain(batch.Rows.Count);
    }

    public override async Task Close()
    {
        await maintenance.WaitAsync();
        try
        {
            session?.Dispose();
            session = null;
        }
        finally
        {
            maintenance.Release();
        }
    }

    /// <summary>Reads a log that lies somewhere else, as it stands.</summary>
    public static AuditSource ReadAt(string path) => Read(path, TimeSpan.FromSeconds(10));

    public override AuditSource Read() => Read(path, busyTimeout);

    private static SqliteAuditSource Read(string path, TimeSpan busyTimeout)
    {
        var connection = RawSqlite.Open(path, readOnly: true, create: false, busyTimeout);
        try
        {
            connection.Guard(SqliteAuditSchema.AllowsReading);
            connection.Execute("BEGIN");
            return new SqliteAuditSource(connection, owned: true);
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    public override string Advice(Exception failure) => failure switch
    {
        SqliteFault { Primary: raw.SQLITE_FULL } => "The disk of the audit log is full: free some space on it.",
        SqliteFault { Primary: raw.SQLITE_BUSY or raw.SQLITE_LOCKED } => "Another program holds the audit log locked: close it.",
        SqliteFault { Primary: raw.SQLITE_READONLY or raw.SQLITE_CANTOPEN or raw.SQLITE_PERM or raw.SQLITE_AUTH } =>
            "The audit log's file cannot be written: give the service account its rights on the data folder back.",
        SqliteFault { Primary: raw.SQLITE_CORRUPT or raw.SQLITE_NOTADB or raw.SQLITE_CONSTRAINT } =>
            "The audit log's file is damaged or was written by another program: restore it from a backup.",
        FileNotFoundException => "The audit log's file was deleted or replaced while it was open: put it back.",
        _ => "The audit log's disk reports an error: check the disk.",
    };

    public override async ValueTask DisposeAsync()
    {
        await Close();
        session?.Dispose();
        maintenance.Dispose();
    }

    private LogIdentity? OpenNow(Guid facility, bool mayCreate)
    {
        if (!File.Exists(path) && !mayCreate)
        {
            return null;
        }

        session = new Session(path, mayCreate, busyTimeout);
        var identity = session.Prepare(facility, mayCreate, mostPages);
        file = FileIdentity.Of(path);
        wal = FileIdentity.Of(WalPath);
        return identity;
    }

    private void RefuseMovedFile()
    {
        if (session is null || FileIdentity.Of(path) is not { } now || now != file || FileIdentity.Of(WalPath) != wal)
        {
            throw new FileNotFoundException("The audit log's file was deleted or replaced while it was open.");
        }
    }

    private async Task Maintain(int rows)
    {
        // About two pages a row with its lookups, until the mover says what it really is.
        var unmoved = Interlocked.Add(ref pagesSinceMove, rows * 2);
        if (unmoved + pagesAtMove > TooManyPages)
        {
            await maintenance.WaitAsync();
            Move(true);
        }
        else if (unmoved > EnoughPages && await maintenance.WaitAsync(0))
        {
            _ = Task.Run(() => Move(false));
        }
    }

    // Called with the maintenance lock held, which it gives back.
    private void Move(bool wait)
    {
        try
        {
            Interlocked.Exchange(ref pagesSinceMove, 0);
            var pages = session?.MoveWal(wait) ?? 0;

            // A reader that keeps its snapshot for long may hold the log where it is even now; the next try comes
            // after as many pages again.
            pagesAtMove = wait ? 0 : pages;
        }
        catch (SqliteFault)
        {
            // Nothing is lost: the entries stand in the write-ahead log. The next commit meets the same disk and says so.
            pagesAtMove = 0;
        }
        finally
        {
            maintenance.Release();
        }
    }

    /// <summary>The open connections and statements, which live and die together.</summary>
    private sealed class Session(string path, bool mayCreate, TimeSpan busyTimeout) : IDisposable
    {
        private readonly RawSqlite writer = RawSqlite.Open(path, readOnly: false, create: mayCreate, busyTimeout);
        private RawSqlite? mover;
        private RawStatement? begin;
        private RawStatement? commit;
        private RawStatement? rollback;
        private RawStatement? insertEntry;
        private RawStatement? insertPatient;
        private RawStatement? insertCheckpoint;

        public LogIdentity? Prepare(Guid facility, bool mayCreateTables, long? mostPages)
        {
            writer.Execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA secure_delete=ON; PRAGMA temp_store=MEMORY");

            // REPLACE runs the delete triggers, which refuse it, only with this.
            writer.Execute("PRAGMA recursive_triggers=ON; PRAGMA wal_autocheckpoint=0");
            if (mostPages is { } limit)
            {
                writer.Execute(string.Create(CultureInfo.InvariantCulture, $"PRAGMA max_page_count={limit}"));
            }

            if (writer.Number("SELECT count(*) FROM sqlite_schema") == 0)
            {
                if (!mayCreateTables)
                {
                    return null;
                }

                SqliteAuditSchema.Create(writer, new LogIdentity(facility, Ids.New()));
            }

            if (writer.Number("PRAGMA user_version") != SqliteAuditSchema.Version)
            {
                throw new RefusedInput("audit.schema", "The audit log was written by another version of Mangrove. Start the version that fits it, or restore it from a backup.");
            }

            writer.Guard(SqliteAuditSchema.AllowsWriting);
            begin = writer.Prepare("BEGIN IMMEDIATE");
            commit = writer.Prepare("COMMIT");
            rollback = writer.Prepare("ROLLBACK");
            insertEntry = writer.Prepare("INSERT INTO entry (seq, at, actor, action, outcome, hash, body) VALUES (?, ?, ?, ?, ?, ?, ?)");
            insertPatient = writer.Prepare("INSERT INTO entry_patient (patient, seq) VALUES (?, ?)");
            insertCheckpoint = writer.Prepare("INSERT INTO checkpoint (size, signed, frontier) VALUES (?, ?, ?)");
            mover = RawSqlite.Open(path, readOnly: false, create: false, TimeSpan.Zero);
            mover.Guard(SqliteAuditSchema.AllowsReading);

            // A first read makes SQLite open the write-ahead log, so that it can be moved and its identity remembered.
            _ = mover.Number("SELECT count(*) FROM log");
            using var source = new SqliteAuditSource(writer, owned: false);
            return source.Identity()
                ?? throw new RefusedInput("audit.identity", "The audit log does not say whose it is. Restore it from a backup.");
        }

        public void Write(AuditBatch batch)
        {
            begin!.Run();
            try
            {
                foreach (var row in batch.Rows)
                {
                    insertEntry!.Bind(1, row.Seq).Bind(2, row.At).BindText(3, row.Actor).BindText(4, row.Action)
                        .Bind(5, (long)row.Draft.Outcome).BindBlob(6, row.Hash).BindBlob(7, row.Body).Run();
                    for (var patient = 0; patient < row.PatientCount; patient++)
                    {
                        insertPatient!.BindBlob(1, row.Patient(patient)).Bind(2, row.Seq).Run();
                    }
                }

                insertCheckpoint!.Bind(1, batch.Checkpoint.Size).BindBlob(2, batch.Checkpoint.ToBytes())
                    .BindBlob(3, batch.Frontier).Run();
                commit!.Run();
            }
            catch (SqliteFault)
            {
                Undo();
                throw;
            }
        }

        public int MoveWal(bool wait) => mover!.CheckpointWal(wait);

        public void Dispose()
        {
            begin?.Dispose();
            commit?.Dispose();
            rollback?.Dispose();
            insertEntry?.Dispose();
            insertPatient?.Dispose();
            insertCheckpoint?.Dispose();
            mover?.Dispose();
            writer.Dispose();
        }

        private void Undo()
        {
            try
            {
                rollback!.Run();
            }
            catch (SqliteFault)
            {
                // SQLite has already rolled back after a full disk or an input/output error; the log is closed and
                // verified again in either case before the next entry.
            }
        }
    }
}
