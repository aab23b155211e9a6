using Mangrove.Clinic.Chart;
using Mangrove.Clinic.Consultation;
using Mangrove.Clinic.Records;
using Mangrove.Clinic.Terminology;
using Mangrove.Kernel;
using Mangrove.Vault;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Tests.Clinic.Consultation;

public sealed class SignConsultationTest
{
    [Theory]
    [InlineData(StorageKind.Sqlite)]
    [InlineData(StorageKind.Postgres)]
    public async Task Signing_writes_note_diagnosis_prescription_and_order_under_one_entry_and_charges_once(StorageKind kind)
    {
        var hospital = await TestHospital.Shared(kind);
        var (patient, visit, doctor) = await hospital.Consult();
        var test = LaboratoryCatalogue.Load().All[0];
        var form = Clinicians.Note() with
        {
            Diagnoses = ["J18.9"],
            Prescriptions = [Clinicians.Line("paracetamol")],
            Orders = [new OrderDraft(test.Code, true)],
        };

        var signed = await hospital.Use<SignConsultation>().Run(patient.Id, visit.Id, form, doctor, default);

        Assert.Null(signed.Error);
        var entry = Assert.Single(await hospital.Entries(patient, "SIGN_CONSULTATION"));
        await using var clinic = hospital.Clinic();
        var note = await clinic.Notes.SingleAsync(row => row.PatientId == patient.Id);
        var problem = await clinic.Problems.SingleAsync(row => row.PatientId == patient.Id);
        var line = await clinic.Prescriptions.SingleAsync(row => row.PatientId == patient.Id);
        var order = await clinic.LabOrders.SingleAsync(row => row.PatientId == patient.Id);
        Assert.All([note.EntrySeq, problem.EntrySeq, line.EntrySeq, order.EntrySeq], seq => Assert.Equal(entry.Seq, seq));
        Assert.Equal(form.NoteId, note.Id);
        Assert.Matches("^26-[0-9]{5}$", order.SpecimenNumber);
        Assert.True(order.Urgent);
        Assert.Equal(PrescriptionStatus.Ordered, line.Status);
        Assert.Equal(VisitStatus.Consulted, (await clinic.Visits.FindAsync(visit.Id))!.Status);
        Assert.Equal(note.Id, (await clinic.Charges.SingleAsync(row => row.VisitId == visit.Id)).SourceId);

        var chart = (await hospital.Use<OpenChart>().Run(patient.Id, null, doctor, default)).Value;
        Assert.Equal("Viral infection.", Assert.Single(chart.Notes!).Text.Assessment);
        Assert.Equal("J18.9", Assert.Single(chart.Problems!).Record.Code);
        Assert.Equal("1 tablet twice daily by mouth for 5 days", Assert.Single(chart.Medicines!).Line!.Sig);
        Assert.Equal(10m, chart.Medicines![0].Line!.Quantity);
        Assert.Equal(test.Code, Assert.Single(chart.Orders!).Line.TestCode);
    }

    [Theory]
    [InlineData(StorageKind.Sqlite)]
    [InlineData(StorageKind.Postgres)]
    public async Task The_same_form_sent_twice_signs_once(StorageKind kind)
    {
        var hospital = await TestHospital.Shared(kind);
        var (patient, visit, doctor) = await hospital.Consult();
        var form = Clinicians.Note() with { AwaitResults = true };
        Assert.Null((await hospital.Use<SignConsultation>().Run(patient.Id, visit.Id, form, doctor, default)).Error);
        var again = await hospital.Use<SignConsultation>().Run(patient.Id, visit.Id, form, doctor, default);
        Assert.Equal("consultation.signed-already", again.Error?.Code);
        await using var clinic = hospital.Clinic();
        Assert.Equal(1, await clinic.Notes.CountAsync(row => row.VisitId == visit.Id));
    }

    [Theory]
    [InlineData(StorageKind.Sqlite)]
    [InlineData(StorageKind.Postgres)]
    public async Task Two_sendings_at_the_same_moment_sign_once(StorageKind kind)
    {
        var hospital = await TestHospital.Shared(kind);
        var (patient, visit, doctor) = await hospital.Consult();
        var form = Clinicians.Note() with { Prescriptions = [Clinicians.Line("paracetamol")] };
        var both = await Task.WhenAll(Enumerable.Range(0, 2).Select(_ => Task.Run(() => hospital.Use<SignConsultation>().Run(patient.Id, visit.Id, form, doctor, default))));
        Assert.Single(both, result => result.Ok);
        Assert.Single(both, result => result.Error?.Code == "consultation.signed-already");
        await using var clinic = hospital.Clinic();
        Assert.Equal(1, await clinic.Prescriptions.CountAsync(row => row.VisitId == visit.Id));
    }

    [Theory]
    [InlineData(StorageKind.Sqlite)]
    [InlineData(StorageKind.Postgres)]
    public async Task A_sending_that_another_overtook_is_told_so_and_not_of_a_double_prescription(StorageKind kind)
    {
        var hospital = await TestHospital.Shared(kind);
        var (patient, visit, doctor) = await hospital.Consult();
        var form = Clinicians.Note() with { Prescriptions = [Clinicians.Line("paracetamol")] };
        var other = default(Result<Note>);
        var overtaken = new Meanwhile(hospital.Clock, async () => other = await hospital.Use<SignConsultation>().Run(patient.Id, visit.Id, form, doctor, default));
        var result = await hospital.Use<SignConsultation>(overtaken).Run(patient.Id, visit.Id, form, doctor, default);
        Assert.True(other.Ok);
        Assert.Equal("consultation.signed-already", result.Error?.Code);
    }

    [Theory]
    [InlineData(StorageKind.Sqlite)]
    [InlineData(StorageKind.Postgres)]
    public async Task A_note_that_waits_for_results_leaves_the_visit_in_consultation(StorageKind kind)
    {
        var hospital = await TestHospital.Shared(kind);
        var (patient, visit, doctor) = await hospital.Consult();
        Assert.Null((await hospital.Use<SignConsultation>().Run(patient.Id, visit.Id, Clinicians.Note() with { AwaitResults = true }, doctor, default)).Error);
        Assert.Null((await hospital.Use<SignConsultation>().Run(patient.Id, visit.Id, Clinicians.Note("Home."), doctor, default)).Error);
        await using var clinic = hospital.Clinic();
        Assert.Equal(VisitStatus.Consulted, (await clinic.Visits.FindAsync(visit.Id))!.Status);
        // Two notes of one consultation are one charge.
        Assert.Equal(1, await clinic.Charges.CountAsync(row => row.VisitId == visit.Id));
    }

    [Fact]
    public async Task An_empty_note_and_an_unknown_diagnosis_are_refused_and_nothing_is_written()
    {
        var hospital = await TestHospital.Shared(StorageKind.Sqlite);
        var (patient, visit, doctor) = await hospital.Consult();
        var empty = await hospital.Use<SignConsultation>().Run(patient.Id, visit.Id, new ConsultationForm { NoteId = Ids.New(), Diagnoses = ["J18.9"] }, doctor, default);
        Assert.Equal("consultation.empty", empty.Error?.Code);
        var unknown = await hospital.Use<SignConsultation>().Run(patient.Id, visit.Id, Clinicians.Note() with { Diagnoses = ["Q00.0.0"] }, doctor, default);
        Assert.Equal("diagnosis.unknown", unknown.Error?.Code);
        await using var clinic = hospital.Clinic();
        Assert.False(await clinic.Notes.AnyAsync(row => row.VisitId == visit.Id));
    }

    [Fact]
    public async Task A_visit_of_another_patient_is_answered_like_one_that_does_not_exist()
    {
        var hospital = await TestHospital.Shared(StorageKind.Sqlite);
        var (_, visit, doctor) = await hospital.Consult();
        var (other, _, _) = await hospital.Consult();
        var wrong = await hospital.Use<SignConsultation>().Run(other.Id, visit.Id, Clinicians.Note(), doctor, default);
        var none = await hospital.Use<SignConsultation>().Run(other.Id, Ids.New(), Clinicians.Note(), doctor, default);
        Assert.Equal(none.Error, wrong.Error);
        Assert.Equal("not-found", wrong.Error?.Code);
    }

    [Fact]
    public async Task A_colleagues_patient_is_not_signed_for_and_is_taken_over_only_when_that_is_said()
    {
        var hospital = await TestHospital.Shared(StorageKind.Sqlite);
        var (patient, visit, _) = await hospital.Consult();
        var other = await hospital.As(Role.Doctor, "dr.second");
        Assert.Equal("visit.with-colleague", (await hospital.Use<SignConsultation>().Run(patient.Id, visit.Id, Clinicians.Note(), other, default)).Error?.Code);
        Assert.Equal("visit.with-colleague", (await hospital.Use<TakePatient>().Run(patient.Id, visit.Id, false, other, default)).Error?.Code);
        Assert.Null((await hospital.Use<TakePatient>().Run(patient.Id, visit.Id, true, other, default)).Error);
        Assert.Null((await hospital.Use<SignConsultation>().Run(patient.Id, visit.Id, Clinicians.Note(), other, default)).Error);
    }

    [Theory]
    [InlineData(StorageKind.Sqlite)]
    [InlineData(StorageKind.Postgres)]
    public async Task An_addendum_is_added_once_and_the_signed_note_stays_as_it_was(StorageKind kind)
    {
        var hospital = await TestHospital.Shared(kind);
        var (patient, visit, doctor) = await hospital.Consult();
        var note = (await hospital.Use<SignConsultation>().Run(patient.Id, visit.Id, Clinicians.Note(), doctor, default)).Value;
        var id = Ids.New();
        Assert.Null((await hospital.Use<AddAddendum>().Run(patient.Id, note.Id, id, "Called back: better.", doctor, default)).Error);
        Assert.Null((await hospital.Use<AddAddendum>().Run(patient.Id, note.Id, id, "Called back: better.", doctor, default)).Error);
        await using var clinic = hospital.Clinic();
        Assert.Equal(1, (await clinic.Notes.FindAsync(note.Id))!.RowVersion);
        var read = Assert.Single((await hospital.Use<OpenChart>().Run(patient.Id, null, doctor, default)).Value.Notes!);
        Assert.Equal("Called back: better.", Assert.Single(read.Addenda).Text);
    }
}
