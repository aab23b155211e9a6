using Mangrove.Clinic.Consultation;
using Mangrove.Clinic.Pharmacy;
using Mangrove.Clinic.Records;
using Mangrove.Clinic.Terminology;
using Mangrove.Clinic.Triage;
using Mangrove.Kernel;
using Mangrove.Tests.Clinic.Consultation;
using Mangrove.Vault;
using Mangrove.Vault.Identity;

namespace Mangrove.Tests.Clinic.Pharmacy;

/// <summary>A line at the counter meets the check of the consultation again: same rules, same words, figures of now.</summary>
public sealed class DispensingSafetyTest
{
    private const string ChildDose = "dose.above-child-maximum";

    [Theory, InlineData(StorageKind.Sqlite), InlineData(StorageKind.Postgres)]
    public async Task The_counter_finds_what_the_prescriber_was_told_of_allergy_interaction_duplicate_and_dose(StorageKind kind)
    {
        var hospital = await TestHospital.Shared(kind);
        var (patient, visit) = await hospital.Arrive(Years(hospital, 3));
        await hospital.Weigh(patient, 12);
        await hospital.Allergic(patient, new AllergyRecord(false, "aspirin", Severity: "mild"));
        await hospital.Prescribe(patient, visit, "warfarin", 28);
        await hospital.Prescribe(patient, visit, "diclofenac", 28);
        var doctor = await Take(hospital, patient, visit);

        var told = await Sign(hospital, patient, visit, doctor, Clinicians.Line("ibuprofen", "three-times-daily", "3"));

        Assert.Equal(
            [SafetyCheck.Allergy, SafetyCheck.Interaction, SafetyCheck.Duplicate, SafetyCheck.Dose],
            told.Select(one => one.Check).Distinct().Order());
        var met = (await hospital.Counter(patient, visit)).Lines.Single(line => line.Line.Name == "ibuprofen").Findings;
        Assert.Equal(told.Select(one => (one.Key, one.Grade, one.Text)).OrderBy(one => one.Key, StringComparer.Ordinal), met.Select(one => (one.Key, one.Grade, one.Text)).OrderBy(one => one.Key, StringComparer.Ordinal));
        Assert.All(met, one => Assert.False(one.NewSinceSigned));
        Assert.All(met.Where(one => one.Grade == SafetyGrade.Warn), one => Assert.Equal((AnswerNeeded.Accept, "Seen and weighed."), (one.Needs, one.PrescriberReason)));
    }

    [Theory, InlineData(StorageKind.Sqlite), InlineData(StorageKind.Postgres)]
    public async Task A_dose_that_another_weight_makes_too_high_needs_the_pharmacists_own_reason_which_is_kept(StorageKind kind)
    {
        var hospital = await TestHospital.Shared(kind);
        var (patient, visit) = await hospital.Arrive(Years(hospital, 3));
        await hospital.Weigh(patient, 20);
        await hospital.Deliver("paracetamol", "PD-1", 300, 100);
        var doctor = await Take(hospital, patient, visit);
        var told = await Sign(hospital, patient, visit, doctor, Clinicians.Line("paracetamol", "four-times-daily", "3", "0.5"));
        Assert.DoesNotContain(told, one => one.Check == SafetyCheck.Dose);

        await hospital.Weigh(patient, 12, minutes: 1);
        var line = Assert.Single((await hospital.Counter(patient, visit)).Lines);
        var dose = Assert.Single(line.Findings, one => one.Code == ChildDose);
        Assert.Equal((AnswerNeeded.Reason, true, SafetyGrade.Warn), (dose.Needs, dose.NewSinceSigned, dose.Grade));
        Assert.Equal("dispense.answer-needed", (await hospital.Hand(patient, visit, CounterWork.Proposal(await hospital.Counter(patient, visit), answered: false))).Error?.Code);

        Assert.True((await hospital.Hand(patient, visit, CounterWork.Proposal(await hospital.Counter(patient, visit)))).Ok);
        var kept = Assert.Single(Assert.Single(await hospital.Dispensed(patient)).AlertsAccepted, one => one.Code == ChildDose);
        Assert.Equal(("WARN", dose.Text, "Spoke with the prescriber"), (kept.Grade, kept.Text, kept.Reason));
    }

    [Theory, InlineData(StorageKind.Sqlite), InlineData(StorageKind.Postgres)]
    public async Task A_reason_given_for_one_dose_does_not_cover_a_higher_one_for_the_weight_of_now(StorageKind kind)
    {
        var hospital = await TestHospital.Shared(kind);
        var (patient, visit) = await hospital.Arrive(Years(hospital, 3));
        await hospital.Weigh(patient, 12);
        await hospital.Deliver("paracetamol", "PD-2", 300, 100);
        var doctor = await Take(hospital, patient, visit);
        await Sign(hospital, patient, visit, doctor, Clinicians.Line("paracetamol", "four-times-daily", "3", "0.5"));
        Assert.Equal(AnswerNeeded.Accept, Assert.Single(Assert.Single((await hospital.Counter(patient, visit)).Lines).Findings, one => one.Code == ChildDose).Needs);

        await hospital.Weigh(patient, 11, minutes: 1);
        var changed = Assert.Single(Assert.Single((await hospital.Counter(patient, visit)).Lines).Findings, one => one.Code == ChildDose);
        Assert.Equal((AnswerNeeded.Reason, true, null), (changed.Needs, changed.NewSinceSigned, changed.PrescriberReason));

        await hospital.Weigh(patient, 6, minutes: 2);
        Assert.True(Assert.Single((await hospital.Counter(patient, visit)).Lines).Blocked);
        Assert.Equal("dispense.blocked", (await hospital.Hand(patient, visit, CounterWork.Proposal(await hospital.Counter(patient, visit)))).Error?.Code);
    }

    [Theory, InlineData(StorageKind.Sqlite), InlineData(StorageKind.Postgres)]
    public async Task A_pregnancy_that_the_counter_does_not_read_reaches_it_with_the_line(StorageKind kind)
    {
        var hospital = await TestHospital.Shared(kind);
        var (patient, visit) = await hospital.Arrive(Years(hospital, 30));
        var vitals = VitalEntry.Read(name => name == "pregnant" ? "on" : null, Age.OfYears(30));
        Assert.True((await hospital.Use<RecordTriage>().Run(new RecordTriage.Form(Ids.New(), patient.Id, visit.Id, vitals, 4, "Swollen feet", 0), await hospital.As(Role.Nurse), default)).Ok);
        var doctor = await Take(hospital, patient, visit);
        await Sign(hospital, patient, visit, doctor, Clinicians.Line("lisinopril", "once-daily", "14"), Clinicians.Line("ibuprofen", "three-times-daily", "3") with { Key = "2" });

        var lines = (await hospital.Counter(patient, visit)).Lines;
        var avoid = Assert.Single(lines.Single(line => line.Line.Name == "lisinopril").Findings, one => one.Code == "pregnancy.avoid");
        Assert.Equal((AnswerNeeded.Accept, "Seen and weighed."), (avoid.Needs, avoid.PrescriberReason));
        var caution = Assert.Single(lines.Single(line => line.Line.Name == "ibuprofen").Findings, one => one.Code == "pregnancy.caution");
        Assert.Equal(AnswerNeeded.None, caution.Needs);
        Assert.DoesNotContain(await hospital.Entries(patient, "OPEN_DISPENSING"), entry => entry.FieldsAccessed.Any(field => field.Contains("triage", StringComparison.OrdinalIgnoreCase)));
    }

    private static string Years(TestHospital hospital, int ago) => hospital.Today().AddYears(-ago).AddDays(-40).ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture);

    private static async Task<Actor> Take(TestHospital hospital, PatientRef patient, Visit visit)
    {
        var doctor = await hospital.As(Role.Doctor);
        Assert.True((await hospital.Use<TakePatient>().Run(patient.Id, visit.Id, false, doctor, default)).Ok);
        return doctor;
    }

    /// <summary>Signs the lines with a reason for every warning; gives what the check said of the last line.</summary>
    private static async Task<IReadOnlyList<SafetyFinding>> Sign(TestHospital hospital, PatientRef patient, Visit visit, Actor doctor, params PrescriptionDraft[] lines)
    {
        var found = (await hospital.Use<CheckPrescription>().Run(patient.Id, visit.Id, lines, doctor, default)).Value.Lines;
        var answered = lines.Select((line, at) => line with { Reasons = found[at].Findings.ToDictionary(one => one.Key, _ => "Seen and weighed.", StringComparer.Ordinal) }).ToArray();
        var signed = await hospital.Use<SignConsultation>().Run(patient.Id, visit.Id, Clinicians.Note() with { Prescriptions = answered }, doctor, default);
        Assert.Null(signed.Error);
        return [.. found[^1].Findings.Select(one => one.Finding)];
    }
}
