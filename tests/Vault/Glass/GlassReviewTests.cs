using Mangrove.Kernel;
using Mangrove.Sealing;
using Mangrove.Tests.Vault.Identity;
using Mangrove.Vault;
using Mangrove.Vault.Audit;
using Mangrove.Vault.Glass;

namespace Mangrove.Tests.Vault.Glass;

/// <summary>What is owed for an emergency access, and what becomes of it, on both databases.</summary>
public abstract class GlassReviewTests : OnEveryDatabase
{
    private const string Why = "Found unconscious; read medicines and allergies before the first dose.";

    private static readonly TimeSpan Day = TimeSpan.FromHours(24);

    [Fact]
    public async Task Without_a_justification_in_time_the_right_is_suspended_until_somebody_else_has_reviewed_it_and_lifts_it()
    {
        var house = await New();
        await GlassTests.SetMail(house);
        var omar = await GlassHouse.Sit(house, "omar", Role.Doctor);
        var patient = GlassHouse.Patient();
        Assert.True((await omar.Break(patient)).Ok);
        var id = Assert.Single(await house.Glass.Own(omar.Actor, default)).Id;
        Assert.InRange((await house.Glass.Owes(omar.Actor, default))!.Value - house.Clock.GetUtcNow(), TimeSpan.FromHours(23), Day);

        // A minute before it is due nothing has happened.
        await house.Sessions.Lock(omar.Session.Token, default);
        house.Clock.Pass(Day - TimeSpan.FromMinutes(1));
        await house.Glass.Turn(default);
        Assert.Equal(0, await house.Count("SELECT COUNT(*) FROM glass_suspension"));
        house.Clock.Pass(TimeSpan.FromMinutes(1));
        await house.Glass.Turn(default);
        await house.Glass.Turn(default);
        var overdue = Assert.Single(await house.Entries("GLASS_OVERDUE"));
        Assert.Equal(("system:glass", $"staff:{omar.Actor.Staff}, suspended, 1 told, 3 letters, too few or no privacy officer"), (overdue.Actor, overdue.Reason));
        Assert.Equal((2L, 6L), (await house.Count("SELECT COUNT(*) FROM glass_notice"), await house.Count("SELECT COUNT(*) FROM letter")));
        Assert.Equal((1, 1), await house.Glass.Figures(default));

        await omar.Again();
        Assert.Equal("glass.suspended", (await omar.Break(patient)).Error!.Code);
        Assert.Equal("glass.suspended", (await house.Glass.Stands(omar.Actor, default))!.Code);

        // Before the review nobody lifts it; late is better than never, and stays late.
        var boss = await GlassHouse.Boss(house);
        Assert.Equal("glass.not-reviewed", (await house.Glass.Lift(boss.Actor, omar.Actor.Staff, default)).Error!.Code);
        Assert.Equal("glass.words", (await house.Glass.Justify(omar.Actor, id, "sorry", default)).Error!.Code);
        Assert.True((await house.Glass.Justify(omar.Actor, id, Why, default)).Ok);
        Assert.Equal("glass.justified", (await house.Glass.Justify(omar.Actor, id, Why, default)).Error!.Code);
        Assert.Equal(["glass.words", "late", "glass.justified"], (await house.Entries("JUSTIFY_GLASS")).Select(entry => entry.Reason));
        Assert.Equal("glass.suspended", (await omar.Break(patient)).Error!.Code);

        Assert.Equal("glass.outcome", (await house.Glass.Review(boss.Actor, id, GlassOutcome.Unchosen, Why, default)).Error!.Code);
        Assert.Equal("glass.review-words", (await house.Glass.Review(boss.Actor, id, GlassOutcome.Appropriate, "fine", default)).Error!.Code);
        Assert.True((await house.Glass.Review(boss.Actor, id, GlassOutcome.NotAppropriate, "A colleague on the ward had the record open.", default)).Ok);
        Assert.Equal("glass.reviewed", (await house.Glass.Review(boss.Actor, id, GlassOutcome.Appropriate, Why, default)).Error!.Code);
        Assert.True((await house.Glass.Lift(boss.Actor, omar.Actor.Staff, default)).Ok);
        Assert.Equal("glass.not-suspended", (await house.Glass.Lift(boss.Actor, omar.Actor.Staff, default)).Error!.Code);
        Assert.True((await omar.Break(patient)).Ok);

        var file = (await house.Glass.Open(boss.Actor, id, default)).Value;
        Assert.Equal([GlassWriting.Reason, GlassWriting.Justification, GlassWriting.Review], file.Texts.Select(text => text.Kind));
        Assert.Equal([GlassHouse.Words, Why, "A colleague on the ward had the record open."], file.Texts.Select(text => text.Text));
        Assert.Equal([patient.Id.Value], Assert.Single(await house.Entries("VIEW_GLASS")).Patients);
    }

    [Fact]
    public async Task Nobody_reviews_their_own_and_nobody_else_sees_it()
    {
        var house = await New();
        var omar = await GlassHouse.Sit(house, "omar", Role.Doctor);
        var boss = await GlassHouse.Boss(house);
        Assert.True((await house.Glass.Name(boss.Actor, [omar.Actor.Staff], boss.Proof(), default)).Ok);
        Assert.True((await omar.Break(GlassHouse.Patient())).Ok);
        var id = Assert.Single(await house.Glass.List(boss.Actor, default)).Id;
        Assert.Equal("glass.open", (await house.Glass.Review(boss.Actor, id, GlassOutcome.Appropriate, Why, default)).Error!.Code);
        await house.Sessions.End(omar.Session.Token, default);
        await omar.Again();
        Assert.Equal("glass.not-justified", (await house.Glass.Review(boss.Actor, id, GlassOutcome.Appropriate, Why, default)).Error!.Code);
        Assert.True((await house.Glass.Justify(omar.Actor, id, Why, default)).Ok);
        Assert.Equal("in time", Assert.Single(await house.Entries("JUSTIFY_GLASS")).Reason);

        // A privacy officer sees the accesses of others, and reviews them; not their own.
        Assert.True(house.Glass.IsTold(omar.Actor));
        Assert.Equal("glass.own", (await house.Glass.Review(omar.Actor, id, GlassOutcome.Appropriate, Why, default)).Error!.Code);
        var nina = await GlassHouse.Sit(house, "nina", Role.Nurse);
        await Assert.ThrowsAsync<Refused>(() => house.Glass.List(nina.Actor, default));
        await Assert.ThrowsAsync<Refused>(() => house.Glass.Rates(nina.Actor, default));
        await Assert.ThrowsAsync<Refused>(() => house.Glass.Open(nina.Actor, id, default));
        await Assert.ThrowsAsync<Refused>(() => house.Glass.See(nina.Actor, default));
        await Assert.ThrowsAsync<Refused>(() => house.Glass.Review(nina.Actor, id, GlassOutcome.Appropriate, Why, default));
        await Assert.ThrowsAsync<Refused>(() => house.Glass.Lift(omar.Actor, omar.Actor.Staff, default));
        Assert.Equal("not-found", (await house.Glass.Justify(nina.Actor, id, Why, default)).Error!.Code);
        Assert.Equal("not-found", (await house.Glass.Open(boss.Actor, Ids.New(), default)).Error!.Code);
        Assert.Empty(await house.Glass.Own(nina.Actor, default));
    }

    [Fact]
    public async Task More_that_is_asked_is_due_anew_and_overdue_anew()
    {
        var house = await New();
        var nina = await GlassHouse.Sit(house, "nina", Role.Nurse);
        Assert.True((await nina.Break(GlassHouse.Patient())).Ok);
        var id = Assert.Single(await house.Glass.Own(nina.Actor, default)).Id;
        await house.Glass.Close(nina.Actor, Assert.Single(await house.Glass.Own(nina.Actor, default)).Patient, default);
        Assert.True((await house.Glass.Justify(nina.Actor, id, Why, default)).Ok);
        Assert.Null(await house.Glass.Owes(nina.Actor, default));
        var boss = await GlassHouse.Boss(house);
        Assert.True((await house.Glass.Review(boss.Actor, id, GlassOutcome.MoreAsked, "Which medicine did you look for, and why?", default)).Ok);
        Assert.NotNull(await house.Glass.Owes(nina.Actor, default));
        Assert.Equal(GlassStanding.Owed, Assert.Single(await house.Glass.Own(nina.Actor, default)).Standing);

        house.Clock.Pass(Day);
        await house.Glass.Turn(default);
        Assert.Single(await house.Entries("GLASS_OVERDUE"));
        await nina.Again();
        Assert.True((await house.Glass.Justify(nina.Actor, id, Why + " Digoxin.", default)).Ok);
        boss = await GlassTests.Back(house);
        Assert.True((await house.Glass.Review(boss.Actor, id, GlassOutcome.Appropriate, "Digoxin and a pulse of 38: it could not wait.", default)).Ok);
        Assert.True((await house.Glass.Lift(boss.Actor, nina.Actor.Staff, default)).Ok);
        Assert.Equal(["more-asked", "appropriate"], (await house.Entries("REVIEW_GLASS")).Select(entry => entry.Reason));
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task The_day_passes_whichever_clock_somebody_sets(bool restarts)
    {
        var house = await New();
        var nina = await GlassHouse.Sit(house, "nina", Role.Nurse);
        Assert.True((await nina.Break(GlassHouse.Patient())).Ok);
        await house.Sessions.End(nina.Session.Token, default);

        // Each hour somebody sets the clock on the wall back by that hour, and the server may be started anew.
        for (var hour = 0; hour < 24; hour++)
        {
            Assert.Empty(await house.Entries("GLASS_OVERDUE"));
            for (var part = 0; part < 6; part++)
            {
                house.Clock.Pass(TimeSpan.FromMinutes(10));
                await house.Glass.Turn(default);
            }

            house.Clock.SetWall(TimeSpan.FromHours(-1));
            await house.Glass.Turn(default);
            if (restarts)
            {
                await house.Restart();
            }
        }

        await house.Glass.Turn(default);
        Assert.Single(await house.Entries("GLASS_OVERDUE"));
    }

    [Fact]
    public async Task Whoever_does_it_often_is_counted_for_thirty_days()
    {
        var house = await New();
        var nina = await GlassHouse.Sit(house, "nina", Role.Nurse);
        var omar = await GlassHouse.Sit(house, "omar", Role.Doctor);
        Assert.True((await omar.Break(GlassHouse.Patient())).Ok);
        for (var time = 0; time < 6; time++)
        {
            var patient = GlassHouse.Patient(1_000_010 + time);
            Assert.True((await nina.Break(patient)).Ok);
            Assert.True(await house.Glass.Close(nina.Actor, patient, default));
        }

        var boss = await GlassHouse.Boss(house);
        var rates = await house.Glass.Rates(boss.Actor, default);
        Assert.Equal([("Person nina", 6, true), ("Person omar", 1, false)], rates.Select(rate => (rate.DisplayName, rate.Count, rate.Often)));
        Assert.Equal((0, 6), await house.Glass.Figures(default));
        house.Clock.Pass(TimeSpan.FromDays(30));
        Assert.Equal((0, 0), await house.Glass.Figures(default));
    }

    [Fact]
    public async Task What_people_write_is_sealed_in_its_place_and_follows_the_pepper()
    {
        var house = await New();
        var nina = await GlassHouse.Sit(house, "nina", Role.Nurse);
        foreach (var number in (int[])[1_000_000, 1_000_001])
        {
            Assert.True((await nina.Break(GlassHouse.Patient(number), words: $"{Why} {number}")).Ok);
        }

        var boss = await GlassHouse.Boss(house);
        Assert.Equal(2, (await house.Keys.Rotate(boss.Actor, "pepper", default)).Value);
        Assert.True(await house.Keys.Advance(default));
        var all = await house.Glass.List(boss.Actor, default);
        foreach (var one in all)
        {
            Assert.StartsWith(Why, Assert.Single((await house.Glass.Open(boss.Actor, one.Id, default)).Value.Texts).Text, StringComparison.Ordinal);
        }

        Assert.DoesNotContain(await house.Entries(), entry => entry.Reason.Contains("unconscious;", StringComparison.Ordinal) || entry.Resource.Contains("unconscious;", StringComparison.Ordinal));
        await using (var connection = await house.Store.Open(default))
        {
            var sealedWords = await connection.Query("SELECT glass, words FROM glass_words ORDER BY id", row => (Glass: row.Guid(0), Words: row.Bytes(1)), default);
            Assert.All(sealedWords, one => Assert.Equal(-1, one.Words.AsSpan().IndexOf("unconscious"u8)));

            // Newer than the pepper of before: the rotation moved them. One put in the place of the other opens nothing.
            Assert.All(sealedWords, one => Assert.Equal(2, Envelope.ReadHeader(one.Words).KeyVersion));
            await connection.Run("UPDATE glass_words SET words = @words WHERE glass = @glass", default, ("@words", sealedWords[0].Words), ("@glass", sealedWords[1].Glass));
            await Assert.ThrowsAsync<SealBroken>(() => house.Glass.Open(boss.Actor, sealedWords[1].Glass, default));
        }
    }

    private async Task<IdentityHouse> New()
    {
        var house = await House();
        await GlassHouse.Furnish(house);
        return house;
    }
}

public sealed class GlassReviewOnSqliteTests : GlassReviewTests
{
    protected override Task<StorageOptions> NewStorage() => Task.FromResult(InNewFolder());
}

public sealed class GlassReviewOnPostgresTests : GlassReviewTests
{
    protected override Task<StorageOptions> NewStorage() => PostgresStorage.Create();
}

/// <summary>Two servers of one hospital: what is opened or closed at one holds at the other.</summary>
public sealed class GlassAtTwoServersTests
{
    [Fact]
    public async Task An_access_that_one_server_gave_opens_at_the_other_at_once_and_is_closed_there_within_a_second()
    {
        await using var here = await IdentityHouse.Build(await PostgresStorage.Create());
        await GlassHouse.Furnish(here);
        await using var there = await here.Beside();
        var nina = await GlassHouse.Sit(here, "nina", Role.Nurse);
        var patient = GlassHouse.Patient();
        var request = new Request { Action = "VIEW_CHART", Purpose = Mangrove.Vault.Access.Purpose.Treatment, Patients = [patient] };
        var notices = 0;
        there.Glass.Changed += (_, _) => notices++;
        Assert.True((await nina.Break(patient)).Ok);

        // The same session at the other server.
        var actor = (await there.Sessions.Resolve(nina.Session.Token, default)).Actor!;
        using (await there.Door.Open(actor, request, default))
        {
            Assert.Equal(AuditOutcome.BreakGlass, Assert.Single(await there.Entries("VIEW_CHART")).Outcome);
        }

        await there.Glass.Turn(default);
        Assert.Equal(1, notices);
        Assert.True(await here.Glass.Close(nina.Actor, patient, default));
        await there.Glass.Turn(default);
        await Assert.ThrowsAsync<Refused>(() => there.Door.Open(actor, request, default));
    }
}
