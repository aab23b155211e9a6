using System.Runtime.CompilerServices;
using SQLitePCL;

namespace Mangrove.Vault.Storage;

/// <summary>
/// One SQLite connection on the raw handle, for the paths where the provider's cost per row shows (10 us a read
/// against 6.5). Not thread-safe: one thread at a time, which the owner ensures.
/// </summary>
internal sealed class RawSqlite : IDisposable
{
    // From sqlite3.h; SQLitePCL names only some of them.
    private const int DbConfigEnableTrigger = 1003;
    private const int DbConfigDefensive = 1010;

    private readonly sqlite3 db;

    private RawSqlite(sqlite3 db) => this.db = db;

    /// <summary>Opens the file.</summary>
    /// <param name="path">The file; with <paramref name="create"/> false it must exist.</param>
    /// <param name="readOnly">No statement of this connection can write.</param>
    /// <param name="create">Make the file if it is missing.</param>
    /// <param name="busyTimeout">
    /// How long a call waits for another connection's lock. Raw handles wait not at all by default, and then a recovery
    /// by another connection shows as an error.
    /// </param>
    /// <exception cref="SqliteFault">The file is missing, not a database, or not accessible.</exception>
    public static RawSqlite Open(string path, bool readOnly, bool create, TimeSpan busyTimeout)
    {
        Batteries_V2.Init();
        var flags = raw.SQLITE_OPEN_NOMUTEX
            | (readOnly ? raw.SQLITE_OPEN_READONLY : raw.SQLITE_OPEN_READWRITE | (create ? raw.SQLITE_OPEN_CREATE : 0));
        var code = raw.sqlite3_open_v2(path, out var db, flags, null);
        if (code != raw.SQLITE_OK)
        {
            var fault = new SqliteFault(code, "the file cannot be opened");
            db?.Dispose();
            throw fault;
        }

        raw.sqlite3_extended_result_codes(db, 1);
        raw.sqlite3_busy_timeout(db, checked((int)busyTimeout.TotalMilliseconds));
        return new RawSqlite(db);
    }

    public void Execute(string sql)
    {
        var code = raw.sqlite3_exec(db, sql);
        if (code != raw.SQLITE_OK)
        {
            throw Fault();
        }
    }

    public RawStatement Prepare(string sql)
    {
        var code = raw.sqlite3_prepare_v2(db, sql, out var statement);
        return code == raw.SQLITE_OK ? new RawStatement(this, statement) : throw Fault();
    }

    /// <summary>The first column of the first row as a number; null when there is no row or the value is NULL.</summary>
    public long? Number(string sql)
    {
        using var statement = Prepare(sql);
        return statement.Step() && !statement.IsNull(0) ? statement.Int64(0) : null;
    }

    /// <summary>The first column of the first row as text; null when there is no row or the value is NULL.</summary>
    public string? Text(string sql)
    {
        using var statement = Prepare(sql);
        return statement.Step() && !statement.IsNull(0) ? statement.String(0) : null;
    }

    /// <summary>
    /// From here on the connection compiles only statements whose every part <paramref name="allows"/> says yes to, and
    /// SQLite's own escape hatches (writable_schema, journal_mode=OFF, shadow tables) are shut. It guards against our own
    /// mistakes: whoever can open the file with another program can do anything to it.
    /// </summary>
    public void Guard(Func<int, string?, string?, bool> allows)
    {
        Check(raw.sqlite3_db_config(db, DbConfigDefensive, 1, out _));
        Check(raw.sqlite3_set_authorizer(
            db,
            (_, action, first, second, _, _) => allows(action, first, second) ? raw.SQLITE_OK : raw.SQLITE_DENY,
            null));
    }

    /// <summary>Switches triggers of this connection. Only tests that play an attacker turn them off.</summary>
    public void Triggers(bool on) => Check(raw.sqlite3_db_config(db, DbConfigEnableTrigger, on ? 1 : 0, out _));

    /// <summary>
    /// Moves what it can from the write-ahead log into the file without waiting for anyone; <paramref name="wait"/> waits
    /// for readers and lets the write-ahead log start over.
    /// </summary>
    /// <returns>
    /// Pages in the write-ahead log when the move began. That all of them were moved says nothing about those that a
    /// writer added meanwhile, so only a move that waited makes the log start over.
    /// </returns>
    public int CheckpointWal(bool wait)
    {
        var mode = wait ? raw.SQLITE_CHECKPOINT_RESTART : raw.SQLITE_CHECKPOINT_PASSIVE;
        var code = raw.sqlite3_wal_checkpoint_v2(db, "main", mode, out var pages, out _);
        return code is raw.SQLITE_OK or raw.SQLITE_BUSY ? Math.Max(pages, 0) : throw Fault();
    }

    /// <summary>Copies every page of this database into <paramref name="target"/> as one consistent snapshot.</summary>
    public void CopyTo(RawSqlite target)
    {
        using var backup = raw.sqlite3_backup_init(target.db, "main", db, "main");
        if (backup is null || backup.IsInvalid || raw.sqlite3_backup_step(backup, -1) != raw.SQLITE_DONE)
        {
            throw target.Fault();
        }
    }

    public void Dispose() => db.Dispose();

    [MethodImpl(MethodImplOptions.NoInlining)]
    internal SqliteFault Fault() =>
        new(raw.sqlite3_extended_errcode(db), raw.sqlite3_errmsg(db).utf8_to_string());

    private void Check(int code)
    {
        if (code != raw.SQLITE_OK)
        {
            throw Fault();
        }
    }
}
