using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Identity;

namespace Mangrove.Tests.Vault.Identity;

public abstract class SessionRulesTests : OnEveryDatabase
{
    [Fact]
    public async Task Stricter_times_hold_at_once_in_open_sessions_and_after_a_restart()
    {
        var house = await House();
        await house.Member("amina", Role.Admin);
        await house.Member("ben");
        var admin = await house.Enter("amina");
        var nurse = await house.Enter("ben");
        house.Clock.Pass(TimeSpan.FromSeconds(70));
        Assert.Equal(SessionStanding.Live, (await house.Sessions.Resolve(nurse.Token, default)).Standing);

        Assert.True((await house.Desk.SessionPolicy.Change(admin.Actor, new SessionTimes(60, 480, 3), default, default)).Ok);

        Assert.Equal(SessionStanding.Locked, (await house.Sessions.Resolve(nurse.Token, default)).Standing);
        Assert.Equal(3, (await house.Sessions.Locked(nurse.Token, default))!.TriesLeft);
        Assert.Equal("idle lock 300 s, life 720 min, 5 tries -> idle lock 60 s, life 480 min, 3 tries", Assert.Single(await house.Entries("CHANGE_SESSION_TIMES")).Reason);
        await house.Restart();
        Assert.Equal(new SessionTimes(60, 480, 3), house.Desk.SessionPolicy.Times);
        Assert.Equal(TimeSpan.FromSeconds(60), house.Desk.Options.IdleLock);
        house.Clock.Pass(TimeSpan.FromHours(8));
        Assert.Equal(SessionEnd.Expired, (await house.Sessions.Resolve(nurse.Token, default)).Ended);
    }

    [Fact]
    public async Task Looser_times_ask_for_the_administrators_code_which_is_used_up()
    {
        var house = await House();
        await house.Member("amina", Role.Admin);
        var admin = await house.Enter("amina");
        Assert.True((await house.Desk.SessionPolicy.Change(admin.Actor, new SessionTimes(60, 480, 3), default, default)).Ok);
        house.Clock.Pass(TimeSpan.FromSeconds(30));

        // One of the three is enough to be looser.
        foreach (var looser in new[] { new SessionTimes(61, 480, 3), new SessionTimes(60, 481, 3), new SessionTimes(60, 480, 4), new SessionTimes(30, 720, 3) })
        {
            Assert.Equal("factor.code", (await house.Desk.SessionPolicy.Change(admin.Actor, looser, new("000000"), default)).Error!.Code);
            Assert.Equal(new SessionTimes(60, 480, 3), house.Desk.SessionPolicy.Times);
        }

        var code = house.Code("amina");
        Assert.True((await house.Desk.SessionPolicy.Change(admin.Actor, SessionTimes.Seeds, new(code), default)).Ok);
        Assert.True((await house.Desk.SessionPolicy.Change(admin.Actor, new SessionTimes(60, 480, 3), default, default)).Ok);
        Assert.Equal("factor.code", (await house.Desk.SessionPolicy.Change(admin.Actor, SessionTimes.Seeds, new(code), default)).Error!.Code);
        Assert.Equal(5, (await house.Entries("CHANGE_SESSION_TIMES")).Count(entry => entry.Reason == "factor.code"));
    }

    [Fact]
    public async Task Five_wrong_codes_and_the_session_is_asked_no_more()
    {
        var house = await House();
        await house.Member("amina", Role.Admin);
        var admin = await house.Enter("amina");
        Assert.True((await house.Desk.SessionPolicy.Change(admin.Actor, new SessionTimes(60, 480, 3), default, default)).Ok);
        house.Clock.Pass(TimeSpan.FromSeconds(30));
        var tried = await Task.WhenAll(Enumerable.Range(0, 64).Select(_ => Task.Run(() => house.Desk.SessionPolicy.Change(admin.Actor, SessionTimes.Seeds, new("000000"), default))));

        Assert.Equal(5, tried.Count(one => one.Error!.Code == "factor.code"));
        Assert.Equal(59, tried.Count(one => one.Error!.Code == "factor.too-many"));
        Assert.Equal("factor.too-many", (await house.Desk.SessionPolicy.Change(admin.Actor, SessionTimes.Seeds, new(house.Code("amina")), default)).Error!.Code);

        // Asking for more needs no code, so it goes on.
        Assert.True((await house.Desk.SecondFactor.Require(admin.Actor, new HashSet<Role> { Role.Nurse }, default, default)).Ok);

        var again = await house.Enter("amina");
        house.Clock.Pass(TimeSpan.FromSeconds(30));
        Assert.True((await house.Desk.SessionPolicy.Change(again.Actor, SessionTimes.Seeds, new(house.Code("amina")), default)).Ok);
    }

    [Theory]
    [InlineData(29, 720, 5, "session.idle-lock")]
    [InlineData(301, 720, 5, "session.idle-lock")]
    [InlineData(300, 14, 5, "session.life")]
    [InlineData(300, 721, 5, "session.life")]
    [InlineData(300, 720, 2, "session.unlock-tries")]
    [InlineData(300, 720, 6, "session.unlock-tries")]
    public async Task Nothing_goes_beyond_the_seeds_even_with_a_code(int idle, int life, int tries, string refusal)
    {
        var house = await House();
        await house.Member("amina", Role.Admin);
        var admin = await house.Enter("amina");
        house.Clock.Pass(TimeSpan.FromSeconds(30));

        Assert.Equal(refusal, (await house.Desk.SessionPolicy.Change(admin.Actor, new SessionTimes(idle, life, tries), new(house.Code("amina")), default)).Error!.Code);

        Assert.Equal(SessionTimes.Seeds, house.Desk.SessionPolicy.Times);
        Assert.Equal(0, await house.Count("SELECT COUNT(*) FROM policy_setting"));
    }

    [Fact]
    public async Task Nobody_but_an_administrator_sets_them()
    {
        var house = await House();
        await house.Member("ben");
        var nurse = await house.Enter("ben");

        Assert.Equal("access.role", (await Assert.ThrowsAsync<Refused>(() => house.Desk.SessionPolicy.Change(nurse.Actor, new SessionTimes(60, 480, 3), default, default))).Code);
    }

    [Fact]
    public async Task What_was_written_into_the_table_past_the_rules_makes_the_times_strict_not_long()
    {
        var house = await House();
        await house.Count("SELECT COUNT(*) FROM policy_setting");
        await using (var connection = await house.Store.Open(default))
        {
            await connection.Run("INSERT INTO policy_setting (name, value, changed_by, changed) VALUES ('IDLE_LOCK_SECONDS', 86400, 1, 1)", default);
        }

        await house.Restart();

        Assert.Equal(new SessionTimes(30, 15, 3), house.Desk.SessionPolicy.Times);
    }
}
