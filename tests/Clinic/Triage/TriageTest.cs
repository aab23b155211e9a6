using Mangrove.Clinic.Records;
using Mangrove.Clinic.Terminology;
using Mangrove.Clinic.Triage;
using Mangrove.Kernel;
using Mangrove.Vault;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Tests.Clinic.Triage;

public sealed class TriageTest
{
    private static readonly Age Adult = Age.OfYears(58);

    [Theory]
    [InlineData(StorageKind.Sqlite)]
    [InlineData(StorageKind.Postgres)]
    public async Task A_triage_is_kept_once_with_its_score_its_vitals_and_one_charge(StorageKind kind)
    {
        var hospital = await TestHospital.Shared(kind);
        var nurse = await hospital.As(Role.Nurse);
        var (patient, visit) = await hospital.Arrive();
        var form = new RecordTriage.Form(Ids.New(), patient.Id, visit.Id, Feverish(), 2, "Fever and cough", 10);

        var kept = await hospital.Use<RecordTriage>().Run(form, nurse, default);
        var again = await hospital.Use<RecordTriage>().Run(form, nurse, default);

        Assert.Equal(kept.Value.Id, again.Value.Id);
        await using var clinic = hospital.Clinic();
        Assert.Equal(1, await clinic.Triages.CountAsync(row => row.VisitId == visit.Id));
        Assert.Equal(1, await clinic.Charges.CountAsync(row => row.VisitId == visit.Id));
        Assert.Equal(VisitStatus.Triaged, (await clinic.Visits.FindAsync(visit.Id))!.Status);
        Assert.Equal(5, await clinic.Observations.CountAsync(row => row.VisitId == visit.Id));

        var row = Assert.Single(await hospital.Use<TriageQueue>().Run(nurse, false, default), one => one.Visit.Id == visit.Id);
        Assert.Equal((2, "Fever and cough", 10), (row.Triage!.Category, row.Triage.Complaint, row.Target));
        // Breaths 22 is two points, pulse 96 one, temperature 38.4 one; saturation 97 and pressure 118 none.
        Assert.Equal(4, row.Scores.Single());
        Assert.Equal(hospital.Clock.GetUtcNow().AddMinutes(10), row.RecheckDue);
    }

    [Theory]
    [InlineData(StorageKind.Sqlite)]
    [InlineData(StorageKind.Postgres)]
    public async Task The_score_follows_the_age_in_the_record_whatever_age_it_was_typed_for_and_one_entry_is_made(StorageKind kind)
    {
        var hospital = await TestHospital.Shared(kind);
        var (patient, visit) = await hospital.Arrive(hospital.Clock.GetUtcNow().AddYears(-7).ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture));
        var typedForAnAdult = Feverish();
        Assert.True(typedForAnAdult.Score.Ok);

        Assert.True((await hospital.Use<RecordTriage>().Run(new RecordTriage.Form(Ids.New(), patient.Id, visit.Id, typedForAnAdult, 3, "Fever", 0), await hospital.As(Role.Nurse), default)).Ok);

        var row = Assert.Single(await hospital.Use<TriageQueue>().Run(await hospital.As(Role.Nurse), false, default), one => one.Visit.Id == visit.Id);
        Assert.Equal((null, "PEWS, under 16"), (row.Triage!.News2, row.Triage.News2Band));
        Assert.Equal("RECORD_TRIAGE", Assert.Single(await hospital.Entries(patient), entry => entry.Action.Contains("TRIAGE", StringComparison.Ordinal)).Action);
    }

    [Fact]
    public void What_is_judged_by_the_band_of_an_age_comes_out_as_by_the_age_itself()
    {
        Assert.All(Enum.GetValues<VitalBand>(), band => Assert.Equal(band, VitalRanges.BandOf(VitalRanges.Youngest(band))));
        for (var days = 0; days < 20 * 366; days += 7)
        {
            var age = Age.OfDays(days);
            var (own, banded) = (Entry(age), Entry(VitalRanges.Youngest(VitalRanges.BandOf(age))));
            Assert.Equal((own.Score.Ok, own.Score.Error?.Code), (banded.Score.Ok, banded.Score.Error?.Code));
            Assert.Equal(own.Readings.Select(one => one.Value.Flag), banded.Readings.Select(one => one.Value.Flag));
        }

        static VitalEntry Entry(Age age) => VitalEntry.Read(Of(("pulse", "110"), ("systolic", "95"), ("respiratoryrate", "26"), ("temperature", "38.2")), age);
    }

    [Theory]
    [InlineData(0, "Fever", 0, "triage.category")]
    [InlineData(6, "Fever", 0, "triage.category")]
    [InlineData(3, "  ", 0, "triage.complaint")]
    [InlineData(3, "Fever", -1, "triage.recheck")]
    [InlineData(3, "Fever", 1441, "triage.recheck")]
    public async Task What_does_not_fit_is_refused_and_keeps_nothing(int category, string complaint, int recheck, string code)
    {
        var hospital = await TestHospital.Shared(StorageKind.Sqlite);
        var (patient, visit) = await hospital.Arrive();
        var refused = await hospital.Use<RecordTriage>().Run(new RecordTriage.Form(Ids.New(), patient.Id, visit.Id, Feverish(), category, complaint, recheck), await hospital.As(Role.Nurse), default);
        Assert.Equal(code, refused.Error?.Code);
        await using var clinic = hospital.Clinic();
        Assert.False(await clinic.Triages.AnyAsync(row => row.VisitId == visit.Id));
        Assert.Equal(VisitStatus.Arrived, (await clinic.Visits.FindAsync(visit.Id))!.Status);
    }

    [Fact]
    public async Task An_impossible_value_and_the_visit_of_somebody_else_are_refused()
    {
        var hospital = await TestHospital.Shared(StorageKind.Sqlite);
        var nurse = await hospital.As(Role.Nurse);
        var (patient, visit) = await hospital.Arrive();
        var (other, _) = await hospital.Arrive();
        var crossed = Entry(("systolic", "80"), ("diastolic", "120"));
        Assert.Equal("triage.impossible", (await hospital.Use<RecordTriage>().Run(new RecordTriage.Form(Ids.New(), patient.Id, visit.Id, crossed, 3, "Dizzy", 0), nurse, default)).Error?.Code);
        Assert.NotNull((await hospital.Use<RecordTriage>().Run(new RecordTriage.Form(Ids.New(), other.Id, visit.Id, Feverish(), 3, "Dizzy", 0), nurse, default)).Error);
        await Assert.ThrowsAsync<Refused>(async () => await hospital.Use<RecordTriage>().Run(new RecordTriage.Form(Ids.New(), patient.Id, visit.Id, Feverish(), 3, "Dizzy", 0), await hospital.As(Role.Cashier), default));
    }

    [Fact]
    public async Task The_queue_puts_the_urgent_first_and_whoever_waits_longer_before_the_rest()
    {
        await using var hospital = await TestHospital.New(StorageKind.Sqlite);
        var nurse = await hospital.As(Role.Nurse);
        var arrived = new List<(PatientRef Patient, Visit Visit)>();
        foreach (var category in (int[])[4, 2, 4, 1])
        {
            arrived.Add(await hospital.Arrive());
            await hospital.Use<RecordTriage>().Run(new RecordTriage.Form(Ids.New(), arrived[^1].Patient.Id, arrived[^1].Visit.Id, Feverish(), category, "Ill", 0), nurse, default);
            hospital.Clock.Pass(TimeSpan.FromMinutes(3));
        }

        var order = (await hospital.Use<TriageQueue>().Run(nurse, false, default)).Select(row => row.Visit.Id);
        Assert.Equal([arrived[3].Visit.Id, arrived[1].Visit.Id, arrived[0].Visit.Id, arrived[2].Visit.Id], order);
    }

    [Fact]
    public void A_child_and_a_pregnancy_get_no_adult_score()
    {
        Assert.Equal("news2.under-16", VitalEntry.Read(Of(("pulse", "110")), Age.OfYears(7)).Score.Error?.Code);
        Assert.Equal("news2.pregnant", Entry(("pulse", "110"), ("pregnant", "on")).Score.Error?.Code);
        Assert.Equal("news2.age", VitalEntry.Read(Of(("pulse", "110")), null).Score.Error?.Code);
    }

    private static VitalEntry Feverish() => Entry(("respiratoryrate", "22"), ("oxygensaturation", "97"), ("systolic", "118"), ("diastolic", "76"), ("pulse", "96"), ("temperature", "38,4"));

    private static VitalEntry Entry(params (string Name, string Text)[] fields) => VitalEntry.Read(Of(fields), Adult);

    private static Func<string, string?> Of(params (string Name, string Text)[] fields) =>
        name => fields.Where(field => field.Name == name).Select(field => field.Text).FirstOrDefault();
}
