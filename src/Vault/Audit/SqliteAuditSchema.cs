using Mangrove.Vault.Storage;
using SQLitePCL;

namespace Mangrove.Vault.Audit;

/// <summary>The tables of a log in SQLite, and what its connections may do.</summary>
internal static class SqliteAuditSchema
{
    public const int Version = 1;

    private static readonly string[] Tables = ["log", "entry", "entry_patient", "checkpoint"];

    // Compared byte for byte with sqlite_schema by the verifier: what looks like a table must not be something else.
    private static readonly string[] Definitions =
    [
        "CREATE TABLE log (one INTEGER PRIMARY KEY CHECK (one = 1), facility BLOB NOT NULL, log BLOB NOT NULL) STRICT",
        "CREATE TABLE entry (seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL, outcome INTEGER NOT NULL, hash BLOB NOT NULL, body BLOB NOT NULL) STRICT",
        "CREATE TABLE entry_patient (patient BLOB NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (patient, seq)) STRICT, WITHOUT ROWID",
        "CREATE TABLE checkpoint (size INTEGER PRIMARY KEY, signed BLOB NOT NULL, frontier BLOB NOT NULL) STRICT",
        "CREATE INDEX entry_at ON entry (at)",
        "CREATE INDEX entry_actor ON entry (actor)",
        "CREATE INDEX entry_action ON entry (action)",
        .. from table in Tables
           from act in (string[])["UPDATE", "DELETE"]
           select $"CREATE TRIGGER {table}_no_{(act == "UPDATE" ? "update" : "delete")} BEFORE {act} ON {table} BEGIN SELECT RAISE(ABORT, 'the audit log only grows'); END",
    ];

    public static void Create(RawSqlite connection, LogIdentity identity)
    {
        connection.Execute("BEGIN IMMEDIATE");
        foreach (var definition in Definitions)
        {
            connection.Execute(definition);
        }

        using (var insert = connection.Prepare("INSERT INTO log (one, facility, log) VALUES (1, ?, ?)"))
        {
            insert.BindBlob(1, identity.Facility.ToByteArray(bigEndian: true))
                .BindBlob(2, identity.Log.ToByteArray(bigEndian: true)).Run();
        }

        connection.Execute($"PRAGMA user_version={Version}");
        connection.Execute("COMMIT");
    }

    public static IReadOnlyList<string> Differences(RawSqlite connection)
    {
        var expected = Definitions.ToHashSet(StringComparer.Ordinal);
        var differences = new List<string>();
        using var rows = connection.Prepare("SELECT name, coalesce(sql, '') FROM sqlite_schema");
        while (rows.Step())
        {
            var name = rows.String(0);
            if (!expected.Remove(rows.String(1)) && !name.StartsWith("sqlite_autoindex_", StringComparison.Ordinal))
            {
                differences.Add($"{name} is not part of an audit log");
            }
        }

        differences.AddRange(expected.Select(definition => $"missing: {definition.Split(" (", 2)[0]}"));
        return differences;
    }

    public static bool AllowsReading(int action, string? first, string? second) =>
        action is raw.SQLITE_SELECT or raw.SQLITE_READ or raw.SQLITE_FUNCTION or raw.SQLITE_TRANSACTION;

    public static bool AllowsWriting(int action, string? first, string? second) =>
        AllowsReading(action, first, second)
        || (action == raw.SQLITE_INSERT && Tables.Contains(first, StringComparer.Ordinal));
}
