using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Audit;
using Mangrove.Vault.Identity;

namespace Mangrove.Tests.Vault.Identity;

public abstract class StaffTests : OnEveryDatabase
{
    private static readonly string[] InSequence = ["S-0001", "S-0002", "S-0003"];

    [Fact]
    public async Task Accounts_get_staff_numbers_in_sequence_and_a_refused_one_takes_none()
    {
        var house = await House();
        var first = await house.Member("one.a", Role.Admin);
        Assert.Equal("staff.user-taken", (await house.Staff.Create(house.SetUp.Setup, new NewStaff("ONE.A", "Another", "nurse"), default)).Error!.Code);
        await house.Member("two-b");
        await house.Member("three_c");

        var boss = await house.Enter("one.a");
        var list = await house.Staff.List(boss.Actor, default);

        Assert.Equal(InSequence, list.Select(member => member.Staff.ToString()));
        Assert.Equal("Person two-b", (await house.Staff.Names(default))[list[1].Staff]);
        Assert.Equal(AccountState.Active, first.State);
    }

    [Theory]
    [InlineData("ab", "Name", "nurse", null, "staff.user-invalid")]
    [InlineData("has space", "Name", "nurse", null, "staff.user-invalid")]
    [InlineData("ümlaut", "Name", "nurse", null, "staff.user-invalid")]
    [InlineData("Unknown", "Name", "nurse", null, "staff.user-invalid")]
    [InlineData("nina", " ", "nurse", null, "staff.name-invalid")]
    [InlineData("nina", "Two\nlines", "nurse", null, "staff.name-invalid")]
    [InlineData("nina", "Turned\u202eround", "nurse", null, "staff.name-invalid")]
    [InlineData("nina", "Name", "surgeon", null, "role.unknown")]
    [InlineData("nina", "Name", "7", null, "role.unknown")]
    [InlineData("nina", "Name", "nurse", "a\tb", "staff.department-invalid")]
    public async Task A_malformed_account_is_refused_by_its_code(string user, string name, string role, string? department, string code)
    {
        var house = await House();
        Assert.Equal(code, (await house.Staff.Create(house.SetUp.Setup, new NewStaff(user, name, role, department), default)).Error!.Code);
        Assert.Equal(0, await house.Count("SELECT COUNT(*) FROM account"));
        Assert.Equal((AuditOutcome.Refused, code), (await house.Entries("CREATE_STAFF")).Select(entry => (entry.Outcome, entry.Reason)).Single());
    }

    [Fact]
    public async Task Nobody_but_an_administrator_touches_accounts_and_the_attempt_is_an_entry()
    {
        var house = await House();
        foreach (var role in Enum.GetValues<Role>().Where(role => role != Role.Admin))
        {
            var member = await house.Member($"user-{role.Slug()}", role);
            var actor = (await house.Enter($"user-{role.Slug()}")).Actor;
            await Assert.ThrowsAsync<Refused>(() => house.Staff.Create(actor, new NewStaff("new.person", "New", "admin"), default));
            await Assert.ThrowsAsync<Refused>(() => house.Staff.List(actor, default));
            await Assert.ThrowsAsync<Refused>(() => house.Staff.ChangeRole(actor, member.Staff, "admin", default));
            await Assert.ThrowsAsync<Refused>(() => house.Staff.Suspend(actor, member.Staff, default));
            await Assert.ThrowsAsync<Refused>(() => house.Staff.Restore(actor, member.Staff, default));
            await Assert.ThrowsAsync<Refused>(() => house.Staff.Revoke(actor, member.Staff, default));
            await Assert.ThrowsAsync<Refused>(() => house.Staff.ResetPassword(actor, member.Staff, default));
            Assert.Equal(7, (await house.Entries()).Count(entry => entry.Actor == actor.User && entry.Outcome == AuditOutcome.Refused));
        }

        Assert.Equal(0, await house.Count("SELECT COUNT(*) FROM account WHERE role = 7"));
    }

    [Fact]
    public async Task A_link_used_twice_at_the_same_time_succeeds_once()
    {
        var house = await House();
        var link = (await house.Staff.Create(house.SetUp.Setup, new NewStaff("nina", "Nina P", "nurse"), default)).Value;

        var results = await Task.WhenAll(Enumerable.Range(0, 16).Select(n => Task.Run(() => house.Staff.SetPassword(link.Token, $"{IdentityHouse.Password} {n}", default))));

        Assert.Single(results, result => result.Ok);
        Assert.All(results.Where(result => !result.Ok), result => Assert.Equal("link.invalid", result.Error!.Code));
        Assert.Equal("state invited -> active", Assert.Single(await house.Entries("SET_PASSWORD")).Reason);
    }

    [Fact]
    public async Task A_link_ends_after_a_day_and_a_weak_password_does_not_use_it_up()
    {
        var house = await House();
        var link = (await house.Staff.Create(house.SetUp.Setup, new NewStaff("nina", "Nina P", "nurse"), default)).Value;
        Assert.Equal("password.too-short", (await house.Staff.SetPassword(link.Token, "short", default)).Error!.Code);
        Assert.Equal("nina", (await house.Staff.Invited(link.Token, default)).Value.User);

        house.Clock.Pass(TimeSpan.FromHours(24));

        Assert.Equal("link.invalid", (await house.Staff.Invited(link.Token, default)).Error!.Code);
        Assert.Equal("link.invalid", (await house.Staff.SetPassword(link.Token, IdentityHouse.Password, default)).Error!.Code);
        Assert.DoesNotContain(link.Token, link.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_reset_stops_the_old_password_and_session_and_the_old_link()
    {
        var house = await House();
        var nina = await house.Member("nina");
        await house.Member("boss", Role.Admin);
        var boss = await house.Enter("boss");
        var session = await house.Enter("nina");

        var first = (await house.Staff.ResetPassword(boss.Actor, nina.Staff, default)).Value;
        var second = (await house.Staff.ResetPassword(boss.Actor, nina.Staff, default)).Value;

        Assert.Equal(SessionEnd.PasswordReset, (await house.Sessions.Resolve(session.Token, default)).Ended);
        Assert.False((await house.SignIn.Password("nina", IdentityHouse.Password, "Desk", default)).Ok);
        Assert.Equal("link.invalid", (await house.Staff.SetPassword(first.Token, "umbrella tractor mumbles loudly", default)).Error!.Code);
        Assert.True((await house.Staff.SetPassword(second.Token, "umbrella tractor mumbles loudly", default)).Ok);
        Assert.True((await house.SignIn.Password("nina", "umbrella tractor mumbles loudly", "Desk", default)).Ok);
    }

    [Fact]
    public async Task Suspension_and_a_change_of_role_end_the_session_at_once_with_before_and_after_in_the_log()
    {
        var house = await House();
        var nina = await house.Member("nina");
        await house.Member("boss", Role.Admin);
        var boss = await house.Enter("boss");

        var session = await house.Enter("nina");
        await house.Staff.ChangeRole(boss.Actor, nina.Staff, "doctor", default);
        Assert.Equal(SessionEnd.RoleChanged, (await house.Sessions.Resolve(session.Token, default)).Ended);
        session = await house.Enter("nina");
        Assert.Equal(Role.Doctor, session.Actor.Role);
        await house.Staff.Suspend(boss.Actor, nina.Staff, default);
        Assert.Equal(SessionEnd.Suspended, (await house.Sessions.Resolve(session.Token, default)).Ended);
        Assert.Equal("signin.refused", (await house.SignIn.Password("nina", IdentityHouse.Password, "Desk", default)).Error!.Code);
        await house.Staff.Restore(boss.Actor, nina.Staff, default);
        session = await house.Enter("nina");
        await house.Staff.Revoke(boss.Actor, nina.Staff, default);
        Assert.Equal(SessionEnd.Revoked, (await house.Sessions.Resolve(session.Token, default)).Ended);
        Assert.Equal("staff.state", (await house.Staff.Restore(boss.Actor, nina.Staff, default)).Error!.Code);

        var entries = (await house.Entries()).Where(entry => entry.Actor == "boss" && entry.Resource == $"staff:{nina.Staff}").Select(entry => $"{entry.Action}: {entry.Reason}");
        Assert.Equal(
            [
                "CHANGE_ROLE: role nurse -> doctor", "SUSPEND_STAFF: state active -> suspended", "RESTORE_STAFF: state suspended -> active",
                "REVOKE_STAFF: state active -> revoked", "RESTORE_STAFF: staff.state",
            ],
            entries);
    }

    [Fact]
    public async Task The_last_active_administrator_stays_one_also_when_two_demote_each_other()
    {
        var house = await House();
        var boss = await house.Member("boss", Role.Admin);
        var actor = (await house.Enter("boss")).Actor;
        Assert.Equal("staff.last-admin", (await house.Staff.Suspend(actor, boss.Staff, default)).Error!.Code);
        Assert.Equal("staff.last-admin", (await house.Staff.Revoke(actor, boss.Staff, default)).Error!.Code);
        Assert.Equal("staff.last-admin", (await house.Staff.ChangeRole(actor, boss.Staff, "nurse", default)).Error!.Code);
        Assert.Equal(3, (await house.Entries()).Count(entry => entry.Reason == "staff.last-admin"));

        var other = await house.Member("other", Role.Admin);
        var otherActor = (await house.Enter("other")).Actor;
        var results = await Task.WhenAll(
            Task.Run(() => house.Staff.ChangeRole(actor, other.Staff, "nurse", default)),
            Task.Run(() => house.Staff.ChangeRole(otherActor, boss.Staff, "nurse", default)));

        Assert.Single(results, result => result.Ok);
        Assert.Equal(1, await house.Count("SELECT COUNT(*) FROM account WHERE role = 7 AND state = 2"));
    }

    [Fact]
    public async Task The_first_administrator_is_made_once()
    {
        var house = await House();
        using var setUp = (await house.Desk.BeginSetUp(demonstration: false, default)).Value;

        var links = await Task.WhenAll(Enumerable.Range(0, 8).Select(n => Task.Run(() => house.Desk.FirstAdministrator.Create(setUp, $"boss{n}", "The Boss", default))));

        var link = Assert.Single(links, result => result.Ok).Value;
        Assert.All(links.Where(result => !result.Ok), result => Assert.Equal("init.already", result.Error!.Code));
        Assert.Equal(Role.Admin, (await house.Staff.SetPassword(link.Token, IdentityHouse.Password, default)).Value.Role);
        Assert.Equal("S-0001", link.Staff.ToString());
        Assert.Equal("init.already", (await house.Desk.BeginSetUp(demonstration: true, default)).Error!.Code);
    }

    [Fact]
    public async Task Set_up_gives_nothing_after_it_has_ended_and_sample_data_to_demonstrations_only()
    {
        await Task.CompletedTask;
        using var plain = new FirstSetUp(demonstration: false);
        Assert.Throws<InvalidOperationException>(() => plain.Sample);
        var demonstration = new FirstSetUp(demonstration: true);
        Assert.Equal("system:sample", demonstration.Sample.User);
        demonstration.Dispose();
        Assert.Throws<ObjectDisposedException>(() => demonstration.Setup);
    }

    [Fact]
    public async Task A_change_of_department_is_an_entry_with_before_and_after_and_ends_no_session()
    {
        var house = await House();
        var nina = await house.Member("nina");
        var session = await house.Enter("nina");

        Assert.Equal("Theatre", (await house.Staff.ChangeDepartment(house.SetUp.Setup, nina.Staff, " Theatre ", default)).Value.Department);
        Assert.Null((await house.Staff.ChangeDepartment(house.SetUp.Setup, nina.Staff, " ", default)).Value.Department);
        Assert.Equal("staff.department-invalid", (await house.Staff.ChangeDepartment(house.SetUp.Setup, nina.Staff, new string('x', 65), default)).Error!.Code);
        Assert.Equal("staff.unknown", (await house.Staff.ChangeDepartment(house.SetUp.Setup, new StaffId(9999), "Theatre", default)).Error!.Code);

        Assert.Equal(
            ["department Ward 3 -> Theatre", "department Theatre -> none", "staff.department-invalid", "staff.unknown"],
            (await house.Entries("CHANGE_DEPARTMENT")).Select(entry => entry.Reason));
        Assert.Equal(SessionStanding.Live, (await house.Sessions.Resolve(session.Token, default)).Standing);
    }
}
