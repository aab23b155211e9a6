using Mangrove.Kernel;
using Mangrove.Tests.Vault.Health;
using Mangrove.Tests.Vault.Identity;
using Mangrove.Vault;
using Mangrove.Vault.Access;
using Mangrove.Vault.Audit;
using Mangrove.Vault.Glass;
using Mangrove.Vault.Health;
using Mangrove.Vault.Identity;

namespace Mangrove.Tests.Vault.Glass;

/// <summary>Emergency access (design/threats.md, Break-glass), on both databases.</summary>
public abstract class GlassTests : OnEveryDatabase
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    [Fact]
    public async Task It_opens_one_record_to_one_session_for_sixty_minutes_and_flags_every_act()
    {
        var house = await New();
        var nina = await GlassHouse.Sit(house, "nina", Role.Nurse);
        var omar = await GlassHouse.Sit(house, "omar", Role.Doctor);
        var (patient, other) = (GlassHouse.Patient(), GlassHouse.Patient(1_000_001));
        Assert.Equal("access.not-in-care", await nina.Try(patient));
        var before = nina.Session.Token;

        Assert.True((await nina.Break(patient)).Ok);

        // Under a new token (S3), and the old one is dead.
        Assert.Equal(SessionStanding.None, (await house.Sessions.Resolve(before, default)).Standing);
        Assert.Null(await nina.Try(patient));
        Assert.Contains(patient.Id, await house.Door.OpenTo(nina.Actor, [patient.Id, other.Id], default));

        // Nothing else is open by it: another patient, several at once, everybody, what leaves the screen, another person.
        Assert.Equal("access.not-in-care", await nina.Try(other));
        Assert.Equal("access.not-in-care", await nina.Try(patient, other));
        Assert.Equal("access.everyone", await nina.Try(new Request { Action = "EXPORT_FHIR", Purpose = Purpose.Treatment, Everyone = true }));
        Assert.Equal("access.not-in-care", await nina.Try(new Request { Action = "FHIR_READ", Purpose = Purpose.Treatment, Patients = [patient], Leaves = true }));
        Assert.Equal("access.purpose", await nina.Try(new Request { Action = "EXPORT_FHIR", Purpose = Purpose.Portability, Patients = [patient], Leaves = true }));
        Assert.Equal("access.not-in-care", await omar.Try(patient));

        await nina.Work(TimeSpan.FromMinutes(59));
        Assert.Null(await nina.Try(patient));
        await nina.Work(Minute);
        Assert.Equal("access.not-in-care", await nina.Try(patient));
        Assert.Null(house.Glass.LiveOn(nina.Actor, patient.Id));

        var access = Assert.Single(await house.Glass.Own(nina.Actor, default));
        Assert.Equal(GlassStanding.Open, access.Standing);
        await house.Glass.Turn(default);
        access = Assert.Single(await house.Glass.Own(nina.Actor, default));
        Assert.Equal((GlassEnd.Time, GlassStanding.Owed), (access.EndedBy, access.Standing));
        var closed = Assert.Single(await house.Entries("CLOSE_GLASS"));
        Assert.Equal(("system:glass", "Time", $"glass:{access.Number}"), (closed.Actor, closed.Reason, closed.Resource));

        // Flagged: the opening, and what was done by it, with the number of the access. What was before and after is not.
        var opened = Assert.Single(await house.Entries("BREAK_GLASS"));
        Assert.Equal((AuditOutcome.BreakGlass, $"glass:{access.Number} life-at-risk, 1 told, 0 letters, too few or no privacy officer"), (opened.Outcome, opened.Reason));
        Assert.Equal([patient.Id.Value], opened.Patients);
        var charts = (await house.Entries("VIEW_CHART")).Where(entry => entry.Actor == "nina").ToList();
        Assert.Equal(2, charts.Count(entry => entry.Outcome == AuditOutcome.BreakGlass));
        Assert.All(charts.Where(entry => entry.Outcome == AuditOutcome.BreakGlass), entry => Assert.Equal($"glass:{access.Number}", entry.Reason));
        Assert.DoesNotContain(charts, entry => entry.Outcome == AuditOutcome.Allowed);
    }

    [Fact]
    public async Task Who_may_not_is_refused_with_a_code_and_an_entry_and_nothing_is_opened_or_told()
    {
        var house = await New();
        var patient = GlassHouse.Patient();
        var nina = await GlassHouse.Sit(house, "nina", Role.Nurse);
        var desk = await GlassHouse.Sit(house, "desk", Role.FrontDesk);
        nina = await WithPin(house, nina);
        var expected = new List<string>();

        await Refused("glass.reason", nina.Break(patient, GlassReason.Unchosen));
        await Refused("glass.reason", nina.Break(patient, (GlassReason)9));
        await Refused("glass.words", nina.Break(patient, words: "emergency"));
        await Refused("glass.words", nina.Break(patient, words: new string('x', 2_001)));
        await Refused("factor.code", nina.Break(patient, proof: default(FactorProof)));
        await Refused("factor.code", nina.Break(patient, proof: new FactorProof(Pin)));
        await Refused("factor.code", nina.Break(patient, proof: new FactorProof(IdentityHouse.Password[..16])));
        await Refused("glass.role", house.Glass.Break(desk.Session.Token, patient, GlassReason.LifeAtRisk, GlassHouse.Words, default, default));
        Assert.Equal("session.ended", (await house.Glass.Break("no-such-token", patient, GlassReason.LifeAtRisk, GlassHouse.Words, default, default)).Error!.Code);

        // One without a second factor: a PIN is none.
        await Require(house, Role.Doctor);
        await house.Sessions.End(nina.Session.Token, default);
        var plain = await GlassHouse.Sit(house, "plain", Role.Nurse);
        await Refused("glass.factor-missing", house.Glass.Break(plain.Session.Token, patient, GlassReason.LifeAtRisk, GlassHouse.Words, default, default));
        Assert.Equal("glass.factor-missing", (await house.Glass.Stands(plain.Actor, default))!.Code);

        // Nobody would be told: the only administrator is gone.
        await using (var connection = await house.Store.Open(default))
        {
            await connection.Run("UPDATE account SET state = 3 WHERE login = 'BOSS'", default);
        }

        var omar = await GlassHouse.Sit(house, "omar", Role.Doctor);
        await Refused("glass.nobody-to-tell", omar.Break(patient));

        Assert.Equal((0L, 0L, 0L), (await house.Count("SELECT COUNT(*) FROM glass"), await house.Count("SELECT COUNT(*) FROM glass_notice"), await house.Count("SELECT COUNT(*) FROM glass_words")));
        var entries = await house.Entries("BREAK_GLASS");
        Assert.Equal(expected, entries.Select(entry => entry.Reason));
        Assert.All(entries, entry => Assert.Equal((AuditOutcome.Refused, patient.Id.Value), (entry.Outcome, Assert.Single(entry.Patients))));

        async Task Refused(string code, Task<Result<SignedIn>> trying)
        {
            expected.Add(code);
            Assert.Equal(code, (await trying).Error!.Code);
        }
    }

    [Fact]
    public async Task A_lock_a_sign_out_and_the_person_end_it_and_a_PIN_does_not_bring_it_back()
    {
        var house = await New();
        var patient = GlassHouse.Patient();
        var nina = await WithPin(house, await GlassHouse.Sit(house, "nina", Role.Nurse));
        Assert.True((await nina.Break(patient)).Ok);
        await house.Sessions.Lock(nina.Session.Token, default);
        Assert.Equal("access.session", await nina.Try(patient));
        var unlocked = (await house.Sessions.Unlock(nina.Session.Token, UnlockBy.Pin, Pin, "Ward-3-Tablet", default)).Value;
        nina = new Clinician(house, "nina", unlocked);
        Assert.Equal("access.not-in-care", await nina.Try(patient));

        // By the idle lock likewise, also when the process was started anew between lock and look.
        Assert.True((await nina.Break(patient)).Ok);
        house.Clock.Pass(5 * Minute);
        await house.Sessions.Sweep(default);
        await house.Restart();
        nina = new Clinician(house, "nina", (await house.Sessions.Unlock(nina.Session.Token, UnlockBy.Pin, Pin, "Ward-3-Tablet", default)).Value);
        Assert.Equal("access.not-in-care", await nina.Try(patient));

        Assert.True((await nina.Break(patient)).Ok);
        Assert.False(await house.Glass.Close(nina.Actor, GlassHouse.Patient(1_000_001), default));
        Assert.True(await house.Glass.Close(nina.Actor, patient, default));
        Assert.False(await house.Glass.Close(nina.Actor, patient, default));
        Assert.Equal("access.not-in-care", await nina.Try(patient));

        Assert.True((await nina.Break(patient)).Ok);
        await house.Sessions.End(nina.Session.Token, default);
        Assert.Equal("access.session", await nina.Try(patient));
        await nina.Again();
        Assert.Equal("access.not-in-care", await nina.Try(patient));

        // An account that is shut loses it at once.
        Assert.True((await nina.Break(patient)).Ok);
        await house.Staff.Suspend(house.SetUp.Setup, nina.Actor.Staff, default);
        Assert.Equal("access.session", await nina.Try(patient));
        Assert.Equal(["Locked", "Locked", "Closed", "SessionEnded", "SessionEnded"], (await house.Entries("CLOSE_GLASS")).Select(entry => entry.Reason));
        Assert.Equal(0, await house.Count("SELECT COUNT(*) FROM glass WHERE ended IS NULL"));
    }

    [Fact]
    public async Task A_start_in_between_keeps_what_is_open_for_the_rest_of_its_time()
    {
        var house = await New();
        var patient = GlassHouse.Patient();
        var nina = await GlassHouse.Sit(house, "nina", Role.Nurse);
        Assert.True((await nina.Break(patient)).Ok);
        await nina.Work(30 * Minute);
        await house.Restart();
        Assert.Equal(SessionStanding.Live, (await house.Sessions.Touch(nina.Session.Token, default)).Standing);
        Assert.Null(await nina.Try(patient));
        Assert.InRange(house.Glass.LiveOn(nina.Actor, patient.Id)!.Left, TimeSpan.FromMinutes(29), TimeSpan.FromMinutes(30));
        await nina.Work(30 * Minute);
        Assert.Equal("access.not-in-care", await nina.Try(patient));
    }

    [Fact]
    public async Task Access_entry_notices_and_letters_are_one_or_none()
    {
        var house = await New();
        await SetMail(house);
        var patient = GlassHouse.Patient();
        var nina = await GlassHouse.Sit(house, "nina", Role.Nurse);

        // What fails while the letters are put in, or before the commit, leaves nothing open and nobody told.
        foreach (var (breaks, mends) in ((string, string)[])[("ALTER TABLE letter RENAME TO letter_gone", "ALTER TABLE letter_gone RENAME TO letter"), ("ALTER TABLE glass_notice RENAME TO notice_gone", "ALTER TABLE notice_gone RENAME TO glass_notice"), ("ALTER TABLE glass_words RENAME TO words_gone", "ALTER TABLE words_gone RENAME TO glass_words")])
        {
            await Run(house, breaks);
            await Assert.ThrowsAnyAsync<System.Data.Common.DbException>(() => nina.Break(patient));
            await Run(house, mends);
            Assert.Equal("access.not-in-care", await nina.Try(patient));
            Assert.Equal((0L, 0L, 0L), (await house.Count("SELECT COUNT(*) FROM glass"), await house.Count("SELECT COUNT(*) FROM glass_notice"), await house.Count("SELECT COUNT(*) FROM letter")));
        }

        // The token is the old one still: nothing of it happened.
        Assert.True((await nina.Break(patient)).Ok);
        Assert.Equal((1L, 1L, 3L), (await house.Count("SELECT COUNT(*) FROM glass"), await house.Count("SELECT COUNT(*) FROM glass_notice"), await house.Count("SELECT COUNT(*) FROM letter")));
    }

    [Fact]
    public async Task With_a_log_that_cannot_be_written_the_door_is_shut_in_an_emergency_too()
    {
        var house = await New();
        var patient = GlassHouse.Patient();
        var nina = await GlassHouse.Sit(house, "nina", Role.Nurse);
        var proof = nina.Proof();
        await house.Audit.DisposeAsync();

        await Assert.ThrowsAnyAsync<Exception>(() => nina.Break(patient, proof: proof));

        Assert.Equal((0L, 0L), (await house.Count("SELECT COUNT(*) FROM glass"), await house.Count("SELECT COUNT(*) FROM glass_notice")));
        Assert.Null(house.Glass.LiveOn(nina.Actor, patient.Id));
    }

    [Fact]
    public async Task At_least_two_are_told_one_for_privacy_and_who_breaks_it_is_none_of_them()
    {
        var house = await New();
        await SetMail(house);
        var patient = GlassHouse.Patient();
        var boss = await GlassHouse.Boss(house);
        var omar = await GlassHouse.Sit(house, "omar", Role.Doctor);
        var paula = await house.Member("paula", Role.FrontDesk);
        Assert.False((await house.Glass.Told(default)).Enough);

        // Naming them asks for the administrator's own second factor, is an entry, and knows only people with an account.
        Assert.Equal("factor.code", (await house.Glass.Name(boss.Actor, [paula.Staff], default, default)).Error!.Code);
        Assert.Equal("glass.officers", (await house.Glass.Name(boss.Actor, [], boss.Proof(), default)).Error!.Code);
        Assert.Equal("glass.officers", (await house.Glass.Name(boss.Actor, [new StaffId(999)], boss.Proof(), default)).Error!.Code);
        await Assert.ThrowsAsync<Refused>(() => house.Glass.Name(omar.Actor, [omar.Actor.Staff], omar.Proof(), default));
        var named = (await house.Glass.Name(boss.Actor, [paula.Staff, omar.Actor.Staff], boss.Proof(), default)).Value;
        Assert.True(named.Enough);
        Assert.Equal((3, 2), (named.Told, named.Officers.Count));
        Assert.EndsWith($"nobody -> {string.Join(' ', new[] { omar.Actor.Staff, paula.Staff }.OrderBy(one => one.Number))}", (await house.Entries("NAME_PRIVACY_OFFICERS"))[^1].Reason, StringComparison.Ordinal);

        // An officer breaks the glass: the others are told, and nobody for privacy is left among them.
        Assert.True((await omar.Break(patient)).Ok);
        Assert.Equal(2, await house.Count("SELECT COUNT(*) FROM glass_notice"));
        Assert.Equal(0, await house.Glass.Unseen(omar.Actor, default));
        Assert.Equal(1, await house.Glass.Unseen(boss.Actor, default));
        Assert.EndsWith("2 told, 3 letters", Assert.Single(await house.Entries("BREAK_GLASS")).Reason, StringComparison.Ordinal);

        // Letters name neither the patient nor the number; the receipt stands beside the access, and what fails is tried again.
        var carrier = new PaperCarrier { Trouble = new RefusedInput("mail.unreachable", "x") };
        Assert.Equal(0, await house.Health.Outbox.Deliver(carrier, default));
        carrier.Trouble = null;
        house.Clock.Pass(2 * Minute);
        Assert.Equal(3, await house.Health.Outbox.Deliver(carrier, default));
        Assert.All(carrier.Carried, one => Assert.DoesNotContain(patient.Mrn, one.Subject + one.Body, StringComparison.Ordinal));
        Assert.Contains(carrier.Carried, one => one.Address == "privacy@hospital.example");
        boss = await Back(house);
        Assert.Equal(1, await house.Glass.See(boss.Actor, default));
        Assert.Equal(0, await house.Glass.Unseen(boss.Actor, default));
        var id = Assert.Single(await house.Glass.List(boss.Actor, default)).Id;
        var told = (await house.Glass.Open(boss.Actor, id, default)).Value.Notices;
        Assert.Equal(3, told.Count(one => one is { Receipt: "2.0.0 queued as 4F2", Received: not null }));
        Assert.Equal(["Person boss"], told.Where(one => one is { Receipt: null, Received: not null }).Select(one => one.To));
        Assert.Equal("1 seen", Assert.Single(await house.Entries("SEE_GLASS_NOTICES")).Reason);

        // Addresses that are taken away, and accounts that are shut, leave the others told.
        await Run(house, "DELETE FROM mail_recipient");
        await house.Staff.Suspend(house.SetUp.Setup, paula.Staff, default);
        omar = new Clinician(house, "omar", await house.Enter("omar"));
        Assert.True((await omar.Break(GlassHouse.Patient(1_000_005))).Ok);
        Assert.EndsWith("1 told, 0 letters, too few or no privacy officer", (await house.Entries("BREAK_GLASS"))[^1].Reason, StringComparison.Ordinal);
    }

    [Theory, InlineData(-1), InlineData(0), InlineData(1)]
    public async Task The_sixty_minutes_pass_whichever_clock_somebody_sets(int kind)
    {
        var house = await New();
        var patient = GlassHouse.Patient();
        var nina = await GlassHouse.Sit(house, "nina", Role.Nurse);
        Assert.True((await nina.Break(patient)).Ok);
        switch (kind)
        {
            case -1:
                // Back within the tolerance, again and again: the other clock counts.
                for (var at = 0; at < 60; at++)
                {
                    house.Clock.PassMonotonic(Minute);
                    await house.Sessions.Touch(nina.Session.Token, default);
                    await house.Glass.Turn(default);
                }

                break;
            case 0:
                // Back by an hour: every session ends, and what stood on it.
                house.Clock.SetWall(TimeSpan.FromHours(-1));
                await house.Sessions.Sweep(default);
                Assert.Equal("access.session", await nina.Try(patient));
                break;
            default:
                // Forward: sooner, never later. The lock would come too; a gesture is what it takes to look behind it.
                house.Clock.SetWall(TimeSpan.FromMinutes(61));
                break;
        }

        Assert.NotNull(await nina.Try(patient));
        Assert.Null(house.Glass.LiveOn(nina.Actor, patient.Id));
    }

    internal const string Pin = "480265";

    internal async Task<IdentityHouse> New()
    {
        var house = await House();
        await GlassHouse.Furnish(house);
        return house;
    }

    internal static async Task<Clinician> Back(IdentityHouse house) => new(house, "boss", await house.Enter("boss"));

    internal static async Task Run(IdentityHouse house, string sql)
    {
        await using var connection = await house.Store.Open(default);
        await connection.Run(sql, default);
    }

    internal static async Task SetMail(IdentityHouse house) => Assert.True((await house.Health.Mail.Change(
        house.SetUp.Setup,
        new MailServer("mail.hospital.example", 587, MailSecurity.StartTls, "mangrove@hospital.example", "", ""),
        null,
        ["it@hospital.example", "night@hospital.example"],
        ["privacy@hospital.example"],
        default)).Ok);

    private static async Task<Clinician> WithPin(IdentityHouse house, Clinician who) =>
        new(house, who.Actor.User, (await house.Desk.Pin.Choose(who.Session.Token, IdentityHouse.Password, Pin, default)).Value);

    private static async Task Require(IdentityHouse house, Role role)
    {
        var boss = await GlassHouse.Boss(house);
        Assert.True((await house.Desk.SecondFactor.Require(boss.Actor, new HashSet<Role> { role }, boss.Proof(), default)).Ok);
    }
}

public sealed class GlassOnSqliteTests : GlassTests
{
    protected override Task<StorageOptions> NewStorage() => Task.FromResult(InNewFolder());
}

public sealed class GlassOnPostgresTests : GlassTests
{
    protected override Task<StorageOptions> NewStorage() => PostgresStorage.Create();
}
