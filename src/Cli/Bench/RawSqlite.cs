using System.Diagnostics;
using Mangrove.Kernel;
using SQLitePCL;

namespace Mangrove.Cli.Bench;

/// <summary>
/// SQLite without anything around it, for references: the same bytes in one plain table, write-ahead log, synchronous
/// FULL. It also reads the bytes of the audit log's entries, whose layout is public (docs/formats/audit-log.md) and which
/// hold no clinical content.
/// </summary>
internal static class RawSqlite
{
    private const int EntryColumns = 4;

    /// <summary>Inserts rows of blobs into a new database, so many a transaction, each durable before the next begins.</summary>
    /// <returns>Rows a second.</returns>
    public static double Insert(string path, IReadOnlyList<byte[]?[]> rows, int inTransaction)
    {
        Check(raw.sqlite3_open_v2(path, out var db, raw.SQLITE_OPEN_READWRITE | raw.SQLITE_OPEN_CREATE | raw.SQLITE_OPEN_NOMUTEX, null));
        using (db)
        {
            var columns = Enumerable.Range(0, rows[0].Length).Select(at => $"c{at}").ToArray();
            Check(raw.sqlite3_exec(db, "PRAGMA journal_mode=WAL"));
            Check(raw.sqlite3_exec(db, "PRAGMA synchronous=FULL"));
            Check(raw.sqlite3_exec(db, $"CREATE TABLE row (id INTEGER PRIMARY KEY, {string.Join(", ", columns.Select(column => column + " BLOB"))}) STRICT"));
            Check(raw.sqlite3_prepare_v2(db, $"INSERT INTO row ({string.Join(", ", columns)}) VALUES ({string.Join(", ", columns.Select(_ => "?"))})", out var insert));
            using (insert)
            {
                var started = Stopwatch.GetTimestamp();
                for (var at = 0; at < rows.Count; at += inTransaction)
                {
                    Check(raw.sqlite3_exec(db, "BEGIN IMMEDIATE"));
                    for (var one = at; one < Math.Min(rows.Count, at + inTransaction); one++)
                    {
                        Put(insert, rows[one]);
                    }

                    Check(raw.sqlite3_exec(db, "COMMIT"));
                }

                return rows.Count / Stopwatch.GetElapsedTime(started).TotalSeconds;
            }
        }
    }

    /// <summary>The newest rows of an audit log, at most so many, in order: actor, act, hash and the entry's own bytes last.</summary>
    public static List<byte[][]> Entries(string path, int most)
    {
        Check(raw.sqlite3_open_v2(path, out var db, raw.SQLITE_OPEN_READONLY | raw.SQLITE_OPEN_NOMUTEX, null));
        using (db)
        {
            Check(raw.sqlite3_prepare_v2(db, "SELECT actor, action, hash, body FROM (SELECT seq, actor, action, hash, body FROM entry ORDER BY seq DESC LIMIT ?) ORDER BY seq", out var select));
            using (select)
            {
                Check(raw.sqlite3_bind_int64(select, 1, most));
                var entries = new List<byte[][]>();
                while (raw.sqlite3_step(select) == raw.SQLITE_ROW)
                {
                    entries.Add([.. Enumerable.Range(0, EntryColumns).Select(column => raw.sqlite3_column_blob(select, column).ToArray())]);
                }

                return entries;
            }
        }
    }

    private static void Put(sqlite3_stmt insert, byte[]?[] row)
    {
        for (var at = 0; at < row.Length; at++)
        {
            Check(row[at] is { } bytes ? raw.sqlite3_bind_blob(insert, at + 1, bytes) : raw.sqlite3_bind_null(insert, at + 1));
        }

        if (raw.sqlite3_step(insert) != raw.SQLITE_DONE)
        {
            throw new RefusedInput("bench.sqlite", "SQLite did not take a row of the reference. Is the disk full?");
        }

        Check(raw.sqlite3_reset(insert));
    }

    private static void Check(int code)
    {
        if (code != raw.SQLITE_OK)
        {
            throw new RefusedInput("bench.sqlite", $"SQLite refused a step of the reference with code {code}. Is the disk full?");
        }
    }
}
