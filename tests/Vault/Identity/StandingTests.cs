using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Audit;
using Mangrove.Vault.Identity;

namespace Mangrove.Tests.Vault.Identity;

/// <summary>What the policy asks at every act beside the role: session, device, department.</summary>
public abstract class StandingTests : OnEveryDatabase
{
    private const string Tablet = "ER-Nurse-Tablet-03";

    [Fact]
    public async Task An_actor_whose_session_was_locked_ended_or_replaced_does_nothing_more()
    {
        var house = await House();
        await house.Member("amina", Role.Admin);
        foreach (var (close, goesOn) in new (Func<SignedIn, Task> Close, bool GoesOn)[]
        {
            (session => house.Sessions.Lock(session.Token, default), false),
            (session => house.Sessions.End(session.Token, default), false),
            (_ => house.Enter("amina", "Ward-4-Tablet"), false),
            (_ => Task.CompletedTask, true),
        })
        {
            var session = await house.Enter("amina");
            Assert.NotEmpty(await house.Staff.List(session.Actor, default));
            await close(session);
            if (goesOn)
            {
                Assert.NotEmpty(await house.Staff.List(session.Actor, default));
                continue;
            }

            var refused = await Assert.ThrowsAsync<Refused>(() => house.Staff.List(session.Actor, default));
            Assert.Equal("access.session", refused.Code);
            Assert.Equal((AuditOutcome.Refused, "access.session"), ((await house.Entries("LIST_STAFF"))[^1].Outcome, (await house.Entries("LIST_STAFF"))[^1].Reason));
        }
    }

    [Fact]
    public async Task A_session_that_goes_on_under_another_token_is_never_shut()
    {
        var house = await House();
        await house.Member("ben");
        var session = await house.Enter("ben");
        await house.Sessions.Lock(session.Token, default);

        Assert.True((await house.Sessions.Unlock(session.Token, UnlockBy.Password, IdentityHouse.Password, "Ward-3-Tablet", default)).Ok);

        Assert.Null(await Asked(house, session.Actor));
    }

    [Fact]
    public async Task Every_entry_names_the_department_of_its_device()
    {
        var house = await House();
        await house.Member("ben");
        await house.Enrol(Tablet, "Emergency");
        var there = await house.Enter("ben", Tablet);
        Assert.All((await house.Entries()).Where(entry => entry.SessionId == there.Actor.SessionId), entry => Assert.Equal((Tablet, "Emergency"), (entry.Device, entry.Department)));
        await house.Enter("ben", "address:10.0.0.9");
        Assert.Equal("", (await house.Entries("SIGN_IN"))[^1].Department);
    }

    [Fact]
    public async Task A_department_lets_in_the_roles_it_names_and_administrators()
    {
        var house = await House();
        await house.Member("amina", Role.Admin);
        await house.Member("ben");
        await house.Member("carol", Role.Cashier);
        await house.Enrol(Tablet, "Emergency");
        var admin = await house.Enter("amina", Tablet);
        var cashier = await house.Enter("carol", Tablet);
        Assert.Null(await Asked(house, cashier.Actor));

        Assert.Equal("department.unknown", (await house.Desk.Departments.Change(admin.Actor, "Morgue", Set(Role.Nurse), "", default, default)).Error!.Code);
        Assert.Equal("department.nobody", (await house.Desk.Departments.Change(admin.Actor, "Emergency", Set(), "", default, default)).Error!.Code);
        Assert.True((await house.Desk.Departments.Change(admin.Actor, "emergency", Set(Role.Nurse, Role.Doctor), "", default, default)).Ok);

        // Who is at the screen already does nothing more, and nobody of that role signs in there.
        Assert.Equal("access.department", (await Asked(house, cashier.Actor))!.Code);
        Assert.Equal("access.department", (await house.SignIn.Password("carol", IdentityHouse.Password, Tablet, default)).Error!.Code);
        Assert.Equal("signin.refused", (await house.SignIn.Password("carol", "something else altogether", Tablet, default)).Error!.Code);
        Assert.True((await house.SignIn.Password("carol", IdentityHouse.Password, "Cash-Desk-1", default)).Ok);
        Assert.True((await house.SignIn.Password("ben", IdentityHouse.Password, Tablet, default)).Ok);
        Assert.NotEmpty(await house.Staff.List(admin.Actor, default));

        await house.Restart();
        Assert.Equal("access.department", (await house.SignIn.Password("carol", IdentityHouse.Password, Tablet, default)).Error!.Code);
        Assert.Equal("factor.code", (await house.Desk.Departments.Change(admin.Actor, "Emergency", Set(Role.Nurse, Role.Doctor, Role.Cashier), "", default, default)).Error!.Code);
        house.Clock.Pass(TimeSpan.FromSeconds(30));
        Assert.True((await house.Desk.Departments.Change(admin.Actor, "Emergency", Enum.GetValues<Role>().ToHashSet(), "", new(house.Code("amina")), default)).Ok);
        Assert.Empty(house.Desk.Departments.Current);
        Assert.Equal(0, await house.Count("SELECT COUNT(*) FROM department_role"));
        Assert.True((await house.SignIn.Password("carol", IdentityHouse.Password, Tablet, default)).Ok);
        Assert.Equal("everybody -> nurse, doctor, admin", (await house.Entries("CHANGE_DEPARTMENT_ROLES")).First(entry => entry.Outcome == AuditOutcome.Allowed).Reason);
    }

    [Fact]
    public async Task The_devices_of_a_department_open_with_its_worklist()
    {
        var house = await House();
        await house.Member("amina", Role.Admin);
        await house.Member("ben");
        await house.Enrol(Tablet, "Emergency");
        var admin = await house.Enter("amina", Tablet);
        var nurse = await house.Enter("ben", Tablet);
        Assert.Null(house.Desk.Departments.ListOf(nurse.Actor));
        foreach (var address in new[] { "//elsewhere.example", "https://elsewhere.example", "/board?x=1", "board", "/" + new string('a', 64) })
        {
            Assert.Equal("department.list", (await house.Desk.Departments.Change(admin.Actor, "Emergency", Enum.GetValues<Role>().ToHashSet(), address, default, default)).Error!.Code);
        }

        Assert.True((await house.Desk.Departments.Change(admin.Actor, "Emergency", Enum.GetValues<Role>().ToHashSet(), "/board", default, default)).Ok);

        Assert.Equal("/board", house.Desk.Departments.ListOf(nurse.Actor));
        Assert.EndsWith(", opens own work -> /board", (await house.Entries("CHANGE_DEPARTMENT_ROLES"))[^1].Reason, StringComparison.Ordinal);
        Assert.Empty(house.Desk.Departments.Current);
        await house.Restart();
        Assert.Equal("/board", house.Desk.Departments.ListOf((await house.Enter("ben", Tablet)).Actor));
        Assert.Null(house.Desk.Departments.ListOf((await house.Enter("ben", "address:10.0.0.9")).Actor));
    }

    private static HashSet<Role> Set(params Role[] roles) => [.. roles];

    /// <summary>What the policy says to an act of the actor's own role; null when it lets it pass.</summary>
    private static Task<Error?> Asked(IdentityHouse house, Actor actor) =>
        house.Door.Explain(actor, actor, new Request { Action = "EXPLAIN_POLICY", Purpose = actor.UsualPurpose }, default);
}
