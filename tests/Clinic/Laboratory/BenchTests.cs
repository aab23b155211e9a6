using Mangrove.Clinic.Laboratory;
using Mangrove.Clinic.Terminology;
using Mangrove.Kernel;
using Mangrove.Vault;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Tests.Clinic.Laboratory;

public class BenchTests
{
    private static readonly string Sodium = BenchWork.Code("Sodium");
    private static readonly string Potassium = BenchWork.Code("Potassium");
    private static readonly string Malaria = BenchWork.Code("Malaria rapid antigen test");

    [Theory, InlineData(StorageKind.Sqlite), InlineData(StorageKind.Postgres)]
    public async Task A_specimen_goes_from_the_order_to_the_released_result(StorageKind kind)
    {
        var hospital = await TestHospital.Shared(kind);
        var (patient, visit) = await hospital.Arrive("1958-01-05", AdministrativeSex.Male);
        var specimen = await hospital.Order(patient, visit, urgent: true, Sodium, Potassium, Malaria);
        var lab = await hospital.As(Role.LabTech);

        var awaited = (await hospital.Use<Bench>().Run(lab, refresh: false, default)).Single(one => one.Number == specimen);
        Assert.Equal(SpecimenState.Awaited, awaited.State);
        Assert.True(awaited.Urgent);
        Assert.Equal(["K", "Malaria RDT", "Na"], awaited.Tests.Order(StringComparer.Ordinal));

        Assert.Equal(3, (await hospital.Use<ReceiveSpecimen>().Run(patient.Id, specimen, lab, default)).Value);
        Assert.Equal("lab.not-ordered", (await hospital.Use<ReceiveSpecimen>().Run(patient.Id, specimen, lab, default)).Error?.Code);

        var released = await hospital.ReleaseByCode(patient, specimen, looked: false, (Sodium, "134"), (Potassium, "4.9"), (Malaria, "negative"));
        Assert.Equal(new ReleaseResults.Released(3, 0, 0), released.Value);

        var results = (await hospital.Results(patient)).ToDictionary(one => one.Value.TestCode!, one => one.Value);
        Assert.Equal((134m, "mmol/L", "mmol/L", 135m, "Low", "final"), (results[Sodium].Number, results[Sodium].Unit, results[Sodium].UnitCode, results[Sodium].Low, results[Sodium].Flag, results[Sodium].Status));
        Assert.Equal((LaboratoryCatalogue.Load().Find(Sodium)!.Loinc, "http://loinc.org"), (results[Sodium].Code, results[Sodium].System));
        Assert.Equal("Normal", results[Potassium].Flag);
        Assert.Equal(("Negative", "Normal"), (results[Malaria].Text, results[Malaria].Flag));
        Assert.DoesNotContain(await hospital.Use<Bench>().Run(lab, refresh: false, default), one => one.Number == specimen);
        Assert.Contains(await hospital.Use<ReleasedSpecimens>().Run(lab, refresh: false, default), one => one.Number == specimen && !one.Critical && !one.Acknowledged);

        await using var clinic = hospital.Clinic();
        var charges = await clinic.Charges.Where(charge => charge.VisitId == visit.Id).ToListAsync();
        Assert.Equal(3, charges.Count);
        var entry = Assert.Single(await hospital.Entries(patient, "RELEASE_RESULTS"));
        Assert.Equal(lab.Staff.ToString(), entry.StaffId);
    }

    [Theory, InlineData(StorageKind.Sqlite), InlineData(StorageKind.Postgres)]
    public async Task A_test_is_released_once_also_when_two_release_it_at_the_same_moment(StorageKind kind)
    {
        var hospital = await TestHospital.Shared(kind);
        var (patient, visit) = await hospital.Arrive();
        var specimen = await hospital.Order(patient, visit, false, Sodium);
        var both = await Task.WhenAll(hospital.Release(patient, specimen, false, "140"), hospital.Release(patient, specimen, false, "141"));
        Assert.Single(both, one => one.Ok);
        Assert.Contains(both.Single(one => !one.Ok).Error!.Code, (string[])["record.changed", "lab.not-open"]);
        Assert.Equal("lab.not-open", (await hospital.Release(patient, specimen, false, "142")).Error?.Code);
        Assert.Single(await hospital.Results(patient));
        await using var clinic = hospital.Clinic();
        Assert.Equal(1, await clinic.Charges.CountAsync(charge => charge.VisitId == visit.Id));
    }

    [Theory, InlineData(StorageKind.Sqlite), InlineData(StorageKind.Postgres)]
    public async Task An_impossible_value_is_refused_and_the_likely_one_is_named(StorageKind kind)
    {
        var hospital = await TestHospital.Shared(kind);
        var (patient, visit) = await hospital.Arrive();
        var specimen = await hospital.Order(patient, visit, false, Potassium, Malaria);
        var sheet = await hospital.Sheet(patient, specimen);
        var potassium = sheet.Tests.Single(test => test.Line.TestCode == Potassium);
        var judged = ResultJudgement.Of(potassium, sheet.Sex, sheet.Age, hospital.Clock.GetUtcNow(), "64");
        Assert.Equal(6.4m, judged.Likely);
        Assert.NotNull(judged.Error);
        Assert.Equal("lab.value-wrong", (await hospital.ReleaseByCode(patient, specimen, true, (Potassium, "64"))).Error?.Code);
        Assert.Equal("lab.value-wrong", (await hospital.ReleaseByCode(patient, specimen, true, (Potassium, "6,4"))).Error?.Code);
        Assert.Equal("lab.value-wrong", (await hospital.ReleaseByCode(patient, specimen, true, (Malaria, "maybe"))).Error?.Code);
        Assert.Equal("lab.nothing-typed", (await hospital.ReleaseByCode(patient, specimen, true, (Malaria, "  "))).Error?.Code);
        Assert.Empty(await hospital.Results(patient));
    }

    [Theory, InlineData(StorageKind.Sqlite), InlineData(StorageKind.Postgres)]
    public async Task A_critical_value_goes_out_only_when_it_was_checked_and_is_counted(StorageKind kind)
    {
        var hospital = await TestHospital.Shared(kind);
        var (patient, visit) = await hospital.Arrive();
        var specimen = await hospital.Order(patient, visit, true, Potassium);
        Assert.Equal("lab.check-needed", (await hospital.Release(patient, specimen, looked: false, "6.6")).Error?.Code);
        Assert.Equal(1, (await hospital.Release(patient, specimen, looked: true, "6.6")).Value.Critical);
        Assert.Equal("CriticalHigh", Assert.Single(await hospital.Results(patient)).Value.Flag);
        var released = await hospital.Use<ReleasedSpecimens>().Run(await hospital.As(Role.LabTech), false, default);
        Assert.True(released.Single(one => one.Number == specimen).Critical);
    }

    [Theory, InlineData(StorageKind.Sqlite), InlineData(StorageKind.Postgres)]
    public async Task A_great_change_since_the_last_result_asks_for_a_check(StorageKind kind)
    {
        var hospital = await TestHospital.Shared(kind);
        var (patient, visit) = await hospital.Arrive();
        await hospital.Release(patient, await hospital.Order(patient, visit, false, Potassium), false, "3.6");
        var specimen = await hospital.Order(patient, visit, false, Potassium);
        var row = Assert.Single((await hospital.Sheet(patient, specimen)).Tests);
        Assert.Equal(3.6m, row.Before?.Number);
        Assert.Equal("lab.check-needed", (await hospital.Release(patient, specimen, false, "5.0")).Error?.Code);
        Assert.True((await hospital.Release(patient, specimen, true, "5.0")).Ok);
    }

    [Theory, InlineData(StorageKind.Sqlite), InlineData(StorageKind.Postgres)]
    public async Task Flags_follow_sex_and_age_on_both_sides_of_every_band(StorageKind kind)
    {
        var hospital = await TestHospital.Shared(kind);
        var test = LaboratoryCatalogue.Load().Find(BenchWork.Code("Haemoglobin"))!;
        (string Born, AgeBand Band)[] people =
        [
            (hospital.Born(today => today), AgeBand.Newborn),
            (hospital.Born(today => today.AddDays(-27)), AgeBand.Newborn),
            (hospital.Born(today => today.AddDays(-28)), AgeBand.Infant),
            (hospital.Born(today => today.AddYears(-1).AddDays(1)), AgeBand.Infant),
            (hospital.Born(today => today.AddYears(-1)), AgeBand.Child),
            (hospital.Born(today => today.AddYears(-12).AddDays(1)), AgeBand.Child),
            (hospital.Born(today => today.AddYears(-12)), AgeBand.Adolescent),
            (hospital.Born(today => today.AddYears(-18).AddDays(1)), AgeBand.Adolescent),
            (hospital.Born(today => today.AddYears(-18)), AgeBand.Adult),
            (hospital.Born(today => today.AddYears(-65).AddDays(1)), AgeBand.Adult),
            (hospital.Born(today => today.AddYears(-65)), AgeBand.Elderly),
        ];
        foreach (var sex in new[] { AdministrativeSex.Female, AdministrativeSex.Male })
        {
            foreach (var (born, band) in people)
            {
                await OnTheLimits(hospital, test, born, sex, band);
            }
        }
    }

    [Theory, InlineData(StorageKind.Sqlite), InlineData(StorageKind.Postgres)]
    public async Task Somebody_without_a_birth_date_is_judged_as_an_adult_and_the_sheet_says_so(StorageKind kind)
    {
        var hospital = await TestHospital.Shared(kind);
        var (patient, visit) = await hospital.Arrive(born: null, AdministrativeSex.Unknown);
        var specimen = await hospital.Order(patient, visit, false, Potassium);
        Assert.Equal(ResultJudgement.NoBirthDate, Assert.Single((await hospital.Sheet(patient, specimen)).Tests).RangeNote);
        Assert.True((await hospital.Release(patient, specimen, true, "7.1")).Ok);
        Assert.Equal("CriticalHigh", Assert.Single(await hospital.Results(patient)).Value.Flag);
    }

    [Theory, InlineData(StorageKind.Sqlite), InlineData(StorageKind.Postgres)]
    public async Task A_rejected_specimen_tells_why_and_a_new_one_takes_its_place(StorageKind kind)
    {
        var hospital = await TestHospital.Shared(kind);
        var (patient, visit) = await hospital.Arrive();
        var lab = await hospital.As(Role.LabTech);
        var spoilt = await hospital.Order(patient, visit, false, Sodium, Potassium);
        Assert.Equal("lab.reason-needed", (await hospital.Use<RejectSpecimen>().Run(patient.Id, spoilt, " ", lab, default)).Error?.Code);
        Assert.Equal(2, (await hospital.Use<RejectSpecimen>().Run(patient.Id, spoilt, "Haemolysed", lab, default)).Value);
        var listed = (await hospital.Use<Bench>().Run(lab, false, default)).Single(one => one.Number == spoilt);
        Assert.Equal((SpecimenState.Rejected, "Haemolysed"), (listed.State, listed.RejectReason));
        Assert.Equal("Haemolysed", (await hospital.Sheet(patient, spoilt)).RejectReason);
        Assert.Equal("lab.not-open", (await hospital.ReleaseByCode(patient, spoilt, false, (Sodium, "140"))).Error?.Code);
        Assert.Equal("lab.not-open", (await hospital.Use<RejectSpecimen>().Run(patient.Id, spoilt, "Haemolysed", lab, default)).Error?.Code);
        Assert.All(await hospital.Results(patient), one => Assert.Equal(("cancelled", null, "Haemolysed"), (one.Value.Status, one.Value.Number, one.Value.Note)));

        var fresh = await hospital.Order(patient, visit, false, Sodium);
        Assert.Null(Assert.Single((await hospital.Sheet(patient, fresh)).Tests).Before);
        Assert.True((await hospital.Release(patient, fresh, false, "140")).Ok);
        await using var clinic = hospital.Clinic();
        Assert.Equal(1, await clinic.Charges.CountAsync(charge => charge.VisitId == visit.Id));
    }

    [Theory, InlineData(StorageKind.Sqlite), InlineData(StorageKind.Postgres)]
    public async Task A_correction_keeps_the_old_value_and_is_signed_again(StorageKind kind)
    {
        var hospital = await TestHospital.Shared(kind);
        var (patient, visit) = await hospital.Arrive();
        var lab = await hospital.As(Role.LabTech);
        var specimen = await hospital.Order(patient, visit, false, Sodium);
        await hospital.Release(patient, specimen, false, "140");
        await Acknowledge(hospital, patient);
        var old = Assert.Single((await hospital.Sheet(patient, specimen)).Tests).Reported!;
        var form = new CorrectResult.Form(Assert.Single((await hospital.Sheet(patient, specimen)).Tests).OrderId, old.Id, "134", "Typed wrong", Checked: false);

        Assert.True((await hospital.Use<CorrectResult>().Run(patient.Id, specimen, form, lab, default)).Ok);
        Assert.Equal("record.changed", (await hospital.Use<CorrectResult>().Run(patient.Id, specimen, form, lab, default)).Error?.Code);

        var results = await hospital.Results(patient);
        var now = results.Single(one => one.Row.ReplacedBy is null);
        var before = results.Single(one => one.Row.ReplacedBy is not null);
        Assert.Equal((134m, "corrected", "Low"), (now.Value.Number, now.Value.Status, now.Value.Flag));
        Assert.Equal((140m, "final", now.Row.Id), (before.Value.Number, before.Value.Status, before.Row.ReplacedBy));
        var row = Assert.Single((await hospital.Sheet(patient, specimen)).Tests);
        Assert.Equal((134m, 140m), (row.Reported?.Value.Number, Assert.Single(row.Replaced).Value.Number));
        await using var clinic = hospital.Clinic();
        Assert.Null((await clinic.LabOrders.SingleAsync(order => order.SpecimenNumber == specimen)).AcknowledgedAt);
    }

    [Theory, InlineData(StorageKind.Sqlite), InlineData(StorageKind.Postgres)]
    public async Task Another_patients_specimen_or_test_is_answered_like_a_missing_one(StorageKind kind)
    {
        var hospital = await TestHospital.Shared(kind);
        var (patient, visit) = await hospital.Arrive();
        var (other, otherVisit) = await hospital.Arrive();
        var lab = await hospital.As(Role.LabTech);
        var specimen = await hospital.Order(patient, visit, false, Sodium);
        var others = await hospital.Order(other, otherVisit, false, Sodium);
        var missing = (await hospital.Use<OpenSpecimen>().Run(PatientId.New(), "26-00000", lab, default)).Error;
        Assert.Equal(missing, (await hospital.Use<OpenSpecimen>().Run(other.Id, specimen, lab, default)).Error);
        Assert.Equal(missing, (await hospital.Use<ReceiveSpecimen>().Run(other.Id, specimen, lab, default)).Error);
        Assert.Equal(missing, (await hospital.Use<RejectSpecimen>().Run(other.Id, specimen, "Haemolysed", lab, default)).Error);
        var foreign = Assert.Single((await hospital.Sheet(other, others)).Tests).OrderId;
        var form = new ReleaseResults.Form(new Dictionary<Guid, string> { [foreign] = "140" }, true);
        Assert.Equal(missing, (await hospital.Use<ReleaseResults>().Run(patient.Id, specimen, form, lab, default)).Error);
        Assert.Equal(missing, (await hospital.Use<ReleaseResults>().Run(other.Id, specimen, form, lab, default)).Error);
        Assert.Equal(patient.Id, (await hospital.Use<FindSpecimen>().Run($" {specimen} ", lab, default)).Value);
        Assert.Equal("lab.specimen-unknown", (await hospital.Use<FindSpecimen>().Run("99-99999", lab, default)).Error?.Code);
    }

    [Theory]
    [InlineData(Role.FrontDesk)]
    [InlineData(Role.Cashier)]
    [InlineData(Role.Nurse)]
    [InlineData(Role.Doctor)]
    [InlineData(Role.Pharmacist)]
    [InlineData(Role.Admin)]
    public async Task The_bench_is_refused_to_every_other_role(Role role)
    {
        var hospital = await TestHospital.Shared(StorageKind.Sqlite);
        var (patient, visit) = await hospital.Arrive();
        var specimen = await hospital.Order(patient, visit, false, Sodium);
        var order = Assert.Single((await hospital.Sheet(patient, specimen)).Tests).OrderId;
        var actor = await hospital.As(role);
        var form = new ReleaseResults.Form(new Dictionary<Guid, string> { [order] = "140" }, true);
        await Assert.ThrowsAsync<Refused>(() => hospital.Use<Bench>().Run(actor, false, default));
        await Assert.ThrowsAsync<Refused>(() => hospital.Use<ReleasedSpecimens>().Run(actor, false, default));
        await Assert.ThrowsAsync<Refused>(() => hospital.Use<OpenSpecimen>().Run(patient.Id, specimen, actor, default));
        await Assert.ThrowsAsync<Refused>(() => hospital.Use<FindSpecimen>().Run(specimen, actor, default));
        await Assert.ThrowsAsync<Refused>(() => hospital.Use<ReceiveSpecimen>().Run(patient.Id, specimen, actor, default));
        await Assert.ThrowsAsync<Refused>(() => hospital.Use<RejectSpecimen>().Run(patient.Id, specimen, "Haemolysed", actor, default));
        await Assert.ThrowsAsync<Refused>(() => hospital.Use<ReleaseResults>().Run(patient.Id, specimen, form, actor, default));
        await Assert.ThrowsAsync<Refused>(() => hospital.Use<CorrectResult>().Run(patient.Id, specimen, new CorrectResult.Form(order, order, "1", "Typed wrong", true), actor, default));
        Assert.Equal(SpecimenState.Awaited, (await hospital.Sheet(patient, specimen)).State);
    }

    private static async Task Acknowledge(TestHospital hospital, PatientRef patient)
    {
        await using var clinic = hospital.Clinic();
        foreach (var order in await clinic.LabOrders.Where(row => row.PatientId == patient.Id).ToListAsync())
        {
            Assert.True(order.Acknowledge((await hospital.As(Role.Doctor)).Staff, hospital.Clock.GetUtcNow()).Ok);
        }

        await clinic.SaveChangesAsync();
    }

    private static async Task OnTheLimits(TestHospital hospital, LaboratoryTest test, string born, AdministrativeSex sex, AgeBand band)
    {
        var range = ReferenceRangeOf(test, sex, band);
        (decimal Value, string Flag)[] cases = [(range.Low!.Value, "Normal"), (range.High!.Value, "Normal"), (range.Low.Value - 1, "Low"), (range.High.Value + 1, "High")];
        foreach (var (value, flag) in cases)
        {
            var (patient, visit) = await hospital.Arrive(born, sex);
            var specimen = await hospital.Order(patient, visit, false, test.Code);
            Assert.True((await hospital.Release(patient, specimen, true, ResultJudgement.Shown(value))).Ok);
            var result = Assert.Single(await hospital.Results(patient)).Value;
            Assert.True(flag == result.Flag, $"{band} {sex}: {value} is {result.Flag}, not {flag}");
            Assert.Equal((range.Low, range.High), (result.Low, result.High));
        }
    }

    // Written out from the table of the laboratory (docs of L-0101), not asked of the code that is tested.
    private static Interval ReferenceRangeOf(LaboratoryTest test, AdministrativeSex sex, AgeBand band)
    {
        Assert.Equal("L-0101", test.Code);
        return (band, sex) switch
        {
            (AgeBand.Newborn, _) => new Interval(140, 220),
            (AgeBand.Infant, _) => new Interval(100, 140),
            (AgeBand.Child, _) => new Interval(110, 145),
            (AgeBand.Adolescent, AdministrativeSex.Male) => new Interval(120, 165),
            (AgeBand.Adolescent, _) => new Interval(115, 155),
            (_, AdministrativeSex.Male) => new Interval(130, 175),
            _ => new Interval(120, 155),
        };
    }
}
