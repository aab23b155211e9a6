using Mangrove.Kernel;
using Mangrove.Vault.Audit;
using Mangrove.Vault.Storage;

namespace Mangrove.Tests.Vault.Audit;

/// <summary>What happens when the log in SQLite cannot be written, or is not the log that it was (threats A1, A5, A12).</summary>
public sealed class AuditDenialTests
{
    private static readonly AuditOptions Quick = new() { ProbeEvery = TimeSpan.FromMilliseconds(20) };

    [Fact]
    public async Task A_full_disk_refuses_every_entry_and_the_log_recovers_when_there_is_space()
    {
        await using var home = new SqliteHome { MostPages = 40 };
        var log = await home.Open(Quick);
        var receipts = 0L;
        var refused = await Assert.ThrowsAsync<AuditUnavailable>(async () =>
        {
            for (var number = 0; number < 5000; number++)
            {
                receipts = (await log.Append(AuditHome.Act(number))).Seq;
            }
        });

        Assert.Contains("full", refused.Message, StringComparison.Ordinal);
        Assert.InRange(receipts, 1, 4999);
        await Assert.ThrowsAsync<AuditUnavailable>(async () => await log.Append(AuditHome.Act()));
        await log.DisposeAsync();

        home.MostPages = null;
        await using var later = await home.Open();
        Assert.Equal(receipts, later.Newest!.Size);
        Assert.Equal(receipts + 1, (await later.Append(AuditHome.Act())).Seq);
        Assert.Empty((await later.Verify()).Problems);
    }

    [Fact]
    public async Task A_lock_held_by_another_program_refuses_and_the_log_recovers_by_itself()
    {
        await using var home = new SqliteHome();
        await using var log = await home.Open(Quick);
        await log.Append(AuditHome.Act());
        using (var other = RawSqlite.Open(home.File, readOnly: false, create: false, TimeSpan.Zero))
        {
            other.Execute("BEGIN IMMEDIATE");
            var refusals = await Task.WhenAll(Enumerable.Range(0, 10).Select(async number =>
                await Record.ExceptionAsync(async () => await log.Append(AuditHome.Act(number)))));
            Assert.All(refusals, refusal => Assert.IsType<AuditUnavailable>(refusal));
            Assert.Equal("audit.unavailable", log.Failure!.Code);
            other.Execute("ROLLBACK");
        }

        await Eventually(log);
        Assert.Equal(2, log.Newest!.Size);
        Assert.Empty((await log.Verify()).Problems);
    }

    [Fact]
    public async Task A_deleted_file_refuses_at_once_and_a_replaced_one_is_not_taken_for_the_log()
    {
        await using var home = new SqliteHome();
        await using var log = await home.Open(Quick);
        await log.Append(AuditHome.Act());
        using (var file = RawSqlite.Open(home.File, readOnly: true, create: false, TimeSpan.FromSeconds(1)))
        {
            using var old = RawSqlite.Open(home.File + ".old", readOnly: false, create: true, TimeSpan.Zero);
            file.CopyTo(old);
        }

        await log.Append(AuditHome.Act());
        Remove(home);
        await Assert.ThrowsAsync<AuditUnavailable>(async () => await log.Append(AuditHome.Act()));
        Assert.False(await log.Recover());
        Assert.Equal("audit.rolled-back", log.Failure!.Code);

        File.Move(home.File + ".old", home.File);
        Assert.False(await log.Recover());
        Assert.Equal("audit.rolled-back", log.Failure!.Code);
        var refused = await Assert.ThrowsAsync<AuditUnavailable>(async () => await log.Append(AuditHome.Act()));
        Assert.Equal("audit.unavailable", refused.Code);
    }

    [Fact]
    public async Task A_log_that_is_missing_or_an_older_copy_of_itself_does_not_start()
    {
        await using var home = new SqliteHome();
        var log = await TamperTests.Filled(home, rounds: 2);
        await log.DisposeAsync();
        var older = await File.ReadAllBytesAsync(home.File);
        log = await TamperTests.Filled(home, rounds: 1);
        await log.DisposeAsync();
        var newer = await File.ReadAllBytesAsync(home.File);

        await File.WriteAllBytesAsync(home.File, older);
        Assert.Equal("audit.rolled-back", (await Assert.ThrowsAsync<RefusedInput>(() => home.Open())).Code);
        Remove(home);
        Assert.Equal("audit.rolled-back", (await Assert.ThrowsAsync<RefusedInput>(() => home.Open())).Code);
        Assert.False(File.Exists(home.File));

        await File.WriteAllBytesAsync(home.File, newer);
        await using var whole = await home.Open();
        Assert.Equal(24, whole.Newest!.Size);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(10)]
    [InlineData(24)]
    public async Task A_log_cut_short_does_not_start(int gone)
    {
        await using var home = new SqliteHome();
        await (await TamperTests.Filled(home, rounds: 3)).DisposeAsync();
        var left = 24 - gone;
        home.Attack($"DELETE FROM entry WHERE seq > {left}; DELETE FROM entry_patient WHERE seq > {left}; DELETE FROM checkpoint WHERE size > {left}");
        Assert.Equal("audit.rolled-back", (await Assert.ThrowsAsync<RefusedInput>(() => home.Open())).Code);
    }

    [Fact]
    public async Task A_log_that_went_back_and_grew_past_its_anchor_does_not_start()
    {
        await using var home = new SqliteHome();
        await (await TamperTests.Filled(home, rounds: 1)).DisposeAsync();
        var older = await File.ReadAllBytesAsync(home.File);
        await (await TamperTests.Filled(home, rounds: 1)).DisposeAsync();

        await File.WriteAllBytesAsync(home.File, older);
        await using (var forked = await home.Open(anchors: new MemoryAnchors()))
        {
            for (var number = 0; number < 20; number++)
            {
                await forked.Append(AuditHome.Act(number));
            }
        }

        Assert.Equal("audit.rolled-back", (await Assert.ThrowsAsync<RefusedInput>(() => home.Open())).Code);
    }

    [Fact]
    public async Task A_change_after_the_anchor_is_found_at_the_start()
    {
        await using var home = new SqliteHome();
        await (await TamperTests.Filled(home, rounds: 1)).DisposeAsync();
        await using (var more = await home.Open(anchors: new MemoryAnchors()))
        {
            for (var number = 0; number < 20; number++)
            {
                await more.Append(AuditHome.Act(number));
            }
        }

        home.Attack("UPDATE entry SET actor = 'dr.nobody' WHERE seq = 15");
        Assert.Equal("audit.column", (await Assert.ThrowsAsync<RefusedInput>(() => home.Open())).Code);
    }

    [Fact]
    public async Task Another_hospitals_log_or_key_does_not_start()
    {
        await using var home = new SqliteHome();
        await using var other = new SqliteHome();
        await (await TamperTests.Filled(home, rounds: 1)).DisposeAsync();
        var foreign = await Assert.ThrowsAsync<RefusedInput>(() => AuditLog.Open(
            home.Store(), other.Facility, home.Signer, new MemoryAnchors(), TimeProvider.System, Ids.New()));
        Assert.Equal("audit.identity", foreign.Code);
        var key = await Assert.ThrowsAsync<RefusedInput>(() => AuditLog.Open(
            home.Store(), home.Facility, other.Signer, new MemoryAnchors(), TimeProvider.System, Ids.New()));
        Assert.Equal("audit.checkpoint-signature", key.Code);
    }

    [Theory]
    [InlineData("UPDATE entry SET actor = 'x'")]
    [InlineData("DELETE FROM entry")]
    [InlineData("DELETE FROM checkpoint")]
    [InlineData("REPLACE INTO entry_patient SELECT * FROM entry_patient")]
    [InlineData("INSERT OR REPLACE INTO entry SELECT * FROM entry")]
    [InlineData("INSERT INTO entry SELECT * FROM entry WHERE 1 ON CONFLICT (seq) DO UPDATE SET actor = 'x'")]
    [InlineData("DROP TABLE entry")]
    [InlineData("DROP TRIGGER entry_no_delete")]
    [InlineData("ALTER TABLE entry ADD COLUMN x")]
    [InlineData("CREATE TEMP TRIGGER t AFTER INSERT ON entry BEGIN DELETE FROM entry; END")]
    [InlineData("PRAGMA writable_schema = 1")]
    [InlineData("PRAGMA journal_mode = OFF")]
    [InlineData("PRAGMA synchronous = OFF")]
    [InlineData("ATTACH ':memory:' AS other")]
    [InlineData("VACUUM")]
    [InlineData("INSERT INTO sqlite_schema VALUES ('table', 'x', 'x', 0, '')")]
    public async Task The_writing_connection_can_only_insert_and_select(string sql)
    {
        await using var home = new SqliteHome();
        await (await TamperTests.Filled(home, rounds: 1)).DisposeAsync();
        using var connection = RawSqlite.Open(home.File, readOnly: false, create: false, TimeSpan.FromSeconds(1));
        connection.Execute("PRAGMA recursive_triggers=ON");
        connection.Guard(SqliteAuditSchema.AllowsWriting);
        Assert.Throws<SqliteFault>(() => connection.Execute(sql));
        Assert.Equal(8, connection.Number("SELECT count(*) FROM entry"));
    }

    [Fact]
    public async Task The_triggers_refuse_change_also_on_a_connection_without_the_guard()
    {
        await using var home = new SqliteHome();
        await (await TamperTests.Filled(home, rounds: 1)).DisposeAsync();
        using var connection = RawSqlite.Open(home.File, readOnly: false, create: false, TimeSpan.FromSeconds(1));
        foreach (var table in (string[])["entry", "entry_patient", "checkpoint", "log"])
        {
            Assert.Throws<SqliteFault>(() => connection.Execute($"DELETE FROM {table}"));
        }

        Assert.Throws<SqliteFault>(() => connection.Execute("UPDATE entry SET at = 0"));
    }

    [Fact]
    public async Task A_file_that_may_not_be_written_does_not_start_and_says_what_to_do()
    {
        await using var home = new SqliteHome();
        await (await TamperTests.Filled(home, rounds: 1)).DisposeAsync();

        // To root every file is writable, so a folder stands where the file was.
        var newer = home.File + ".kept";
        File.Move(home.File, newer);
        Directory.CreateDirectory(home.File);
        var refused = await Assert.ThrowsAnyAsync<RefusedInput>(() => home.Open());
        Assert.Contains(refused.Code, (string[])["audit.unavailable", "audit.rolled-back"]);
        Directory.Delete(home.File);
        File.Move(newer, home.File);
        await using var log = await home.Open();
        Assert.Equal(8, log.Newest!.Size);
    }

    private static void Remove(SqliteHome home)
    {
        foreach (var ending in (string[])["", "-wal", "-shm"])
        {
            File.Delete(home.File + ending);
        }
    }

    private static async Task Eventually(AuditLog log)
    {
        for (var tries = 0; tries < 200; tries++)
        {
            if (await Record.ExceptionAsync(async () => await log.Append(AuditHome.Act())) is null)
            {
                return;
            }

            await Task.Delay(20);
        }

        Assert.Fail("the log did not recover");
    }
}
