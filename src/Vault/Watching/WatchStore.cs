using System.Data.Common;

namespace Mangrove.Vault.Watching;

/// <summary>
/// The tables of the watch in vault.db. They hold ids, rules and figures; what was looked at stands in the log, and nothing
/// of a record stands here.
/// </summary>
internal static class WatchStore
{
    private const string Schema = """
        CREATE TABLE IF NOT EXISTS watch_finding (
            seq INTEGER NOT NULL,
            rule TEXT NOT NULL,
            staff INTEGER NOT NULL,
            patient BLOB NULL,
            action TEXT NOT NULL,
            device TEXT NOT NULL,
            detail TEXT NOT NULL,
            at INTEGER NOT NULL,
            outcome TEXT NULL,
            settled INTEGER NULL,
            settled_by INTEGER NULL,
            PRIMARY KEY (seq, rule));
        CREATE INDEX IF NOT EXISTS watch_finding_at ON watch_finding (at);
        CREATE INDEX IF NOT EXISTS watch_finding_open ON watch_finding (seq) WHERE settled IS NULL;
        CREATE TABLE IF NOT EXISTS watch_position (
            id INTEGER NOT NULL PRIMARY KEY,
            seq INTEGER NOT NULL);
        CREATE TABLE IF NOT EXISTS watch_flag (
            patient BLOB NOT NULL PRIMARY KEY,
            mrn TEXT NOT NULL,
            kind INTEGER NOT NULL,
            set_by INTEGER NOT NULL,
            since INTEGER NOT NULL)
        """;

    /// <summary>Creates the tables where they are missing: in a new hospital, and in one that an earlier version made.</summary>
    public static Task Create(Store vault, CancellationToken cancel) => vault.Create(Schema, cancel);

    public static async Task<long?> Position(DbConnection connection, CancellationToken cancel) =>
        await connection.Scalar("SELECT seq FROM watch_position WHERE id = 1", cancel) is { } seq and not DBNull ? Convert.ToInt64(seq, System.Globalization.CultureInfo.InvariantCulture) : null;

    public static Task Keep(DbConnection connection, long seq, CancellationToken cancel) => connection.Run(
        "INSERT INTO watch_position (id, seq) VALUES (1, @seq) ON CONFLICT (id) DO UPDATE SET seq = excluded.seq",
        cancel,
        ("@seq", seq));
}
