using Mangrove.Kernel;
using Mangrove.Tests.Vault.Glass;
using Mangrove.Tests.Vault.Identity;
using Mangrove.Vault;
using Mangrove.Vault.Audit;
using Mangrove.Vault.Holds;
using Mangrove.Vault.Identity;

namespace Mangrove.Tests.Vault.Holds;

/// <summary>Legal holds: who places and releases them, what stands in the log and at rest, and what they keep.</summary>
public abstract class HoldTests : OnEveryDatabase
{
    private const string Case = "HC 417 of 2026";
    private const string Why = "The family of the late baker disputes the bill.";

    [Fact]
    public async Task One_person_places_a_hold_and_another_releases_it_each_with_a_second_factor_and_a_reason()
    {
        var (house, boss, other) = await New();
        var patient = GlassHouse.Patient();
        var placed = await house.Holds.Place(boss.Actor, new HoldWanted(HoldScope.Patient, patient), Case, Why, boss.Proof(), default);
        Assert.True(placed.Ok);
        Assert.True((await house.Holds.Held(default)).Holds(patient.Id));
        Assert.False((await house.Holds.Held(default)).Holds(PatientId.New()));

        var shown = Assert.Single(await house.Holds.List(other.Actor, default));
        Assert.Equal((Case, Why, patient, (DateTimeOffset?)null), (shown.Reference, shown.Reason, shown.Patient, shown.Released));

        // Not the one who placed it, whatever they show; not without a reason or a factor; not one that there is not.
        Assert.Equal("hold.own", (await house.Holds.Release(boss.Actor, shown.Number, Why, boss.Proof(), default)).Error!.Code);
        Assert.Equal("hold.words", (await house.Holds.Release(other.Actor, shown.Number, "over", other.Proof(), default)).Error!.Code);
        Assert.Equal("factor.code", (await house.Holds.Release(other.Actor, shown.Number, Why, new FactorProof("000000"), default)).Error!.Code);
        Assert.Equal("hold.none", (await house.Holds.Release(other.Actor, "ffffffff", Why, other.Proof(), default)).Error!.Code);
        Assert.Equal("hold.none", (await house.Holds.Release(other.Actor, shown.Number[..4], Why, other.Proof(), default)).Error!.Code);
        Assert.True((await house.Holds.Held(default)).Holds(patient.Id));

        Assert.True((await house.Holds.Release(other.Actor, shown.Number, Why, other.Proof(), default)).Ok);
        Assert.False((await house.Holds.Held(default)).Holds(patient.Id));
        Assert.Equal("hold.none", (await house.Holds.Release(other.Actor, shown.Number, Why, other.Proof(), default)).Error!.Code);
        var released = Assert.Single(await house.Holds.List(boss.Actor, default));
        Assert.Equal((Why, (StaffId?)other.Actor.Staff), (released.ReleaseReason, released.ReleasedBy));

        // Entries name hold and patient and say nothing of what was written.
        var entry = Assert.Single(await house.Entries("PLACE_HOLD"));
        Assert.Equal(("boss", $"hold:{shown.Number}", "patient"), (entry.Actor, entry.Resource, entry.Reason));
        Assert.Equal([patient.Id.Value], entry.Patients);
        Assert.Equal(6, (await house.Entries("RELEASE_HOLD")).Count(one => one.Outcome == AuditOutcome.Refused));
        Assert.All(await house.Entries("LIST_HOLDS"), one => Assert.Equal(["hold_words"], one.FieldsAccessed));
        Assert.DoesNotContain(await house.Entries(), one => one.Reason.Contains("baker", StringComparison.Ordinal) || one.Reason.Contains(Case, StringComparison.Ordinal) || one.Resource.Contains(Case, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Administrators_and_privacy_officers_place_holds_and_nobody_else_does()
    {
        var (house, boss, _) = await New();
        var nina = await GlassHouse.Sit(house, "nina", Role.Nurse);
        var wanted = new HoldWanted(HoldScope.Hospital);
        Assert.Equal("access.role", (await Assert.ThrowsAsync<Refused>(() => house.Holds.Place(nina.Actor, wanted, Case, Why, nina.Proof(), default))).Code);
        Assert.Equal("access.role", (await Assert.ThrowsAsync<Refused>(() => house.Holds.List(nina.Actor, default))).Code);
        Assert.Equal("access.role", (await Assert.ThrowsAsync<Refused>(() => house.Holds.Release(nina.Actor, "ffffffff", Why, nina.Proof(), default))).Code);
        Assert.Equal(3, (await house.Entries()).Count(entry => entry is { Actor: "nina", Outcome: AuditOutcome.Refused, Reason: "access.role" }));

        Assert.True((await house.Glass.Name(boss.Actor, [nina.Actor.Staff], boss.Proof(), default)).Ok);
        Assert.True((await house.Holds.Place(nina.Actor, wanted, Case, Why, nina.Proof(), default)).Ok);
        Assert.True((await house.Holds.Held(default)).Holds(PatientId.New()));
    }

    [Fact]
    public async Task What_is_not_whole_is_refused_with_a_code_and_an_entry()
    {
        var (house, boss, _) = await New();
        var patient = new HoldWanted(HoldScope.Patient, GlassHouse.Patient());
        var day = new DateOnly(2026, 3, 5);
        (HoldWanted Wanted, string? Case, string? Why, string Code)[] wrong =
        [
            (new HoldWanted(HoldScope.Unchosen), Case, Why, "hold.scope"),
            (new HoldWanted((HoldScope)9), Case, Why, "hold.scope"),
            (new HoldWanted(HoldScope.Patient), Case, Why, "hold.patient"),
            (new HoldWanted(HoldScope.Log), Case, Why, "hold.days"),
            (new HoldWanted(HoldScope.Log, null, day, day.AddDays(-1)), Case, Why, "hold.days"),
            (patient, " 1 ", Why, "hold.reference"),
            (patient, new string('x', 101), Why, "hold.reference"),
            (patient, "one\ntwo", Why, "hold.reference"),
            (patient, Case, "because", "hold.words"),
            (patient, Case, new string('x', 2_001), "hold.words"),
            (patient, null, null, "hold.reference"),
        ];
        foreach (var (wanted, number, why, code) in wrong)
        {
            Assert.Equal(code, (await house.Holds.Place(boss.Actor, wanted, number, why, boss.Proof(), default)).Error!.Code);
        }

        Assert.Equal("factor.code", (await house.Holds.Place(boss.Actor, patient, Case, Why, default, default)).Error!.Code);
        Assert.Equal(wrong.Select(one => one.Code).Append("factor.code"), (await house.Entries("PLACE_HOLD")).Select(entry => entry.Reason));
        Assert.Empty(await house.Holds.List(boss.Actor, default));
    }

    [Fact]
    public async Task Days_of_the_log_are_held_where_a_hold_touches_them_and_by_a_hold_on_everything()
    {
        var (house, boss, other) = await New();
        var (first, last) = (new DateOnly(2026, 3, 5), new DateOnly(2026, 3, 9));
        Assert.True((await house.Holds.Place(boss.Actor, new HoldWanted(HoldScope.Log, null, first, last), Case, Why, boss.Proof(), default)).Ok);
        Assert.True((await house.Holds.Place(boss.Actor, new HoldWanted(HoldScope.Patient, GlassHouse.Patient()), Case, Why, boss.Proof(), default)).Ok);
        Assert.False(await house.Holds.IsLogHeld(first.AddDays(-9), first.AddDays(-1), default));
        Assert.True(await house.Holds.IsLogHeld(first.AddDays(-9), first, default));
        Assert.True(await house.Holds.IsLogHeld(first.AddDays(1), first.AddDays(1), default));
        Assert.True(await house.Holds.IsLogHeld(last, last.AddDays(9), default));
        Assert.False(await house.Holds.IsLogHeld(last.AddDays(1), last.AddDays(9), default));
        Assert.False((await house.Holds.Held(default)).Whole);

        var whole = (await house.Holds.Place(boss.Actor, new HoldWanted(HoldScope.Hospital), Case, Why, boss.Proof(), default)).Value;
        Assert.True(await house.Holds.IsLogHeld(last.AddDays(1), last.AddDays(9), default));
        foreach (var unclear in (string?[])[null, "", new string(' ', 8), whole.Number[..7], $"  {whole.Number[..6]}"])
        {
            Assert.Equal("hold.none", (await house.Holds.Release(other.Actor, unclear, Why, other.Proof(), default)).Error!.Code);
        }

        Assert.True((await house.Holds.Release(other.Actor, whole.Id.ToString("N"), Why, other.Proof(), default)).Ok);
        Assert.False(await house.Holds.IsLogHeld(last.AddDays(1), last.AddDays(9), default));
    }

    [Fact]
    public async Task The_words_are_sealed_in_their_place_and_a_new_pepper_takes_them_along()
    {
        var (house, boss, _) = await New();
        Assert.True((await house.Holds.Place(boss.Actor, new HoldWanted(HoldScope.Hospital), Case, Why, boss.Proof(), default)).Ok);
        await using (var connection = await house.Store.Open(default))
        {
            var envelopes = await connection.Query("SELECT words FROM hold_words", row => row.Bytes(0), default);
            Assert.Equal(2, envelopes.Count);
            Assert.All(envelopes, envelope => Assert.True(envelope.AsSpan().IndexOf("baker"u8) < 0 && envelope.AsSpan().IndexOf("417"u8) < 0));
        }

        Assert.Equal(2, (await house.Keys.Rotate(house.SetUp.Setup, "pepper", default)).Value);
        Assert.True(await house.Keys.Advance(default));
        var versions = (await house.Keys.Status(default)).Single(one => one.Purpose == "pepper").Versions;
        Assert.Contains(versions[0].Kinds, kind => kind is { Kind: "words of legal holds", Count: 2 });
        Assert.DoesNotContain(versions[1].Kinds, kind => kind.Kind == "words of legal holds");
        Assert.Equal((Case, Why), Assert.Single(await house.Holds.List(boss.Actor, default)) is var hold ? (hold.Reference, hold.Reason) : default);
    }

    private async Task<(IdentityHouse House, Clinician Boss, Clinician Other)> New()
    {
        var house = await House();
        await GlassHouse.Furnish(house);
        return (house, await GlassHouse.Boss(house), await GlassHouse.Sit(house, "other", Role.Admin));
    }
}

public sealed class HoldOnSqliteTests : HoldTests
{
    protected override Task<StorageOptions> NewStorage() => Task.FromResult(InNewFolder());
}

public sealed class HoldOnPostgresTests : HoldTests
{
    protected override Task<StorageOptions> NewStorage() => PostgresStorage.Create();
}
