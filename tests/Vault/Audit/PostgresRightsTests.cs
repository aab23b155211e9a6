using Mangrove.Kernel;
using Mangrove.Vault.Audit;
using Npgsql;

namespace Mangrove.Tests.Vault.Audit;

/// <summary>What PostgreSQL itself keeps the server from, and what verification finds when the owner changes rows.</summary>
public sealed class PostgresRightsTests
{
    [Fact]
    public async Task The_servers_role_can_only_insert_and_select()
    {
        await using var home = await PostgresHome.Create();
        await (await TamperTests.Filled(home, rounds: 1)).DisposeAsync();
        await using var connection = new NpgsqlConnection(home.Database.Audit);
        await connection.OpenAsync();
        foreach (var sql in (string[])[
            "UPDATE audit.entry SET actor = 'x'", "DELETE FROM audit.entry", "DELETE FROM audit.checkpoint", "TRUNCATE audit.entry_patient",
            "DROP TABLE audit.entry", "ALTER TABLE audit.entry DISABLE TRIGGER ALL", "SET session_replication_role = replica", "CREATE TABLE audit.x (y int)",
            "INSERT INTO audit.entry SELECT * FROM audit.entry ON CONFLICT (log, seq) DO UPDATE SET actor = 'x'"])
        {
            await using var command = new NpgsqlCommand(sql, connection);
            var refused = await Assert.ThrowsAsync<PostgresException>(() => command.ExecuteNonQueryAsync());
            Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, refused.SqlState);
        }
    }

    [Fact]
    public async Task A_role_with_more_rights_does_not_start()
    {
        await using var home = await PostgresHome.Create();
        home.Attack($"GRANT DELETE ON audit.checkpoint TO {home.Database.AuditRole}");
        Assert.Equal("audit.rights", (await Assert.ThrowsAsync<RefusedInput>(() => home.Open())).Code);
        home.Attack($"REVOKE DELETE ON audit.checkpoint FROM {home.Database.AuditRole}");
        await using var log = await home.Open();
        Assert.Equal(1, (await log.Append(AuditHome.Act())).Seq);
    }

    [Fact]
    public async Task A_second_server_on_the_same_log_does_not_start()
    {
        await using var home = await PostgresHome.Create();
        await using (await home.Open())
        {
            Assert.Equal("audit.in-use", (await Assert.ThrowsAsync<RefusedInput>(() => home.Open())).Code);
        }

        await using var after = await home.Open();
        Assert.Null(after.Newest);
    }

    [Fact]
    public async Task A_server_that_starts_while_the_one_before_still_ends_waits_for_its_log()
    {
        await using var home = await PostgresHome.Create();
        var before = await home.Open();
        var after = home.Open();
        Assert.Equal(1, (await before.Append(AuditHome.Act())).Seq);
        Assert.False(after.IsCompleted);
        await before.DisposeAsync();
        await using var log = await after;
        Assert.Equal(2, (await log.Append(AuditHome.Act())).Seq);
    }

    [Theory]
    [InlineData("UPDATE audit.entry SET actor = 'x' WHERE seq = 3", "audit.column")]
    [InlineData("UPDATE audit.entry SET hash = decode(repeat('00', 32), 'hex') WHERE seq = 3", "audit.hash")]
    [InlineData("UPDATE audit.entry SET body = set_byte(body, 120, 1) WHERE seq = 3", "audit.hash")]
    [InlineData("DELETE FROM audit.entry WHERE seq = 3", "audit.sequence")]
    [InlineData("DELETE FROM audit.entry WHERE seq > 7", "audit.rolled-back")]
    [InlineData("UPDATE audit.checkpoint SET signed = set_byte(signed, 200, get_byte(signed, 200) # 1)", "audit.checkpoint-signature")]
    [InlineData("UPDATE audit.checkpoint SET frontier = set_byte(frontier, 20, get_byte(frontier, 20) # 1)", "audit.frontier")]
    [InlineData("DELETE FROM audit.checkpoint WHERE size = (SELECT max(size) FROM audit.checkpoint)", "audit.uncovered")]
    [InlineData("DELETE FROM audit.entry_patient WHERE seq = 4", "audit.patient-missing")]
    [InlineData("UPDATE audit.entry_patient SET seq = 5 WHERE seq = 4", "audit.patient-extra")]
    [InlineData("CREATE RULE quiet AS ON INSERT TO audit.entry_patient DO INSTEAD NOTHING", "audit.schema")]
    public async Task A_change_by_the_owner_is_found(string sql, string code)
    {
        await using var home = await PostgresHome.Create();
        await using var log = await TamperTests.Filled(home, rounds: 1);
        Assert.Empty((await log.Verify()).Problems);
        home.Attack(sql);
        Assert.Contains(code, (await log.Verify()).Problems.Select(problem => problem.Code));
    }

    [Fact]
    public async Task A_lost_connection_refuses_and_the_log_recovers()
    {
        await using var home = await PostgresHome.Create();
        await using var log = await home.Open(new AuditOptions { ProbeEvery = TimeSpan.FromMilliseconds(20) });
        await log.Append(AuditHome.Act());
        await Mangrove.Tests.Shared.TestPostgres.Sql(
            home.Database.Folder, home.Database.Name, $"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{home.Database.AuditRole}'");
        await Assert.ThrowsAsync<AuditUnavailable>(async () => await log.Append(AuditHome.Act()));
        for (var tries = 0; tries < 100 && !await log.Recover(); tries++)
        {
            await Task.Delay(20);
        }

        var next = await log.Append(AuditHome.Act());
        Assert.InRange(next.Seq, 2, 3);
        Assert.Empty((await log.Verify()).Problems);
    }
}
