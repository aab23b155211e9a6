using Mangrove.Vault;
using Mangrove.Vault.Audit;
using Mangrove.Vault.Identity;

namespace Mangrove.Tests.Vault.Identity;

public abstract class OwnPasswordTests : OnEveryDatabase
{
    private const string Next = "copper lantern drifts sideways";

    [Fact]
    public async Task The_new_password_opens_the_old_one_does_not_and_the_entry_names_the_person()
    {
        var house = await House();
        var nina = await house.Member("nina");
        var signedIn = await house.Enter("nina");

        var changed = await house.Desk.OwnPassword.Change(signedIn.Token, IdentityHouse.Password, Next, default);

        Assert.Null(changed.Error);
        Assert.Equal(signedIn.Actor.SessionId, changed.Value.Actor.SessionId);
        Assert.Equal("signin.refused", (await house.SignIn.Password("nina", IdentityHouse.Password, "Ward-3-Tablet", default)).Error?.Code);
        Assert.Equal("nina", (await house.Enter("nina", password: Next)).Actor.User);
        var entry = Assert.Single(await house.Entries("CHANGE_PASSWORD"));
        Assert.Equal(("nina", $"staff:{nina.Staff}", AuditOutcome.Allowed, signedIn.Actor.SessionId), (entry.Actor, entry.Resource, entry.Outcome, entry.SessionId));
    }

    [Fact]
    public async Task The_session_goes_on_under_a_new_token_only_also_after_a_restart()
    {
        var house = await House();
        await house.Member("nina");
        var signedIn = await house.Enter("nina");
        var changed = (await house.Desk.OwnPassword.Change(signedIn.Token, IdentityHouse.Password, Next, default)).Value;
        foreach (var _ in (int[])[1, 2])
        {
            Assert.Equal(SessionStanding.None, (await house.Sessions.Resolve(signedIn.Token, default)).Standing);
            Assert.Equal(SessionStanding.Live, (await house.Sessions.Resolve(changed.Token, default)).Standing);
            await house.Restart();
        }
    }

    [Fact]
    public async Task Sessions_of_the_account_that_another_process_left_open_end()
    {
        var house = await House();
        await house.Member("nina");
        await house.Member("omar");
        var other = await house.Enter("omar");
        var signedIn = await house.Enter("nina");
        await using (var connection = await house.Store.Open(default))
        {
            // What a second process would have left: a row that this one never loaded. The index allows one live row an
            // account, so it is dropped, as a restored copy of the database without it would be.
            await connection.Run("DROP INDEX session_live", default);
            await connection.Run("INSERT INTO session (id, handle, token, account, device, created, touched) SELECT @id, 'sess_foreign', @token, account, device, created, touched FROM session WHERE handle = @mine", default, ("@id", Mangrove.Kernel.Ids.New()), ("@token", new byte[32]), ("@mine", signedIn.Actor.SessionId));
        }

        Assert.Null((await house.Desk.OwnPassword.Change(signedIn.Token, IdentityHouse.Password, Next, default)).Error);

        Assert.Equal(2, await house.Count("SELECT COUNT(*) FROM session WHERE revoked IS NULL"));
        Assert.Equal((long)SessionEnd.PasswordChanged, await house.Count("SELECT ended FROM session WHERE handle = 'sess_foreign'"));
        Assert.Equal(SessionStanding.Live, (await house.Sessions.Resolve(other.Token, default)).Standing);
    }

    [Fact]
    public async Task A_wrong_current_password_changes_nothing_and_is_an_entry()
    {
        var house = await House();
        await house.Member("nina");
        var signedIn = await house.Enter("nina");

        foreach (var wrong in (string?[])["velvet tractor mumbles loudly", "", null])
        {
            Assert.Equal("password.current-wrong", (await house.Desk.OwnPassword.Change(signedIn.Token, wrong, Next, default)).Error?.Code);
        }

        Assert.All(await house.Entries("CHANGE_PASSWORD"), entry => Assert.Equal((AuditOutcome.Refused, "password.current-wrong"), (entry.Outcome, entry.Reason)));
        Assert.Equal(SessionStanding.Live, (await house.Sessions.Resolve(signedIn.Token, default)).Standing);
        await house.Enter("nina");
    }

    [Fact]
    public async Task Wrong_ones_make_wait_as_at_sign_in_even_the_right_one_and_are_hashed_no_more()
    {
        var house = await House();
        await house.Member("nina");
        var signedIn = await house.Enter("nina");
        for (var tries = 0; tries < 5; tries++)
        {
            Assert.Equal("password.current-wrong", (await house.Desk.OwnPassword.Change(signedIn.Token, $"wrong guess number {tries}", Next, default)).Error?.Code);
        }

        var hashed = house.Gate.Computations;
        Assert.Equal("signin.wait", (await house.Desk.OwnPassword.Change(signedIn.Token, IdentityHouse.Password, Next, default)).Error?.Code);
        Assert.Equal("signin.wait", (await house.SignIn.Password("nina", IdentityHouse.Password, "Ward-3-Tablet", default)).Error?.Code);
        Assert.Equal(hashed, house.Gate.Computations);

        house.Clock.Pass(TimeSpan.FromSeconds(2));
        Assert.Null((await house.Desk.OwnPassword.Change(signedIn.Token, IdentityHouse.Password, Next, default)).Error);
    }

    [Theory]
    [InlineData("short", "password.too-short")]
    [InlineData("Password123456789", "password.common")]
    [InlineData("nina keeps red umbrellas", "password.contains-name")]
    [InlineData(IdentityHouse.Password, "password.unchanged")]
    public async Task A_password_that_breaks_the_rules_is_refused_and_costs_no_try(string wanted, string code)
    {
        var house = await House();
        await house.Member("nina");
        var signedIn = await house.Enter("nina");
        for (var tries = 0; tries < 8; tries++)
        {
            Assert.Equal(code, (await house.Desk.OwnPassword.Change(signedIn.Token, IdentityHouse.Password, wanted, default)).Error?.Code);
        }

        Assert.Null((await house.Desk.OwnPassword.Change(signedIn.Token, IdentityHouse.Password, Next, default)).Error);
    }

    [Fact]
    public async Task A_locked_or_ended_session_changes_nothing()
    {
        var house = await House();
        await house.Member("nina");
        var signedIn = await house.Enter("nina");
        await house.Sessions.Lock(signedIn.Token, default);
        Assert.Equal("session.ended", (await house.Desk.OwnPassword.Change(signedIn.Token, IdentityHouse.Password, Next, default)).Error?.Code);
        await house.Sessions.End(signedIn.Token, default);
        Assert.Equal("session.ended", (await house.Desk.OwnPassword.Change(signedIn.Token, IdentityHouse.Password, Next, default)).Error?.Code);
        await house.Enter("nina");
    }

    [Fact]
    public async Task Of_two_changes_at_once_one_succeeds()
    {
        var house = await House();
        await house.Member("nina");
        var signedIn = await house.Enter("nina");
        string[] wanted = ["copper lantern drifts sideways", "seven herons ignore the ferry"];

        var both = await Task.WhenAll(wanted.Select(next => Task.Run(() => house.Desk.OwnPassword.Change(signedIn.Token, IdentityHouse.Password, next, default))));

        Assert.Single(both, one => one.Ok);
        await house.Enter("nina", password: wanted[Array.FindIndex(both, one => one.Ok)]);
        Assert.Single(await house.Entries("CHANGE_PASSWORD"), entry => entry.Outcome == AuditOutcome.Allowed);
    }
}
