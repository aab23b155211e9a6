using System.Diagnostics;
using Mangrove.Kernel;
using Mangrove.Sealing;
using Mangrove.Tests.Vault.Glass;
using Mangrove.Tests.Vault.Identity;
using Mangrove.Vault;
using Mangrove.Vault.Audit;
using Mangrove.Vault.Identity;
using Mangrove.Vault.Incidents;

namespace Mangrove.Tests.Vault.Incidents;

/// <summary>An incident from the first word to the last, on both databases.</summary>
public abstract class IncidentTests : OnEveryDatabase
{
    private const string Words = "A tablet was taken from the nurses' room in ward 3.";

    private static readonly CancellationToken None = CancellationToken.None;

    [Fact]
    public async Task A_stolen_tablet_is_contained_judged_told_reviewed_and_closed_and_each_step_ticks_itself()
    {
        var (house, boss, second) = await New();
        var nurse = await Sit(house, "amina", "Ward-3-Tablet-07");
        var desk = house.Incidents;
        var known = house.Clock.GetUtcNow().AddHours(-2);

        // Who does not keep incidents learns nothing, and leaves an entry.
        await Assert.ThrowsAsync<Refused>(() => desk.List(nurse.Actor, default));
        await Assert.ThrowsAsync<Refused>(() => desk.Begin(nurse.Actor, IncidentKind.StolenDevice, known, null, boss.Actor.Staff, Words, null, default));
        Assert.Equal("incident.kind", Code(await desk.Begin(boss.Actor, IncidentKind.Unchosen, known, null, boss.Actor.Staff, Words, null, default)));
        Assert.Equal("incident.known", Code(await desk.Begin(boss.Actor, IncidentKind.StolenDevice, house.Clock.GetUtcNow().AddMinutes(1), null, boss.Actor.Staff, Words, null, default)));
        Assert.Equal("incident.agent", Code(await desk.Begin(boss.Actor, IncidentKind.StolenDevice, known, new DateOnly(2200, 1, 1), boss.Actor.Staff, Words, null, default)));
        Assert.Equal("incident.lead", Code(await desk.Begin(boss.Actor, IncidentKind.StolenDevice, known, null, nurse.Actor.Staff, Words, null, default)));
        Assert.Equal("incident.words", Code(await desk.Begin(boss.Actor, IncidentKind.StolenDevice, known, null, boss.Actor.Staff, "gone", null, default)));
        var number = (await desk.Begin(boss.Actor, IncidentKind.StolenDevice, known, null, boss.Actor.Staff, Words, null, default)).Value;
        Assert.Equal(1, number);
        Assert.Equal(("none -> open, stolen-device, lead " + boss.Actor.Staff + ", 1 told, 0 letters", "incident:1"), (await Last(house, "OPEN_INCIDENT")));

        // Told, and the receipt.
        Assert.Equal((0, 1), (await desk.Unseen(boss.Actor, default), await desk.Unseen(second.Actor, default)));
        Assert.Equal("incident.seen", Code(await desk.See(boss.Actor, number, default)));
        Assert.True((await desk.See(second.Actor, number, default)).Ok);
        Assert.Equal("incident.seen", Code(await desk.See(second.Actor, number, default)));
        Assert.Equal(IncidentState.Open, await State(house, boss, number));

        // Contained: what it names is shut, the rest goes on.
        Assert.Equal("factor.code", Code(await desk.Contain(boss.Actor, number, new Containment([nurse.Actor.Staff], ["Ward-3-Tablet-07"], [], []), new FactorProof("000000"), default)));
        Assert.Equal(SessionStanding.Live, (await house.Sessions.Resolve(nurse.Session.Token, default)).Standing);
        Assert.True((await desk.Contain(boss.Actor, number, new Containment([nurse.Actor.Staff], ["Ward-3-Tablet-07"], [], ["pepper"]), boss.Proof(), default)).Ok);
        Assert.Equal(SessionStanding.None, (await house.Sessions.Resolve(nurse.Session.Token, default)).Standing);
        Assert.Equal(SessionStanding.Live, (await house.Sessions.Resolve(second.Session.Token, default)).Standing);
        Assert.Equal("state active -> suspended, incident:1", (await Last(house, "SUSPEND_STAFF")).Reason);
        Assert.Equal("registered -> revoked, incident:1", (await Last(house, "REVOKE_DEVICE")).Reason);
        Assert.Equal(IncidentState.Contained, await State(house, boss, number));

        // The copy of the log is made behind it and proves itself; a rotation is ticked when it has ended, not when it began.
        Assert.True(await desk.Turn(default));
        Assert.False(await desk.Turn(default));
        var file = (await desk.Open(boss.Actor, number, default)).Value;
        Assert.True(Of(file, IncidentStep.KeepLog).Done);
        Assert.False(Of(file, IncidentStep.RotateKeys).Done);
        var copy = Path.Combine(desk.FolderOf(number), "audit.db");
        await using (var bytes = File.OpenRead(copy))
        {
            Assert.Equal(Convert.ToHexStringLower(await System.Security.Cryptography.SHA256.HashDataAsync(bytes, None)), file.Incident.LogHash);
        }

        Assert.True((await house.Audit.LeftAt(copy, default)).Value >= file.Incident.LogSize);
        Assert.Equal(file.Incident.LogHash + "  audit.db\n", await File.ReadAllTextAsync(copy + ".sha256", None));
        Assert.Contains("CONTAIN_INCIDENT", AuditLog.PageOf(copy, file.Incident.LogSize!.Value).Concat(AuditLog.PageOf(copy, 0)).Select(entry => entry.Action));

        // Judged only when the log was asked; a low probability needs two.
        string[] factors = [Words, Words, Words, Words];
        Assert.Equal("incident.no-impact", Code(await desk.Assess(boss.Actor, number, factors, RiskFound.Low, 0, 0, default)));
        Assert.Equal("incident.question", (await desk.Examine(boss.Actor, number, new ExposureQuestion { Since = known, Until = house.Clock.GetUtcNow() }, default)).Error!.Code);
        Assert.True((await desk.Examine(boss.Actor, number, new ExposureQuestion { Device = "Ward-3-Tablet-07", Since = known, Until = house.Clock.GetUtcNow() }, default)).Ok);
        Assert.Equal("incident.risk", Code(await desk.Assess(boss.Actor, number, factors, RiskFound.None, 0, 0, default)));
        Assert.Equal("incident.affected", Code(await desk.Assess(boss.Actor, number, factors, RiskFound.Breach, 2, 3, default)));
        Assert.Equal("incident.words", Code(await desk.Assess(boss.Actor, number, [Words, "no", Words, Words], RiskFound.Breach, 2, 2, default)));
        Assert.True((await desk.Assess(boss.Actor, number, factors, RiskFound.Low, 2, 2, default)).Ok);
        Assert.Equal("incident.own-risk", Code(await desk.ConfirmLow(boss.Actor, number, default)));
        Assert.Equal(IncidentState.Contained, await State(house, boss, number));
        Assert.True((await desk.Assess(boss.Actor, number, factors, RiskFound.Breach, 2, 2, default)).Ok);
        Assert.Equal("incident.not-low", Code(await desk.ConfirmLow(second.Actor, number, default)));
        Assert.Equal(IncidentState.Assessed, await State(house, boss, number));

        // Sent to as many as are affected, and to the authority.
        var today = DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(house.Clock.GetUtcNow(), house.Clock.LocalTimeZone).DateTime);
        Assert.Equal("incident.sent", Code(await desk.RecordSent(boss.Actor, number, NoticeTo.Patients, 2, today.AddDays(1), NoticeWay.Post, default)));
        Assert.True((await desk.RecordSent(boss.Actor, number, NoticeTo.Patients, 1, today, NoticeWay.Post, default)).Ok);
        Assert.True((await desk.RecordSent(boss.Actor, number, NoticeTo.Authority, 1, today, NoticeWay.Portal, default)).Ok);
        Assert.Equal(IncidentState.Assessed, await State(house, boss, number));
        Assert.True((await desk.RecordSent(boss.Actor, number, NoticeTo.Patients, 1, today, NoticeWay.Handed, default)).Ok);
        Assert.Equal(IncidentState.Notified, await State(house, boss, number));

        // Reviewed when the actions are done too.
        Assert.Equal("incident.due", Code(await desk.AddAction(boss.Actor, number, second.Actor.Staff, today.AddDays(-1), "Tablets go into the locked drawer at night.", default)));
        Assert.Equal("incident.due", Code(await desk.AddAction(boss.Actor, number, second.Actor.Staff, default, "Tablets go into the locked drawer at night.", default)));
        Assert.True((await desk.AddAction(boss.Actor, number, second.Actor.Staff, today.AddDays(7), "Tablets go into the locked drawer at night.", default)).Ok);
        Assert.True((await desk.Review(boss.Actor, number, "The drawer had no lock. It has one now, and tablets are counted.", default)).Ok);
        Assert.Equal(IncidentState.Notified, await State(house, boss, number));
        var action = Assert.Single((await desk.Open(boss.Actor, number, default)).Value.Actions);
        Assert.True((await desk.EndAction(second.Actor, number, action.Id, default)).Ok);
        Assert.Equal("incident.action", Code(await desk.EndAction(second.Actor, number, action.Id, default)));

        // The rotation waits for owners' hashes: it is waived by somebody else, never by who leads.
        Assert.Equal("incident.steps-open", Code(await desk.Close(boss.Actor, number, default)));
        Assert.Equal("incident.own-waiver", Code(await desk.Waive(boss.Actor, number, IncidentStep.RotateKeys, Words, default)));
        Assert.Equal("incident.step", Code(await desk.Waive(second.Actor, number, IncidentStep.Review, Words, default)));
        Assert.True((await desk.Waive(second.Actor, number, IncidentStep.RotateKeys, "Hashes move as people sign in; nobody had the server.", default)).Ok);
        Assert.True((await desk.Close(second.Actor, number, default)).Ok);
        Assert.Equal("incident.closed", Code(await desk.Remark(boss.Actor, number, Words, default)));
        Assert.Equal(IncidentState.Closed, (await desk.List(second.Actor, default))[0].State);
        Assert.DoesNotContain(await house.Entries(), entry => entry.Reason.Contains("nurses' room", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_people_wrote_outlives_a_restart_and_a_rotation_of_the_pepper_and_stands_nowhere_in_the_open()
    {
        var (house, boss, _) = await New();
        var number = (await house.Incidents.Begin(boss.Actor, IncidentKind.LostPaper, house.Clock.GetUtcNow(), null, boss.Actor.Staff, Words, null, default)).Value;
        foreach (var kind in house.Desk.Peppered.Kinds())
        {
            house.Rotations.Register(kind);
        }

        Assert.Equal(1, await house.Count("SELECT COUNT(*) FROM incident_words"));
        await using (var connection = await house.Store.Open(default))
        {
            var sealedWords = (await connection.Query("SELECT words FROM incident_words", row => row.Bytes(0), default)).Single();
            Assert.DoesNotContain("tablet"u8.ToArray(), Windows(sealedWords, 6));
        }

        var before = (await house.Incidents.Open(boss.Actor, number, default)).Value.Texts.Single();
        Assert.True((await house.Keys.Rotate(boss.Actor, "pepper", default)).Ok);
        await house.Rotations.Advance(default);
        var words = house.Desk.Peppered.Kinds().Single(kind => kind.Name == "words of incidents");
        Assert.Equal([2], (await words.Count(default)).Select(one => one.Version));
        await house.Restart();
        boss = await GlassHouse.Boss(house);
        Assert.Equal((before.Text, Words), ((await house.Incidents.Open(boss.Actor, number, default)).Value.Texts.Single().Text, before.Text));

        // A text in another one's place is none.
        Assert.True((await house.Incidents.Remark(boss.Actor, number, "And the lists of the day before were with it.", default)).Ok);
        await using (var connection = await house.Store.Open(default))
        {
            await connection.Run("UPDATE incident_words SET words = (SELECT words FROM incident_words WHERE id = @id) WHERE id <> @id", default, ("@id", before.Id));
        }

        await Assert.ThrowsAsync<SealBroken>(() => house.Incidents.Open(boss.Actor, number, default));
    }

    [Fact]
    public async Task Containment_happens_whole_or_not_at_all_and_cannot_shut_the_last_administrator_out()
    {
        var (house, boss, second) = await New();
        var nurse = await Sit(house, "amina", "Ward-3-Tablet-07");
        var desk = house.Incidents;
        var number = (await desk.Begin(boss.Actor, IncidentKind.StolenCredential, house.Clock.GetUtcNow(), null, boss.Actor.Staff, Words, null, default)).Value;
        async Task<string> Try(Containment asked, Clinician by) => Code(await desk.Contain(by.Actor, number, asked, by.Proof(), default));
        Assert.Equal("incident.nothing", await Try(new Containment([], [], [], ["data"]), boss));
        Assert.Equal("incident.own-account", await Try(new Containment([boss.Actor.Staff], [], [], []), boss));
        Assert.Equal("incident.own-device", await Try(new Containment([], [boss.Actor.Device.ToUpperInvariant()], [], []), boss));
        Assert.Equal("keys.purpose-unknown", await Try(new Containment([nurse.Actor.Staff], [], [], ["front-door"]), boss));
        Assert.Equal("staff.unknown", await Try(new Containment([nurse.Actor.Staff, new StaffId(9_999)], [], [], []), boss));
        Assert.Equal("device.unknown", await Try(new Containment([nurse.Actor.Staff], ["No-Such-Tablet"], [], []), boss));
        Assert.Equal("integration.unknown", await Try(new Containment([nurse.Actor.Staff], ["Ward-3-Tablet-07"], ["nobody"], []), boss));

        // Nothing of all that happened.
        Assert.Equal(SessionStanding.Live, (await house.Sessions.Resolve(nurse.Session.Token, default)).Standing);
        Assert.Empty((await desk.Open(boss.Actor, number, default)).Value.Targets);
        Assert.Empty(await house.Entries("SUSPEND_STAFF"));

        // Of two administrators the one freezes the other; then the first is the last.
        Assert.Null((await desk.Contain(boss.Actor, number, new Containment([second.Actor.Staff], [], [], []), boss.Proof(), default)).Error);
        var officer = await GlassHouse.Sit(house, "yusuf", Role.Admin);
        Assert.True((await house.Staff.ChangeRole(boss.Actor, officer.Actor.Staff, Role.Doctor.Slug(), default)).Ok);
        Assert.True((await house.Glass.Name(boss.Actor, [officer.Actor.Staff], boss.Proof(), default)).Ok);
        await officer.Again();
        Assert.Equal("incident.administrator", await Try(new Containment([boss.Actor.Staff], [], [], []), officer));
        Assert.True((await desk.Remark(officer.Actor, number, "The privacy officer keeps the record too.", default)).Ok);
    }

    [Fact]
    public async Task Two_hundred_open_sessions_are_contained_within_five_seconds_and_each_is_dead_at_once()
    {
        var (house, boss, _) = await New();
        var people = new List<(StaffMember Member, SignedIn Session)>();
        for (var one = 0; one < 200; one++)
        {
            var member = await house.Member(FormattableString.Invariant($"nurse{one}"), Role.FrontDesk);
            people.Add((member, await house.Enter(member.User, "Front-Desk-01")));
        }

        await house.Enrol("Front-Desk-01", "Front desk");
        var desk = house.Incidents;
        var number = (await desk.Begin(boss.Actor, IncidentKind.Malware, house.Clock.GetUtcNow(), null, boss.Actor.Staff, Words, null, default)).Value;
        var proof = boss.Proof();
        var started = Stopwatch.GetTimestamp();
        Assert.True((await desk.Contain(boss.Actor, number, new Containment([.. people.Select(one => one.Member.Staff)], ["Front-Desk-01"], [], ["data"]), proof, default)).Ok);
        var took = Stopwatch.GetElapsedTime(started);
        Assert.True(took < TimeSpan.FromSeconds(5), FormattableString.Invariant($"It took {took.TotalSeconds:0.0} s."));
        foreach (var (member, session) in people)
        {
            Assert.Equal(SessionStanding.None, (await house.Sessions.Resolve(session.Token, default)).Standing);
        }

        Assert.Equal(200, (await house.Entries("SUSPEND_STAFF")).Count);
        Assert.Equal(201, (await desk.Open(boss.Actor, number, default)).Value.Targets.Count);
    }

    private static async Task<(IdentityHouse House, Clinician Boss, Clinician Second)> Furnish(IdentityHouse house)
    {
        await GlassHouse.Furnish(house);
        var boss = await GlassHouse.Boss(house);
        return (house, boss, await GlassHouse.Sit(house, "second", Role.Admin));
    }

    private async Task<(IdentityHouse House, Clinician Boss, Clinician Second)> New() => await Furnish(await House());

    private static async Task<Clinician> Sit(IdentityHouse house, string user, string device)
    {
        await house.Member(user, Role.FrontDesk);
        await house.Enrol(device, "Ward 3");
        return new Clinician(house, user, await house.Enter(user, device));
    }

    private static string Code(Result<int> result) => result.Error?.Code ?? "none";

    private static StepStanding Of(IncidentFile file, IncidentStep step) => file.Steps.Single(one => one.Step == step);

    private static async Task<IncidentState> State(IdentityHouse house, Clinician by, int number) => (await house.Incidents.Open(by.Actor, number, default)).Value.State;

    private static async Task<(string Reason, string Resource)> Last(IdentityHouse house, string action) =>
        (await house.Entries(action)).Where(entry => entry.Outcome == AuditOutcome.Allowed).Select(entry => (entry.Reason, entry.Resource)).Last();

    private static IEnumerable<byte[]> Windows(byte[] bytes, int size) => Enumerable.Range(0, bytes.Length - size).Select(at => bytes[at..(at + size)]);
}

public sealed class IncidentOnSqliteTests : IncidentTests
{
    protected override Task<StorageOptions> NewStorage() => Task.FromResult(InNewFolder());
}

public sealed class IncidentOnPostgresTests : IncidentTests
{
    protected override Task<StorageOptions> NewStorage() => PostgresStorage.Create();
}
