using System.Globalization;
using Mangrove.Vault;
using Microsoft.Data.Sqlite;

namespace Mangrove.Cli.Upgrades;

/// <summary>
/// What a store's tables look like, whatever way they came to it: a line for each column, index and trigger. Two stores
/// with the same lines take the same statements.
/// </summary>
public static class SchemaPicture
{
    // Columns of one table may stand in another order where one was added later; every statement names its columns.
    private const string Lines = """
        SELECT t.name || '.' || c.name || ' ' || c.type || CASE c."notnull" WHEN 1 THEN ' NOT NULL' ELSE '' END || COALESCE(' DEFAULT ' || c.dflt_value, '') || CASE c.pk WHEN 0 THEN '' ELSE ' KEY ' || c.pk END
        FROM sqlite_schema t, pragma_table_info(t.name) c WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%'
        UNION ALL
        SELECT t.name || ': ' || CASE i.origin WHEN 'c' THEN i.name ELSE i.origin END || CASE i."unique" WHEN 1 THEN ' UNIQUE' ELSE '' END || CASE i.partial WHEN 1 THEN ' PARTIAL' ELSE '' END
            || ' (' || (SELECT group_concat(COALESCE(x.name, '?'), ', ') FROM pragma_index_info(i.name) x) || ')'
        FROM sqlite_schema t, pragma_index_list(t.name) i WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%'
        UNION ALL
        SELECT name || ' ON ' || tbl_name FROM sqlite_schema WHERE type = 'trigger'
        """;

    private const string ShortLines = """
        SELECT t.name || '.' || c.name FROM sqlite_schema t, pragma_table_info(t.name) c WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%'
        UNION ALL
        SELECT t.name || ': ' || i.name FROM sqlite_schema t, pragma_index_list(t.name) i WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%' AND i.origin = 'c'
        """;

    /// <summary>The lines of each stamped store of a folder.</summary>
    public static Task<SortedSet<string>> Of(string folder, CancellationToken cancel) => Read(folder, Lines, cancel);

    /// <summary>The names alone of one store, which are the same on both databases.</summary>
    public static async Task<HashSet<string>> Names(string folder, string store, CancellationToken cancel) =>
        [.. from line in await Read(folder, ShortLines, cancel)
            where line.StartsWith(store + ".", StringComparison.Ordinal)
            select line[(store.Length + 1)..]];

    /// <summary>The lines of an empty hospital of this version, which is made in a folder and left there.</summary>
    public static async Task<SortedSet<string>> OfThisVersion(string folder, CancellationToken cancel)
    {
        Directory.CreateDirectory(folder);
        var empty = StorageOptions.Sqlite(folder);
        await VaultRoom.CreateTables(empty, cancel);
        await Hospital.Migrate(empty, cancel);
        return await Of(folder, cancel);
    }

    /// <summary>What one has and the other does not, for the person who must call for help.</summary>
    public static IReadOnlyList<string> Differences(SortedSet<string> expected, SortedSet<string> found) =>
        [.. expected.Except(found).Select(line => "missing: " + line), .. found.Except(expected).Select(line => "unknown: " + line)];

    private static async Task<SortedSet<string>> Read(string folder, string sql, CancellationToken cancel)
    {
        var lines = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var store in SchemaStamp.Stores)
        {
            await using var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = Path.Combine(folder, store + ".db"), Mode = SqliteOpenMode.ReadOnly, Pooling = false }.ToString());
            await connection.OpenAsync(cancel);
            await using var command = connection.CreateCommand();
#pragma warning disable CA2100 // One of the two constants above.
            command.CommandText = sql;
#pragma warning restore CA2100
            await using var reader = await command.ExecuteReaderAsync(cancel);
            while (await reader.ReadAsync(cancel))
            {
                lines.Add(string.Create(CultureInfo.InvariantCulture, $"{store}.{reader.GetString(0)}"));
            }
        }

        return lines;
    }
}
