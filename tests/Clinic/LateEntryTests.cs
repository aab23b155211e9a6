using Mangrove.Clinic;
using Mangrove.Clinic.Chart;
using Mangrove.Clinic.Consultation;
using Mangrove.Clinic.Records;
using Mangrove.Clinic.Terminology;
using Mangrove.Clinic.Triage;
using Mangrove.Kernel;
using Mangrove.Tests.Clinic.Consultation;
using Mangrove.Tests.Clinic.Pharmacy;
using Mangrove.Vault;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Tests.Clinic;

/// <summary>What was kept on paper is entered with the time at which it happened, beside the time of its writing.</summary>
public sealed class LateEntryTests
{
    [Theory]
    [InlineData(StorageKind.Sqlite)]
    [InlineData(StorageKind.Postgres)]
    public async Task Vital_signs_stand_where_they_were_measured_and_say_when_they_were_written(StorageKind kind)
    {
        await using var hospital = await TestHospital.New(kind);
        var nurse = await hospital.As(Role.Nurse);
        var (patient, visit) = await hospital.Arrive();
        Assert.True((await hospital.Use<RecordTriage>().Run(Form(patient, visit, "92", null), nurse, default)).Ok);
        hospital.Clock.Pass(TimeSpan.FromHours(2));
        var now = hospital.Clock.GetUtcNow();
        var happened = now.AddHours(-7);
        Assert.True((await hospital.Use<RecordTriage>().Run(Form(patient, visit, "120", Typed(happened)), nurse, default)).Ok);

        var chart = (await hospital.Use<OpenChart>().Run(patient.Id, null, nurse, default)).Value;
        var pulse = Assert.Single(chart.Vitals!, series => series.Vital == Vital.Pulse);
        Assert.Equal([(happened, 120m, (DateTimeOffset?)now), (now.AddHours(-2), 92m, null)], pulse.Points.Select(point => (point.At, point.Value!.Value, point.Recorded)));
        Assert.Equal((happened, (DateTimeOffset?)now), (chart.Triages![1].At, chart.Triages[1].Outcome.Recorded));
        Assert.Null(chart.Triages[0].Outcome.Recorded);
    }

    [Theory]
    [InlineData(StorageKind.Sqlite)]
    [InlineData(StorageKind.Postgres)]
    public async Task A_note_keeps_the_time_of_its_signature_beside_what_happened(StorageKind kind)
    {
        await using var hospital = await TestHospital.New(kind);
        var (patient, visit, doctor) = await hospital.Consult();
        var now = hospital.Clock.GetUtcNow();
        var happened = now.AddHours(-20);
        Assert.Null((await hospital.Use<SignConsultation>().Run(patient.Id, visit.Id, Clinicians.Note() with { HappenedAt = Typed(happened) }, doctor, default)).Error);
        var note = Assert.Single((await hospital.Use<OpenChart>().Run(patient.Id, null, doctor, default)).Value.Notes!);
        Assert.Equal((now, (DateTimeOffset?)happened), (note.SignedAt, note.Text.Happened));
    }

    [Theory]
    [InlineData(StorageKind.Sqlite)]
    [InlineData(StorageKind.Postgres)]
    public async Task What_was_handed_over_earlier_keeps_both_times_and_a_part_of_it_says_so_at_the_counter(StorageKind kind)
    {
        await using var hospital = await TestHospital.New(kind);
        var (patient, visit) = await hospital.Arrive();
        await hospital.Prescribe(patient, visit, "omeprazole", 14);
        await hospital.Deliver("omeprazole", "OM-1", 300, 20);
        var now = hospital.Clock.GetUtcNow();
        var happened = now.AddHours(-5);
        var form = CounterWork.Proposal(await hospital.Counter(patient, visit));
        Assert.Equal("late.future", (await hospital.Hand(patient, visit, form with { HappenedAt = Typed(now.AddMinutes(2)) })).Error?.Code);
        Assert.True((await hospital.Hand(patient, visit, form with { HappenedAt = Typed(happened) })).Ok);

        await using var clinic = hospital.Clinic();
        var row = Assert.Single(await clinic.Dispenses.Where(one => one.PatientId == patient.Id).ToListAsync());
        Assert.Equal(happened, row.At);
        Assert.Equal(now, Assert.Single(await hospital.Dispensed(patient)).Recorded);
        Assert.Equal(now, Assert.Single((await hospital.Counter(patient, visit)).Lines).GivenLate);
    }

    [Fact]
    public async Task Nothing_happens_in_the_future_or_more_than_three_days_ago_and_then_nothing_is_written()
    {
        await using var hospital = await TestHospital.New(StorageKind.Sqlite);
        var (patient, visit, doctor) = await hospital.Consult();
        var now = hospital.Clock.GetUtcNow();
        foreach (var (typed, code) in new[] { (Typed(now.AddMinutes(1)), "late.future"), (Typed(now.AddHours(-72).AddMinutes(-1)), "late.too-old"), ("yesterday", "late.time"), ("2026-13-01T08:00", "late.time") })
        {
            Assert.Equal(code, (await hospital.Use<RecordTriage>().Run(Form(patient, visit, "92", typed), await hospital.As(Role.Nurse), default)).Error?.Code);
            Assert.Equal(code, (await hospital.Use<SignConsultation>().Run(patient.Id, visit.Id, Clinicians.Note() with { HappenedAt = typed }, doctor, default)).Error?.Code);
        }

        await using var clinic = hospital.Clinic();
        Assert.Empty(clinic.Observations);
        Assert.Empty(clinic.Notes);
        Assert.True(LateEntry.Read(Typed(now.AddHours(-72)), hospital.Clock).Ok);
        Assert.Equal(new LateEntry(now, null), LateEntry.Read(" ", hospital.Clock).Value);
    }

    private static string Typed(DateTimeOffset at) => at.ToLocalTime().ToString("yyyy-MM-dd'T'HH:mm", System.Globalization.CultureInfo.InvariantCulture);

    private static RecordTriage.Form Form(PatientRef patient, Visit visit, string pulse, string? happened) =>
        new(Ids.New(), patient.Id, visit.Id, VitalEntry.Read(name => name == VitalEntry.NameOf(Vital.Pulse) ? pulse : null, Age.OfYears(58)), 3, "Palpitations", 0, happened);
}
