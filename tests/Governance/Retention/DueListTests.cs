using Mangrove.Clinic.Records;
using Mangrove.Governance.Retention;
using Mangrove.Kernel;
using Mangrove.Sealing;
using Mangrove.Tests.Clinic;
using Mangrove.Vault;
using Mangrove.Vault.Backups;
using Mangrove.Vault.Holds;
using Mangrove.Vault.Identity;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Tests.Governance.Retention;

/// <summary>What is due, in a whole hospital on each database: by rules, holds and witnesses of time.</summary>
public sealed class DueListTests
{
    private const string Why = "The court of Mombasa asked that the record is kept.";

    [Theory]
    [InlineData(StorageKind.Sqlite)]
    [InlineData(StorageKind.Postgres)]
    public async Task A_record_is_due_when_its_period_is_over_by_every_witness_and_nothing_holds_it(StorageKind kind)
    {
        await using var hospital = await TestHospital.New(kind);
        using var list = new DueList(hospital.Clinics, hospital.Vault.Retention, hospital.Vault.Holds, hospital.Clock);
        var objections = new RetentionObjections(hospital.Clinics, hospital.Vault.Retention, hospital.Vault.Holds, hospital.Clock);
        var boss = await Chief.Sit(hospital, "boss");
        var other = await Chief.Sit(hospital, "other");
        var old = await hospital.Register(born: "1950-05-05");
        var child = await hospital.Register(born: "2005-02-28");
        var unknown = await hospital.Register(born: null);
        var (inCare, _) = await hospital.Arrive();
        var recent = await hospital.Register();
        await Before(hospital, 12, old, child, unknown, inCare);
        PatientId[] all = [old.Id, child.Id, unknown.Id, inCare.Id, recent.Id];

        // Without rules nothing is ever due.
        Assert.All(await objections.Ask(all, default), one => Assert.Equal("retention.no-policy", one.Reason.Code));
        Assert.Empty((await list.Count(default)).Due);

        // The log alone has seen the day: without a backup there is one witness.
        Assert.True((await hospital.Vault.Retention.Adopt(boss.Actor, RetentionTable.Of("GB")!.Rules, boss.Proof(), default)).Ok);
        Assert.Equal(("retention.clock", 1), await Said(objections, old));
        var report = await list.Count(default);
        Assert.Equal((5, 0, 1, 1, (DateOnly?)null), (report.Patients, report.Due.Count, report.AwaitTime, report.InCare, report.Today));

        await Backup(hospital);
        report = await list.Count(default);
        Assert.Equal([new DueRecord(old, RecordKind.Chart)], report.Due);
        Assert.Equal((5, 0, 1, 0, 0), (report.Patients, report.AwaitTime, report.InCare, report.Held, report.Unread));
        Assert.Equal(new DateOnly(2026, 3, 2), report.Today);

        // The child's until the 26th birthday, the unknown one's as if born at the first contact, the recent one's eight years.
        Assert.Equal([(2026, 1), (2031, 1), (2034, 1), (2040, 1)], report.ByYear.OrderBy(year => year.Key).Select(year => (year.Key, year.Value)));
        Assert.Equal(new DateOnly(2031, 3, 1), report.NextMonth);
        var refused = (await objections.Ask(all, default)).ToDictionary(one => one.Patient, one => one.Reason.Code);
        Assert.Equal(["retention.period"], refused.Values.Distinct());
        Assert.Equal([child.Id, unknown.Id, inCare.Id, recent.Id], refused.Keys.OrderBy(id => Array.IndexOf(all, id)));
        Assert.Equal(("retention.period", 1), await Said(objections, new PatientRef(PatientId.New(), "")));

        // A hold on it, then on every record; released by somebody else it is due again.
        var held = (await new PlaceHold(hospital.Clinics, hospital.Vault.Holds).Run(new PlaceHold.Form("patient", old.Mrn, null, null, "HC/2026/17", Why), boss.Actor, boss.Proof(), default)).Value;
        Assert.Equal(("retention.hold", 1), await Said(objections, old));
        Assert.Equal((0, 1), await list.Count(default) is var counted ? (counted.Due.Count, counted.Held) : default);
        Assert.Equal("hold.own", (await hospital.Vault.Holds.Release(boss.Actor, held.Number, Why, boss.Proof(), default)).Error!.Code);
        Assert.True((await hospital.Vault.Holds.Release(other.Actor, held.Number, Why, other.Proof(), default)).Ok);
        Assert.Single((await list.Count(default)).Due);
        Assert.True((await new PlaceHold(hospital.Clinics, hospital.Vault.Holds).Run(new PlaceHold.Form("hospital", null, null, null, "HC/2026/18", Why), boss.Actor, boss.Proof(), default)).Ok);
        Assert.Equal(5, (await objections.Ask(all, default)).Count(one => one.Reason.Code == "retention.hold"));

        // What the log says of it: the system's own work, the fields, and the patient where one was asked for.
        var entries = await hospital.Entries(RetentionDesk.CountAction);
        Assert.All(entries, entry => Assert.Equal(("system:retention", "birth_and_sex", "patients:all"), (entry.Actor, string.Join(' ', entry.FieldsAccessed), entry.Resource)));
        Assert.Contains(await hospital.Entries(old, "CHECK_RETENTION"), entry => entry.Actor == "system:retention");
    }

    [Theory]
    [InlineData(StorageKind.Sqlite)]
    [InlineData(StorageKind.Postgres)]
    public async Task A_clock_that_jumps_forward_makes_nothing_due_whatever_is_counted_and_backed_up_after_it(StorageKind kind)
    {
        await using var hospital = await TestHospital.New(kind);
        using var list = new DueList(hospital.Clinics, hospital.Vault.Retention, hospital.Vault.Holds, hospital.Clock);
        var objections = new RetentionObjections(hospital.Clinics, hospital.Vault.Retention, hospital.Vault.Holds, hospital.Clock);
        var boss = await Chief.Sit(hospital, "boss");
        Assert.True((await hospital.Vault.Retention.Adopt(boss.Actor, RetentionTable.Of("own")!.Rules, boss.Proof(), default)).Ok);
        var patient = await hospital.Register();
        await Backup(hospital);
        await list.Count(default);
        Assert.Equal(("retention.period", 1), await Said(objections, patient));

        hospital.Clock.SetWall(TimeSpan.FromDays(365 * 30));
        for (var at = 0; at < 3; at++)
        {
            await Backup(hospital);
            var report = await list.Count(default);
            Assert.Equal((0, 1), (report.Due.Count, report.AwaitTime));
            Assert.True(report.Today < new DateOnly(2026, 4, 1));
            Assert.Equal(("retention.clock", 1), await Said(objections, patient));
            hospital.Clock.Pass(TimeSpan.FromHours(6));
        }
    }

    [Fact]
    public async Task The_last_contact_is_the_latest_of_everything_that_was_done_by_the_days_of_the_hospital()
    {
        await using var hospital = await TestHospital.New(StorageKind.Sqlite);
        var patient = await hospital.Register();
        await Before(hospital, 12, patient);
        await using var clinic = hospital.Clinic();
        var visit = Visit.Imported(patient.Id, new DateTimeOffset(2017, 12, 31, 20, 0, 0, TimeSpan.Zero), new DateTimeOffset(2017, 12, 31, 22, 30, 0, TimeSpan.Zero));
        clinic.Visits.Add(visit);
        await clinic.SaveChangesAsync();
        var rows = await clinic.Patients.Where(row => row.PatientId == patient.Id).ToListAsync();

        // Half past ten in the evening of UTC is the next year in Nairobi already, and still the old one in New York.
        foreach (var (zone, last) in (ValueTuple<string, DateOnly>[])[("Africa/Nairobi", new DateOnly(2018, 1, 1)), ("America/New_York", new DateOnly(2017, 12, 31))])
        {
            var history = (await new HistoryReader(clinic, TimeZoneInfo.FindSystemTimeZoneById(zone)).Histories(rows, default))[patient.Id];
            Assert.Equal((last, false), (history.Last, history.InCare));
        }
    }

    private static async Task<(string Code, int Count)> Said(RetentionObjections objections, PatientRef patient) =>
        await objections.Ask([patient.Id], default) is [var first, ..] said ? (first.Reason.Code, said.Count) : ("", 0);

    private static Task Backup(TestHospital hospital)
    {
        var now = hospital.Clock.GetUtcNow();
        return hospital.Vault.Backups.End(SystemActors.Backup, new BackupRun(Ids.New(), BackupWork.Backup, "/backups", now, now, null, 1, true, 1, 1, 1), default);
    }

    /// <summary>As if everything had happened so many years earlier.</summary>
    private static async Task Before(TestHospital hospital, int years, params PatientRef[] patients)
    {
        await using var clinic = hospital.Clinic();
        var then = hospital.Clock.GetUtcNow().AddYears(-years);
        foreach (var patient in patients)
        {
            await clinic.Patients.Where(row => row.PatientId == patient.Id).ExecuteUpdateAsync(row => row.SetProperty(one => one.RegisteredAt, then));
            await clinic.Visits.Where(row => row.PatientId == patient.Id).ExecuteUpdateAsync(row => row.SetProperty(one => one.ArrivedAt, then));
            await clinic.Charges.Where(row => row.PatientId == patient.Id).ExecuteUpdateAsync(row => row.SetProperty(one => one.At, then));
        }
    }

    /// <summary>An administrator with the phone in the hand.</summary>
    private sealed class Chief(TestHospital hospital, Actor actor, byte[] phone)
    {
        public Actor Actor => actor;

        public static async Task<Chief> Sit(TestHospital hospital, string name)
        {
            const string device = "Office-1";
            await hospital.As(Role.Admin, name);
            var signIn = hospital.Vault.Identity.SignIn;
            var step = (await signIn.Password(name, "velvet tractor mumbles quietly", device, default)).Value;
            Assert.True(step.MustEnrol);
            Assert.True(Base32.TryDecode(signIn.Enrol(step.Ticket, device).Value.Secret, out var secret));
            await signIn.FirstCode(step.Ticket, Code(hospital, secret), device, default);

            // Acts at the server itself, so that no session of a screen runs out when the clock is set.
            return new Chief(hospital, await hospital.Again(name), secret);
        }

        public FactorProof Proof()
        {
            hospital.Clock.Pass(TimeSpan.FromSeconds(Totp.StepSeconds));
            return new FactorProof(Code(hospital, phone));
        }

        private static string Code(TestHospital hospital, byte[] secret) => Totp.Code(secret, hospital.Clock.GetUtcNow().ToUnixTimeSeconds() / Totp.StepSeconds);
    }
}
