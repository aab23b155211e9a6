using Mangrove.Clinic.Registration;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Watching;

namespace Mangrove.Tests.Clinic;

/// <summary>The watch over the real log: what is looked at through the door is judged, kept, told as an entry and settled by somebody else.</summary>
public sealed class WatchTests
{
    [Theory, InlineData(StorageKind.Sqlite), InlineData(StorageKind.Postgres)]
    public async Task A_look_that_a_rule_finds_is_kept_once_is_an_entry_and_waits_for_another_persons_judgement(StorageKind kind)
    {
        await using var hospital = await TestHospital.New(kind);
        var watch = hospital.Vault.Watch;
        var admin = await hospital.As(Role.Admin);
        var desk = await hospital.As(Role.FrontDesk);
        var decoy = await hospital.Register("Nobody");
        var other = await hospital.Register();
        Assert.Equal("patient.number", (await watch.Guard(admin, "P-1000001", WatchFlag.Honeytoken, default)).Error!.Code);
        Assert.Equal("watch.flag", (await watch.Guard(admin, decoy.Mrn, WatchFlag.None, default)).Error!.Code);
        await Assert.ThrowsAsync<Refused>(() => watch.Guard(desk, decoy.Mrn, WatchFlag.Honeytoken, default));
        Assert.Equal(decoy.Mrn, (await watch.Guard(admin, decoy.Mrn, WatchFlag.Honeytoken, default)).Value.Mrn);
        Assert.Equal(0, await watch.Look(default));

        Assert.True((await hospital.Use<ViewDemographics>().Run(other.Id, desk, default)).Ok);
        Assert.True((await hospital.Use<ViewDemographics>().Run(decoy.Id, desk, default)).Ok);
        Assert.Equal(1, await watch.Look(default));
        Assert.Equal(0, await watch.Look(default));
        Assert.Equal(1, await watch.Waiting(default));
        var finding = Assert.Single(await watch.Findings(admin, all: false, 10, default));
        var look = Assert.Single(await hospital.Entries(decoy, "VIEW_DEMOGRAPHICS"));
        Assert.Equal((look.Seq, WatchRules.Honeytoken, decoy.Id.Value, desk.Staff.Number, "VIEW_DEMOGRAPHICS"), (finding.Seq, finding.Rule, finding.Patient, finding.Staff, finding.Action));
        Assert.Equal(decoy.Mrn, watch.Numbers([finding])[decoy.Id.Value]);
        var told = Assert.Single(await hospital.Entries(decoy, "WATCH_FINDING"));
        Assert.Equal(("system:watching", FormattableString.Invariant($"entry:{look.Seq}"), WatchRules.Honeytoken), (told.Actor, told.Resource, told.Reason));
        await Assert.ThrowsAsync<Refused>(() => watch.Findings(desk, all: false, 10, default));

        // The same within a day is told once.
        await hospital.Use<ViewDemographics>().Run(decoy.Id, desk, default);
        Assert.Equal(0, await watch.Look(default));
        hospital.Clock.Pass(TimeSpan.FromHours(25));
        await hospital.Use<ViewDemographics>().Run(decoy.Id, await hospital.As(Role.FrontDesk, "second-desk"), default);
        Assert.Equal(1, await watch.Look(default));

        var second = await hospital.As(Role.Admin, "second-admin");
        Assert.Equal("watch.outcome", (await watch.Settle(second, finding.Seq, finding.Rule, "fine", default)).Error!.Code);
        Assert.Equal("watch.none", (await watch.Settle(second, finding.Seq, "vip", WatchDesk.Misuse, default)).Error!.Code);
        await Assert.ThrowsAsync<Refused>(() => watch.Settle(desk, finding.Seq, finding.Rule, WatchDesk.InOrder, default));
        Assert.Equal(WatchDesk.Misuse, (await watch.Settle(second, finding.Seq, finding.Rule, WatchDesk.Misuse, default)).Value.Outcome);
        Assert.Equal("watch.none", (await watch.Settle(second, finding.Seq, finding.Rule, WatchDesk.InOrder, default)).Error!.Code);
        Assert.Equal([(FormattableString.Invariant($"entry:{finding.Seq}"), "honeytoken: misuse")], (await hospital.Entries("JUDGE_ACCESS")).Where(entry => entry.Outcome == Mangrove.Vault.Audit.AuditOutcome.Allowed).Select(entry => (entry.Resource, entry.Reason)));

        // What was in order is not told of again, of this person and this record.
        var again = Assert.Single(await watch.Findings(admin, all: false, 10, default));
        Assert.True((await watch.Settle(admin, again.Seq, again.Rule, WatchDesk.InOrder, default)).Ok);
        hospital.Clock.Pass(TimeSpan.FromHours(25));
        await hospital.Use<ViewDemographics>().Run(decoy.Id, await hospital.As(Role.FrontDesk, "second-desk"), default);
        Assert.Equal(0, await watch.Look(default));
        Assert.Equal(2, (await watch.Findings(admin, all: true, 10, default)).Count);

        // Nobody judges what they did themselves, whatever they are now.
        await hospital.Use<ViewDemographics>().Run(decoy.Id, await hospital.As(Role.FrontDesk, "third-desk"), default);
        Assert.Equal(1, await watch.Look(default));
        var own = Assert.Single(await watch.Findings(admin, all: false, 10, default));
        Assert.True((await hospital.Vault.Identity.Staff.ChangeRole(admin, new StaffId(own.Staff), Role.Admin.Slug(), default)).Ok);
        var promoted = await hospital.Again("third-desk");
        Assert.Equal("watch.own", (await watch.Settle(promoted, own.Seq, own.Rule, WatchDesk.InOrder, default)).Error!.Code);

        Assert.True((await watch.Unguard(admin, decoy.Id.Value, default)).Ok);
        Assert.Equal("watch.unguarded", (await watch.Unguard(admin, decoy.Id.Value, default)).Error!.Code);
        Assert.Empty(await watch.Guarded(default));
    }
}
