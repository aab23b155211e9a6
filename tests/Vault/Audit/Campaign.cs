using Mangrove.Vault.Audit;
using Mangrove.Vault.Storage;

namespace Mangrove.Tests.Vault.Audit;

/// <summary>
/// A copy of a log in memory, changed and judged many thousand times: each mutant lives in a transaction that is rolled
/// back, or, where it is judged as a file, until the copy is made anew from the one that nobody changes. A change that leaves every row as it was is not counted.
/// </summary>
internal sealed class Campaign : IDisposable
{
    private readonly RawSqlite copy;
    private readonly LogIdentity identity;
    private readonly Mangrove.Sealing.CheckpointVerifier key;
    private readonly Checkpoint anchor;
    private readonly OfflineJudge? judge;
    private readonly RawSqlite? untouched;
    private readonly Dictionary<string, RawStatement> statements = new(StringComparer.Ordinal);
    private readonly string original;
    private int asked;

    private Campaign(RawSqlite copy, LogIdentity identity, Mangrove.Sealing.CheckpointVerifier key, Checkpoint anchor, OfflineJudge? judge)
    {
        this.judge = judge;
        if (judge is not null)
        {
            // An open transaction cannot be written out as a file.
            untouched = RawSqlite.Open(":memory:", readOnly: false, create: true, TimeSpan.Zero);
            copy.CopyTo(untouched);
        }

        this.copy = copy;
        this.identity = identity;
        this.key = key;
        this.anchor = anchor;
        original = Content();
    }

    public int Tried { get; private set; }

    /// <summary>Only each so-manieth mutant is made and judged: a bounded share of a long campaign.</summary>
    public int Share { get; init; } = 1;

    public List<string> Survivors { get; } = [];

    public IReadOnlyList<string> LastCodes { get; private set; } = [];

    public long Size => anchor.Size;

    /// <param name="home">Whose log.</param>
    /// <param name="log">The log, still open.</param>
    /// <param name="judge">The stand-alone verifier; null for the log's own.</param>
    /// <param name="share">Each so-manieth mutant only.</param>
    public static Task<Campaign> Of(SqliteHome home, AuditLog log, OfflineJudge? judge = null, int share = 1)
    {
        var memory = RawSqlite.Open(":memory:", readOnly: false, create: true, TimeSpan.Zero);
        using (var file = RawSqlite.Open(home.File, readOnly: true, create: false, TimeSpan.FromSeconds(1)))
        {
            file.CopyTo(memory);
        }

        memory.Triggers(on: false);
        return Task.FromResult(new Campaign(memory, log.Identity, home.Key(), log.Newest!, judge) { Share = share });
    }

    public static List<object[]> Read(RawSqlite connection, string table, string[] columns)
    {
        using var rows = connection.Prepare($"SELECT {string.Join(", ", columns)} FROM {table} ORDER BY 1, 2");
        var read = new List<object[]>();
        while (rows.Step())
        {
            read.Add([.. columns.Select((column, index) => column switch
            {
                "seq" or "at" or "outcome" or "size" => (object)rows.Int64(index),
                "actor" or "action" => rows.String(index),
                _ => rows.Blob(index).ToArray(),
            })]);
        }

        return read;
    }

    public List<object[]> Read(string table, string[] columns) => Read(copy, table, columns);

    /// <summary>The unchanged log must pass, or the campaign would prove nothing.</summary>
    public async Task Baseline() => Assert.Empty(await Verify());

    public async Task Try(string name, Action change)
    {
        if (asked++ % Share != 0)
        {
            return;
        }

        if (untouched is null)
        {
            copy.Execute("BEGIN");
        }

        try
        {
            change();
            if (Content() == original)
            {
                return;
            }

            Tried++;
            LastCodes = await Verify();
            if (LastCodes.Count == 0)
            {
                Survivors.Add(name);
            }
        }
        catch (SqliteFault fault) when (fault.Primary is SQLitePCL.raw.SQLITE_CONSTRAINT)
        {
            // The table itself refused the change (a second row with the same key): no such mutant can exist.
        }
        finally
        {
            if (untouched is null)
            {
                copy.Execute("ROLLBACK");
            }
            else
            {
                untouched.CopyTo(copy);
            }
        }
    }

    public void Execute(string sql) => copy.Execute(sql);

    public void Set(string table, string[] columns, object[] row, int column, object value)
    {
        var where = string.Join(" AND ", Enumerable.Range(0, Keys(table)).Select(key => $"{columns[key]} = ?{key + 2}"));
        var update = Statement($"UPDATE {table} SET {columns[column]} = ?1 WHERE {where}");
        Bind(update, 1, value);
        for (var part = 0; part < Keys(table); part++)
        {
            Bind(update, part + 2, row[part]);
        }

        update.Run();
    }

    public void Delete(string table, string[] columns, object[] row)
    {
        var where = string.Join(" AND ", Enumerable.Range(0, Keys(table)).Select(key => $"{columns[key]} = ?{key + 1}"));
        var delete = Statement($"DELETE FROM {table} WHERE {where}");
        for (var part = 0; part < Keys(table); part++)
        {
            Bind(delete, part + 1, row[part]);
        }

        delete.Run();
    }

    public void Insert(string table, string[] columns, object[] row)
    {
        var insert = Statement($"INSERT INTO {table} ({string.Join(", ", columns)}) VALUES ({string.Join(", ", columns.Select((_, index) => $"?{index + 1}"))})");
        for (var part = 0; part < row.Length; part++)
        {
            Bind(insert, part + 1, row[part]);
        }

        insert.Run();
    }

    public void Dispose()
    {
        foreach (var statement in statements.Values)
        {
            statement.Dispose();
        }

        copy.Dispose();
        untouched?.Dispose();
        key.Dispose();
    }

    private static int Keys(string table) => table == "entry_patient" ? 2 : 1;

    private static void Bind(RawStatement statement, int index, object value)
    {
        _ = value switch
        {
            long number => statement.Bind(index, number),
            string text => statement.BindText(index, text),
            _ => statement.BindBlob(index, (byte[])value),
        };
    }

    private RawStatement Statement(string sql)
    {
        if (!statements.TryGetValue(sql, out var statement))
        {
            statements.Add(sql, statement = copy.Prepare(sql));
        }

        return statement;
    }

    private string Content()
    {
        using var hash = System.Security.Cryptography.IncrementalHash.CreateHash(System.Security.Cryptography.HashAlgorithmName.SHA256);
        foreach (var (sql, columns) in ((string, int)[])[
            ("SELECT seq, at, actor, action, outcome, hash, body FROM entry ORDER BY seq", 7), ("SELECT size, signed, frontier FROM checkpoint ORDER BY size", 3),
            ("SELECT patient, seq FROM entry_patient ORDER BY patient, seq", 2), ("SELECT facility, log FROM log", 2), ("SELECT name, sql FROM sqlite_schema", 2)])
        {
            using var rows = copy.Prepare(sql);
            while (rows.Step())
            {
                for (var column = 0; column < columns; column++)
                {
                    var bytes = rows.Blob(column);
                    hash.AppendData(BitConverter.GetBytes(bytes.Length));
                    hash.AppendData(bytes);
                }
            }
        }

        return Convert.ToHexString(hash.GetHashAndReset());
    }

    private async Task<IReadOnlyList<string>> Verify()
    {
        if (judge is not null)
        {
            return await judge.Judge(copy);
        }

        using var source = new SqliteAuditSource(copy, owned: false);
        var report = await new AuditVerifier(identity, key, TimeProvider.System).Full(source, [anchor], [], null, default);
        return [.. report.Problems.Select(problem => problem.Code)];
    }
}
