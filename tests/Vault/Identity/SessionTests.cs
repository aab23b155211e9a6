using Mangrove.Kernel;
using Mangrove.Vault.Identity;

namespace Mangrove.Tests.Vault.Identity;

public abstract class SessionTests : OnEveryDatabase
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Fact]
    public async Task Five_minutes_without_a_gesture_lock_the_session_although_requests_go_on()
    {
        var house = await House();
        await house.Member("nina");
        var signedIn = await house.Enter("nina");
        for (var second = 0; second < 299; second++)
        {
            house.Clock.Pass(Second);
            Assert.Equal(SessionStanding.Live, (await house.Sessions.Resolve(signedIn.Token, default)).Standing);
        }

        house.Clock.Pass(Second);
        var state = await house.Sessions.Resolve(signedIn.Token, default);

        Assert.Equal(SessionStanding.Locked, state.Standing);
        Assert.Null(state.Actor);
        Assert.Equal(("nina", "Person nina"), (state.Holder!.User, state.Holder.DisplayName));
        Assert.Equal("idle", Assert.Single(await house.Entries("LOCK")).Reason);
    }

    [Fact]
    public async Task Gestures_keep_a_session_open_and_a_touch_does_not_open_a_locked_one()
    {
        var house = await House();
        await house.Member("nina");
        var signedIn = await house.Enter("nina");
        for (var n = 0; n < 20; n++)
        {
            house.Clock.Pass(TimeSpan.FromMinutes(4));
            Assert.Equal(SessionStanding.Live, (await house.Sessions.Touch(signedIn.Token, default)).Standing);
        }

        house.Clock.Pass(TimeSpan.FromMinutes(5));
        Assert.Equal(SessionStanding.Locked, (await house.Sessions.Touch(signedIn.Token, default)).Standing);
        Assert.Equal(SessionStanding.Locked, (await house.Sessions.Touch(signedIn.Token, default)).Standing);
    }

    [Fact]
    public async Task Twelve_hours_end_a_session_whatever_its_use()
    {
        var house = await House();
        await house.Member("nina");
        var signedIn = await house.Enter("nina");
        for (var minute = 0; minute < (12 * 60) - 1; minute++)
        {
            house.Clock.Pass(TimeSpan.FromMinutes(1));
            Assert.Equal(SessionStanding.Live, (await house.Sessions.Touch(signedIn.Token, default)).Standing);
        }

        house.Clock.Pass(TimeSpan.FromMinutes(1));
        Assert.Equal(SessionEnd.Expired, (await house.Sessions.Touch(signedIn.Token, default)).Ended);
        Assert.Equal("Expired", Assert.Single(await house.Entries("SESSION_ENDED")).Reason);
    }

    [Fact]
    public async Task The_sweep_locks_and_ends_what_nobody_asks_for_and_tells_the_streams()
    {
        var house = await House();
        await house.Member("nina");
        var signedIn = await house.Enter("nina");
        var changes = new List<(string, SessionTurn)>();
        house.Sessions.SessionChanged += (_, change) => changes.Add((change.SessionId, change.Turn));

        house.Clock.Pass(TimeSpan.FromMinutes(5));
        await house.Sessions.Sweep(default);
        house.Clock.Pass(TimeSpan.FromHours(12));
        await house.Sessions.Sweep(default);
        await house.Sessions.Sweep(default);

        Assert.Equal([(signedIn.Actor.SessionId, SessionTurn.Locked), (signedIn.Actor.SessionId, SessionTurn.Ended)], changes);
    }

    [Theory]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public async Task Either_clock_alone_locks_and_ends(bool wall, bool monotonic)
    {
        var house = await House();
        await house.Member("nina");
        var signedIn = await house.Enter("nina");

        Move(TimeSpan.FromMinutes(5));
        Assert.Equal(SessionStanding.Locked, (await house.Sessions.Resolve(signedIn.Token, default)).Standing);
        Move(TimeSpan.FromHours(12));
        Assert.Equal(SessionEnd.Expired, (await house.Sessions.Resolve(signedIn.Token, default)).Ended);

        void Move(TimeSpan time)
        {
            if (wall)
            {
                house.Clock.SetWall(time);
            }

            if (monotonic)
            {
                house.Clock.PassMonotonic(time);
            }
        }
    }

    [Fact]
    public async Task A_clock_set_back_ends_every_session_also_across_a_restart_and_sign_in_goes_on()
    {
        var house = await House();
        await house.Member("nina");
        await house.Member("omar");
        var nina = await house.Enter("nina");
        house.Clock.SetWall(TimeSpan.FromSeconds(-110));
        Assert.Equal(SessionStanding.Live, (await house.Sessions.Resolve(nina.Token, default)).Standing);
        house.Clock.SetWall(TimeSpan.FromSeconds(110));
        var omar = await house.Enter("omar");

        await house.Restart();
        house.Clock.SetWall(TimeSpan.FromMinutes(-3));
        Assert.Equal(SessionEnd.ClockSetBack, (await house.Sessions.Resolve(nina.Token, default)).Ended);
        Assert.Equal(SessionEnd.ClockSetBack, (await house.Sessions.Resolve(omar.Token, default)).Ended);
        Assert.Equal(2, (await house.Entries("SESSION_ENDED")).Count);

        var again = await house.Enter("nina");
        Assert.Equal(SessionStanding.Live, (await house.Sessions.Resolve(again.Token, default)).Standing);
    }

    [Fact]
    public async Task Sessions_and_their_ages_outlive_a_restart()
    {
        var house = await House();
        await house.Member("nina");
        var signedIn = await house.Enter("nina");
        house.Clock.Pass(TimeSpan.FromMinutes(4));
        await house.Sessions.Touch(signedIn.Token, default);

        await house.Restart();
        house.Clock.Pass(TimeSpan.FromMinutes(4));
        Assert.Equal(SessionStanding.Live, (await house.Sessions.Resolve(signedIn.Token, default)).Standing);
        house.Clock.Pass(TimeSpan.FromMinutes(1));
        Assert.Equal(SessionStanding.Locked, (await house.Sessions.Resolve(signedIn.Token, default)).Standing);
        await house.Restart();
        Assert.Equal(SessionStanding.Locked, (await house.Sessions.Resolve(signedIn.Token, default)).Standing);
        house.Clock.Pass(TimeSpan.FromHours(12));
        Assert.Equal(SessionEnd.Expired, (await house.Sessions.Resolve(signedIn.Token, default)).Ended);
    }

    [Fact]
    public async Task Unlocking_gives_a_new_token_and_the_old_one_is_dead()
    {
        var house = await House();
        await house.Member("nina");
        var signedIn = await house.Enter("nina");
        Assert.Equal(SessionStanding.Locked, (await house.Sessions.Lock(signedIn.Token, default)).Standing);

        var unlocked = (await house.Sessions.Unlock(signedIn.Token, UnlockBy.Password, IdentityHouse.Password, "Ward-3-Tablet", default)).Value;

        Assert.NotEqual(signedIn.Token, unlocked.Token);
        Assert.Equal(signedIn.Actor.SessionId, unlocked.Actor.SessionId);
        Assert.Equal(SessionStanding.None, (await house.Sessions.Resolve(signedIn.Token, default)).Standing);
        Assert.Equal(SessionStanding.Live, (await house.Sessions.Resolve(unlocked.Token, default)).Standing);
        Assert.Equal("session.ended", (await house.Sessions.Unlock(signedIn.Token, UnlockBy.Password, IdentityHouse.Password, "Ward-3-Tablet", default)).Error!.Code);
        Assert.Single(await house.Entries("LOCK"));
        Assert.Single(await house.Entries("UNLOCK"));
    }

    [Fact]
    public async Task The_fifth_wrong_password_at_the_lock_ends_the_session_also_after_a_restart()
    {
        var house = await House();
        await house.Member("nina");
        var signedIn = await house.Enter("nina");
        await house.Sessions.Lock(signedIn.Token, default);
        for (var n = 0; n < 4; n++)
        {
            Assert.Equal("unlock.refused", (await house.Sessions.Unlock(signedIn.Token, UnlockBy.Password, "quite a wrong password", "Ward-3-Tablet", default)).Error!.Code);
        }

        await house.Restart();
        Assert.Equal("unlock.ended", (await house.Sessions.Unlock(signedIn.Token, UnlockBy.Password, "quite a wrong password", "Ward-3-Tablet", default)).Error!.Code);
        Assert.Equal(SessionEnd.TooManyWrong, (await house.Sessions.Resolve(signedIn.Token, default)).Ended);
    }

    [Fact]
    public async Task Of_guesses_in_parallel_at_the_lock_five_are_checked()
    {
        var house = await House();
        await house.Member("nina");
        var signedIn = await house.Enter("nina");
        await house.Sessions.Lock(signedIn.Token, default);

        var before = house.Gate.Computations;
        await Task.WhenAll(Enumerable.Range(0, 64).Select(_ => Task.Run(() => house.Sessions.Unlock(signedIn.Token, UnlockBy.Password, "quite a wrong password", "Ward-3-Tablet", default))));

        Assert.InRange(house.Gate.Computations - before, 1, 5);
        Assert.Equal(SessionStanding.None, (await house.Sessions.Resolve(signedIn.Token, default)).Standing);
    }

    [Fact]
    public async Task Signing_out_ends_the_session_and_is_an_entry()
    {
        var house = await House();
        await house.Member("nina");
        var signedIn = await house.Enter("nina");

        await house.Sessions.End(signedIn.Token, default);
        await house.Sessions.End(signedIn.Token, default);
        await house.Sessions.End("not a token", default);

        Assert.Equal(SessionEnd.SignedOut, (await house.Sessions.Resolve(signedIn.Token, default)).Ended);
        Assert.Single(await house.Entries("SIGN_OUT"));
    }

    [Fact]
    public async Task An_administrator_ends_sessions_and_a_nurse_may_not()
    {
        var house = await House();
        var nina = await house.Member("nina");
        var nurse = await house.Enter("nina");
        await house.Member("boss", Role.Admin);
        var boss = await house.Enter("boss");

        await Assert.ThrowsAsync<Mangrove.Vault.Refused>(() => house.Sessions.EndAll(nurse.Actor, nina.Staff, default));
        Assert.Equal(1, await house.Sessions.EndAll(boss.Actor, nina.Staff, default));
        Assert.Equal(SessionEnd.Administrator, (await house.Sessions.Resolve(nurse.Token, default)).Ended);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    [InlineData("!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!")]
    public async Task A_token_that_was_never_given_opens_nothing(string? token)
    {
        var house = await House();
        Assert.Equal(SessionEnd.Unknown, (await house.Sessions.Resolve(token, default)).Ended);
    }

    [Fact]
    public async Task A_setting_looser_than_the_rules_does_not_start()
    {
        var refused = await Assert.ThrowsAsync<RefusedInput>(() => House(new IdentityOptions { IdleLock = TimeSpan.FromMinutes(6) }));
        Assert.Equal("identity.options", refused.Code);
    }
}
