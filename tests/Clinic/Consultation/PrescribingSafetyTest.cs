using Mangrove.Clinic.Chart;
using Mangrove.Clinic.Consultation;
using Mangrove.Clinic.Terminology;
using Mangrove.Vault;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Tests.Clinic.Consultation;

public sealed class PrescribingSafetyTest
{
    [Theory]
    [InlineData(StorageKind.Sqlite)]
    [InlineData(StorageKind.Postgres)]
    public async Task A_medicine_to_which_the_patient_is_allergic_is_blocked_whatever_reason_is_sent(StorageKind kind)
    {
        var hospital = await TestHospital.Shared(kind);
        var (patient, visit, doctor) = await hospital.Consult();
        Assert.Null((await hospital.Use<RecordAllergy>().Run(patient.Id, new RecordAllergy.Form("penicillin", null, "anaphylaxis 2011", "severe"), doctor, default)).Error);
        var line = Clinicians.Line("amoxicillin");
        var found = Assert.Single(Assert.Single((await hospital.Use<CheckPrescription>().Run(patient.Id, visit.Id, [line], doctor, default)).Value.Lines).Findings, one => one.Finding.Grade == SafetyGrade.Block);

        var forced = line with { Reasons = new Dictionary<string, string> { [found.Key] = "I insist on it." } };
        var signed = await hospital.Use<SignConsultation>().Run(patient.Id, visit.Id, Clinicians.Note() with { Prescriptions = [forced] }, doctor, default);

        Assert.Equal("prescription.blocked", signed.Error?.Code);
        await using var clinic = hospital.Clinic();
        Assert.False(await clinic.Notes.AnyAsync(row => row.VisitId == visit.Id));
        Assert.False(await clinic.Prescriptions.AnyAsync(row => row.VisitId == visit.Id));
    }

    [Theory]
    [InlineData(StorageKind.Sqlite)]
    [InlineData(StorageKind.Postgres)]
    public async Task A_warning_needs_a_reason_of_its_own_which_is_kept_with_the_line(StorageKind kind)
    {
        var hospital = await TestHospital.Shared(kind);
        var (patient, visit, doctor) = await hospital.Consult();
        Assert.Null((await hospital.Use<RecordNoAllergies>().Run(patient.Id, doctor, default)).Error);
        // The first note brings warfarin into use; the second prescribes what meets it.
        var first = Clinicians.Note() with { AwaitResults = true, Prescriptions = [Clinicians.Line("warfarin", "once-daily", "")] };
        Assert.Null((await hospital.Use<SignConsultation>().Run(patient.Id, visit.Id, first, doctor, default)).Error);
        var line = Clinicians.Line("clarithromycin");
        var bare = await hospital.Use<SignConsultation>().Run(patient.Id, visit.Id, Clinicians.Note() with { Prescriptions = [line] }, doctor, default);
        Assert.Equal("prescription.reason-needed", bare.Error?.Code);
        var foreign = line with { Reasons = new Dictionary<string, string> { ["000000000000"] = "A reason for something else." } };
        Assert.Equal("prescription.reason-needed", (await hospital.Use<SignConsultation>().Run(patient.Id, visit.Id, Clinicians.Note() with { Prescriptions = [foreign] }, doctor, default)).Error?.Code);

        var open = (await hospital.Use<CheckPrescription>().Run(patient.Id, visit.Id, [line], doctor, default)).Value.Lines[0].Findings.Where(one => one.Open).ToList();
        Assert.NotEmpty(open);
        Assert.All(open, one => Assert.Equal(SafetyGrade.Warn, one.Finding.Grade));
        var answered = line with { Reasons = open.ToDictionary(one => one.Key, _ => "INR booked in three days.", StringComparer.Ordinal) };
        Assert.Null((await hospital.Use<SignConsultation>().Run(patient.Id, visit.Id, Clinicians.Note() with { Prescriptions = [answered] }, doctor, default)).Error);
        var chart = (await hospital.Use<OpenChart>().Run(patient.Id, null, doctor, default)).Value;
        var kept = Assert.Single(chart.Medicines!, one => one.Medicine.Name == "clarithromycin").Line!;
        Assert.Contains(kept.Alerts, alert => alert is { Grade: "WARN", Reason: "INR booked in three days." });
    }

    [Theory]
    [InlineData(StorageKind.Sqlite)]
    [InlineData(StorageKind.Postgres)]
    public async Task Checking_what_is_written_keeps_it_as_a_draft_in_one_entry(StorageKind kind)
    {
        var hospital = await TestHospital.Shared(kind);
        var (patient, visit, doctor) = await hospital.Consult();
        var before = (await hospital.Entries(patient)).Count;
        var form = Clinicians.Note() with { Prescriptions = [Clinicians.Line("paracetamol")] };

        Assert.Single((await hospital.Use<CheckPrescription>().Keep(patient.Id, visit.Id, form, doctor, default)).Value.Lines);

        Assert.Equal("CHECK_PRESCRIPTION", Assert.Single((await hospital.Entries(patient)).Skip(before)).Action);
        Assert.Equal("paracetamol", MedicineCatalogue.Load().ByPriceCode(Assert.Single((await hospital.Use<ConsultationDraft>().Open(patient, visit.Id, doctor, default))!.Value.Form.Prescriptions).Product)?.Medicine.Name);
        Assert.Equal("draft.newer", (await hospital.Use<CheckPrescription>().Keep(patient.Id, visit.Id, form with { Opened = 0 }, doctor, default)).Error?.Code);
    }

    [Fact]
    public void A_line_that_is_not_complete_names_its_fields()
    {
        var line = Clinicians.Line("paracetamol", frequency: "", days: "0", quantity: "none");
        var read = Assert.Single(PrescribingSafety.Check([line], Nothing));
        Assert.Equal(["days", "frequency", "quantity"], read.Errors.Keys.Order(StringComparer.Ordinal));
        Assert.Equal("prescription.line", PrescribingSafety.Hindrance([read])?.Code);
    }

    [Fact]
    public void Two_lines_of_one_prescription_are_held_against_each_other()
    {
        var lines = PrescribingSafety.Check([Clinicians.Line("warfarin") with { Key = "1" }, Clinicians.Line("clarithromycin") with { Key = "2" }], Nothing);
        Assert.All(lines, line => Assert.Contains(line.Findings, found => found.Finding.Check == SafetyCheck.Interaction));
    }

    [Theory]
    [InlineData("500 mg", "2", "tablet", 1000)]
    [InlineData("120 mg/5 mL", "10", "mL", 240)]
    [InlineData("10 mg/mL", "3", "mL", 30)]
    [InlineData("1 g", "1", "vial", 1000)]
    [InlineData("250 mcg", "4", "tablet", 1)]
    [InlineData("500 mg", "750", "mg", 750)]
    public void A_dose_in_milligrams_follows_from_strength_and_quantity(string strength, string quantity, string unit, int milligrams) =>
        Assert.Equal(milligrams, Mangrove.Clinic.SafetyPicture.DoseMg(new MedicineProduct("D-0", "tablet", strength), decimal.Parse(quantity, System.Globalization.CultureInfo.InvariantCulture), unit));

    [Theory]
    [InlineData("500 mg/125 mg", "tablet")]
    [InlineData("1 %", "application")]
    [InlineData("100 IU/mL", "mL")]
    [InlineData("120 mg/5 mL", "tablet")]
    public void A_dose_that_cannot_be_known_is_not_guessed(string strength, string unit) =>
        Assert.Null(Mangrove.Clinic.SafetyPicture.DoseMg(new MedicineProduct("D-0", "tablet", strength), 1, unit));

    [Fact]
    public async Task A_stopped_medicine_is_not_held_against_a_new_one()
    {
        var hospital = await TestHospital.Shared(StorageKind.Sqlite);
        var (patient, visit, doctor) = await hospital.Consult();
        Assert.Null((await hospital.Use<SignConsultation>().Run(patient.Id, visit.Id, Clinicians.Note() with { AwaitResults = true, Prescriptions = [Clinicians.Line("warfarin", "once-daily", "")] }, doctor, default)).Error);
        var chart = (await hospital.Use<OpenChart>().Run(patient.Id, visit.Id, doctor, default)).Value;
        Assert.Contains(chart.Safety!.Taken, one => one.Name == "warfarin");
        Assert.Null((await hospital.Use<StopMedicine>().Run(patient.Id, Assert.Single(chart.Medicines!).Id, doctor, default)).Error);
        var lines = (await hospital.Use<CheckPrescription>().Run(patient.Id, visit.Id, [Clinicians.Line("clarithromycin")], doctor, default)).Value.Lines;
        Assert.DoesNotContain(lines[0].Findings, found => found.Finding.Title.Contains("warfarin", StringComparison.Ordinal));
    }

    private static Mangrove.Clinic.SafetyPicture Nothing { get; } = new([], true, [], null, null, null, false);
}
