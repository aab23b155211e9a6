using Mangrove.Clinic.Chart;
using Mangrove.Clinic.Consultation;
using Mangrove.Clinic.Records;
using Mangrove.Clinic.Terminology;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Access;
using Mangrove.Vault.Identity;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Tests.Clinic.Consultation;

public sealed class WorklistAndActsTest
{
    [Theory]
    [InlineData(StorageKind.Sqlite)]
    [InlineData(StorageKind.Postgres)]
    public async Task The_queue_puts_own_consultations_first_and_one_look_is_one_entry(StorageKind kind)
    {
        await using var hospital = await TestHospital.New(kind);
        var (waiting, _) = await hospital.Arrive();
        var (mine, _, doctor) = await hospital.Consult();
        var rows = await hospital.Use<DoctorQueue>().Run(doctor, refresh: false, default);
        Assert.Equal([mine.Id, waiting.Id], rows.Select(row => row.Patient.Id));
        Assert.Equal([DoctorQueue.Group.Mine, DoctorQueue.Group.NotTriaged], rows.Select(row => row.Group));
        Assert.Single(await hospital.Entries("VIEW_WORKLIST"));
        Assert.DoesNotContain(await hospital.Use<DoctorQueue>().Run(await hospital.As(Role.Doctor, "dr.second"), true, default), row => row.Group == DoctorQueue.Group.Mine);
        Assert.Single(await hospital.Entries("REFRESH_WORKLIST"));
    }

    [Theory]
    [InlineData(StorageKind.Sqlite)]
    [InlineData(StorageKind.Postgres)]
    public async Task An_order_sent_before_signing_waits_at_the_laboratory_and_is_not_ordered_twice(StorageKind kind)
    {
        var hospital = await TestHospital.Shared(kind);
        var (patient, visit, doctor) = await hospital.Consult();
        using var heard = hospital.Events.Listen();
        var tests = LaboratoryCatalogue.Load().All;
        var blood = tests.Where(test => test.Specimen == tests[0].Specimen).Take(2).ToArray();
        var other = tests.First(test => test.Specimen != tests[0].Specimen);
        OrderDraft[] drafts = [new(blood[0].Code, false), new(blood[1].Code, false), new(other.Code, false)];
        Assert.Equal(3, (await hospital.Use<OrderLaboratory>().Run(patient.Id, visit.Id, drafts, doctor, default)).Value.Count);
        Assert.Empty((await hospital.Use<OrderLaboratory>().Run(patient.Id, visit.Id, drafts, doctor, default)).Value);
        await using var clinic = hospital.Clinic();
        var orders = await clinic.LabOrders.Where(row => row.VisitId == visit.Id).ToListAsync();
        Assert.All(orders, order => Assert.Equal(LabOrderStatus.Ordered, order.Status));
        // One tube for each kind of specimen.
        Assert.Equal(2, orders.Select(order => order.SpecimenNumber).Distinct().Count());
        var stations = new List<Mangrove.Clinic.Station>();
        while (heard.Reader.TryRead(out var station))
        {
            stations.Add(station);
        }

        Assert.Contains(Mangrove.Clinic.Station.Laboratory, stations);
        // Signing the same tests with the note orders nothing again.
        Assert.Null((await hospital.Use<SignConsultation>().Run(patient.Id, visit.Id, Clinicians.Note() with { Orders = drafts }, doctor, default)).Error);
        Assert.Equal(3, await clinic.LabOrders.CountAsync(row => row.VisitId == visit.Id));
    }

    [Theory]
    [InlineData(StorageKind.Sqlite)]
    [InlineData(StorageKind.Postgres)]
    public async Task A_draft_survives_belongs_to_its_writer_and_goes_with_signing(StorageKind kind)
    {
        var hospital = await TestHospital.Shared(kind);
        var (patient, visit, doctor) = await hospital.Consult();
        var form = Clinicians.Note() with { Diagnoses = ["J18.9"], Prescriptions = [Clinicians.Line("paracetamol", quantity: "not yet")] };
        Assert.Null((await hospital.Use<ConsultationDraft>().Save(patient.Id, visit.Id, form, doctor, default)).Error);
        var back = await hospital.Use<ConsultationDraft>().Open(patient, visit.Id, doctor, default);
        Assert.Equal("not yet", back!.Value.Form.Prescriptions[0].Quantity);
        Assert.Equal(form.NoteId, back.Value.Form.NoteId);
        Assert.Null(await hospital.Use<ConsultationDraft>().Open(patient, visit.Id, await hospital.As(Role.Doctor, "dr.second"), default));

        var sent = form with { Prescriptions = [] };
        Assert.Null((await hospital.Use<SignConsultation>().Run(patient.Id, visit.Id, sent, doctor, default)).Error);
        Assert.Null(await hospital.Use<ConsultationDraft>().Open(patient, visit.Id, doctor, default));
        // A save that was on its way does not bring it back.
        Assert.Equal("consultation.signed-already", (await hospital.Use<ConsultationDraft>().Save(patient.Id, visit.Id, form, doctor, default)).Error?.Code);
    }

    [Theory]
    [InlineData(StorageKind.Sqlite)]
    [InlineData(StorageKind.Postgres)]
    public async Task Of_two_windows_the_one_opened_later_keeps_the_draft(StorageKind kind)
    {
        var hospital = await TestHospital.Shared(kind);
        var (patient, visit, doctor) = await hospital.Consult();
        var old = Clinicians.Note("old") with { Opened = 10 };
        var newer = old with { Opened = 20, Plan = "new" };
        Assert.Null((await hospital.Use<ConsultationDraft>().Save(patient.Id, visit.Id, newer, doctor, default)).Error);
        Assert.Equal("draft.newer", (await hospital.Use<ConsultationDraft>().Save(patient.Id, visit.Id, old, doctor, default)).Error?.Code);
        Assert.Equal("draft.newer", (await hospital.Use<SignConsultation>().Run(patient.Id, visit.Id, old, doctor, default)).Error?.Code);
        Assert.Equal("new", (await hospital.Use<ConsultationDraft>().Open(patient, visit.Id, doctor, default))!.Value.Form.Plan);
    }

    [Theory]
    [InlineData(StorageKind.Sqlite)]
    [InlineData(StorageKind.Postgres)]
    public async Task Saves_of_one_draft_at_the_same_moment_lose_nothing_and_leave_one_row(StorageKind kind)
    {
        var hospital = await TestHospital.Shared(kind);
        var (patient, visit, doctor) = await hospital.Consult();
        var form = Clinicians.Note();
        var saves = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => Task.Run(() => hospital.Use<ConsultationDraft>().Save(patient.Id, visit.Id, form, doctor, default))));
        Assert.All(saves, save => Assert.Null(save.Error));
        await using var clinic = hospital.Clinic();
        Assert.Equal(1, await clinic.Drafts.CountAsync(row => row.VisitId == visit.Id));
    }

    [Theory]
    [InlineData(StorageKind.Sqlite)]
    [InlineData(StorageKind.Postgres)]
    public async Task Allergies_end_the_statement_that_none_is_known_and_can_be_withdrawn(StorageKind kind)
    {
        var hospital = await TestHospital.Shared(kind);
        var (patient, _, doctor) = await hospital.Consult();
        Assert.Null((await hospital.Use<RecordNoAllergies>().Run(patient.Id, doctor, default)).Error);
        Assert.Equal(Mangrove.Clinic.AllergyState.NoneKnown, (await Chart()).Header.AllergyState);
        var latex = (await hospital.Use<RecordAllergy>().Run(patient.Id, new RecordAllergy.Form("latex", null, "rash", "mild"), doctor, default)).Value;
        Assert.Equal(Mangrove.Clinic.AllergyState.Known, (await Chart()).Header.AllergyState);
        Assert.Equal("allergy.known", (await hospital.Use<RecordNoAllergies>().Run(patient.Id, doctor, default)).Error?.Code);
        Assert.Null((await hospital.Use<WithdrawAllergy>().Run(patient.Id, latex.Id, doctor, default)).Error);
        Assert.Equal(Mangrove.Clinic.AllergyState.NotRecorded, (await Chart()).Header.AllergyState);

        async Task<PatientChart> Chart() => (await hospital.Use<OpenChart>().Run(patient.Id, null, doctor, default)).Value;
    }

    [Fact]
    public async Task A_problem_is_added_once_resolved_and_stays_in_the_record()
    {
        var hospital = await TestHospital.Shared(StorageKind.Sqlite);
        var (patient, _, doctor) = await hospital.Consult();
        var first = (await hospital.Use<AddProblem>().Run(patient.Id, "I10", "2012", doctor, default)).Value;
        Assert.Equal(first.Id, (await hospital.Use<AddProblem>().Run(patient.Id, "I10", null, doctor, default)).Value.Id);
        Assert.Equal("problem.onset", (await hospital.Use<AddProblem>().Run(patient.Id, "E11.9", "2099", doctor, default)).Error?.Code);
        Assert.Null((await hospital.Use<ResolveProblem>().Run(patient.Id, first.Id, doctor, default)).Error);
        var problem = Assert.Single((await hospital.Use<OpenChart>().Run(patient.Id, null, doctor, default)).Value.Problems!);
        Assert.False(problem.Record.IsActive);
        Assert.Equal("2012", problem.Record.Onset);
    }

    [Theory]
    [InlineData(StorageKind.Sqlite)]
    [InlineData(StorageKind.Postgres)]
    public async Task A_released_result_waits_for_its_orderer_and_is_signed_once(StorageKind kind)
    {
        var hospital = await TestHospital.Shared(kind);
        var name = $"dr.results.{kind}".ToLowerInvariant();
        var (patient, visit, doctor) = await hospital.Consult(name);
        var potassium = LaboratoryCatalogue.Load().All.First(test => test.IsNumeric);
        var order = (await hospital.Use<OrderLaboratory>().Run(patient.Id, visit.Id, [new OrderDraft(potassium.Code, true)], doctor, default)).Value[0];
        await Release(hospital, patient, order.Id, potassium);
        var list = await hospital.Use<ResultsToSign>().Run(doctor, criticalOnly: true, refresh: false, default);
        var result = Assert.Single(Assert.Single(list).Results);
        Assert.True(result.Critical);
        Assert.Equal(potassium.Name, result.Test);
        Assert.Equal(1, Assert.Single(await hospital.Use<DoctorQueue>().Run(doctor, true, default), row => row.Patient.Id == patient.Id).Back);
        Assert.Equal("not-found", (await hospital.Use<AcknowledgeResults>().Run(patient.Id, [order.Id], await hospital.As(Role.Doctor, "dr.second"), default)).Error?.Code);
        Assert.Equal(1, (await hospital.Use<AcknowledgeResults>().Run(patient.Id, [order.Id], doctor, default)).Value);
        Assert.Equal("lab.not-to-sign", (await hospital.Use<AcknowledgeResults>().Run(patient.Id, [order.Id], doctor, default)).Error?.Code);
        Assert.Empty(await hospital.Use<ResultsToSign>().Run(doctor, false, false, default));
    }

    [Theory]
    [InlineData(Role.FrontDesk)]
    [InlineData(Role.Cashier)]
    [InlineData(Role.Nurse)]
    [InlineData(Role.Pharmacist)]
    [InlineData(Role.LabTech)]
    [InlineData(Role.Admin)]
    public async Task Nobody_but_a_doctor_does_a_doctors_acts(Role role)
    {
        var hospital = await TestHospital.Shared(StorageKind.Sqlite);
        var (patient, visit, doctor) = await hospital.Consult();
        var note = (await hospital.Use<SignConsultation>().Run(patient.Id, visit.Id, Clinicians.Note() with { AwaitResults = true, Prescriptions = [Clinicians.Line("paracetamol")] }, doctor, default)).Value;
        var problem = (await hospital.Use<AddProblem>().Run(patient.Id, "I10", null, doctor, default)).Value;
        var allergy = (await hospital.Use<RecordAllergy>().Run(patient.Id, new RecordAllergy.Form("latex", null, null, null), doctor, default)).Value;
        var test = LaboratoryCatalogue.Load().All[0].Code;
        var order = (await hospital.Use<OrderLaboratory>().Run(patient.Id, visit.Id, [new OrderDraft(test, false)], doctor, default)).Value[0];
        Guid line;
        await using (var clinic = hospital.Clinic())
        {
            line = (await clinic.Prescriptions.SingleAsync(row => row.VisitId == visit.Id)).Id;
        }

        var actor = await hospital.As(role);
        Func<Task>[] acts =
        [
            () => hospital.Use<DoctorQueue>().Run(actor, false, default),
            () => hospital.Use<TakePatient>().Run(patient.Id, visit.Id, true, actor, default),
            () => hospital.Use<OpenChart>().Run(patient.Id, visit.Id, actor, default),
            () => hospital.Use<ConsultationDraft>().Save(patient.Id, visit.Id, Clinicians.Note(), actor, default),
            () => hospital.Use<CheckPrescription>().Run(patient.Id, visit.Id, [Clinicians.Line("paracetamol")], actor, default),
            () => hospital.Use<OrderLaboratory>().Run(patient.Id, visit.Id, [new OrderDraft(test, false)], actor, default),
            () => hospital.Use<SignConsultation>().Run(patient.Id, visit.Id, Clinicians.Note(), actor, default),
            () => hospital.Use<AddAddendum>().Run(patient.Id, note.Id, Ids.New(), "More.", actor, default),
            () => hospital.Use<AddProblem>().Run(patient.Id, "I10", null, actor, default),
            () => hospital.Use<ResolveProblem>().Run(patient.Id, problem.Id, actor, default),
            () => hospital.Use<RecordAllergy>().Run(patient.Id, new RecordAllergy.Form("latex", null, null, null), actor, default),
            () => hospital.Use<RecordNoAllergies>().Run(patient.Id, actor, default),
            () => hospital.Use<WithdrawAllergy>().Run(patient.Id, allergy.Id, actor, default),
            () => hospital.Use<StopMedicine>().Run(patient.Id, line, actor, default),
            () => hospital.Use<ResultsToSign>().Run(actor, false, false, default),
            () => hospital.Use<AcknowledgeResults>().Run(patient.Id, [order.Id], actor, default),
        ];
        foreach (var act in acts)
        {
            await Assert.ThrowsAsync<Refused>(act);
        }
    }

    [Theory]
    [InlineData(Role.FrontDesk)]
    [InlineData(Role.Cashier)]
    [InlineData(Role.Nurse)]
    [InlineData(Role.Doctor)]
    [InlineData(Role.Pharmacist)]
    [InlineData(Role.LabTech)]
    public async Task The_chart_shows_each_role_exactly_what_its_line_of_the_matrix_reads(Role role)
    {
        var hospital = await TestHospital.Shared(StorageKind.Sqlite);
        var (patient, _, _) = await hospital.Consult();
        var actor = await hospital.As(role);
        var chart = (await hospital.Use<OpenChart>().Run(patient.Id, null, actor, default)).Value;
        (Category Category, object? Part)[] parts =
        [
            (Category.Contact, chart.Contact), (Category.Problems, chart.Problems), (Category.Medicines, chart.Medicines),
            (Category.Allergies, chart.Allergies), (Category.Triage, chart.Triages), (Category.LabResults, chart.Results),
            (Category.OtherObservations, chart.Others), (Category.Notes, chart.Notes), (Category.LabOrders, chart.Orders), (Category.Encounters, chart.Visits),
            (Category.Procedures, chart.Procedures), (Category.Immunizations, chart.Immunizations), (Category.BirthAndSex, chart.Header.Person),
        ];
        foreach (var (category, part) in parts)
        {
            Assert.True(actor.Reads(category) == part is not null, category.ToString());
        }

        var entry = Assert.Single(await hospital.Entries(patient, "VIEW_CHART"));
        Assert.Equal(actor.Reads(Category.Notes), entry.FieldsAccessed.Contains("note"));
    }

    [Fact]
    public async Task An_administrator_opens_no_chart()
    {
        var hospital = await TestHospital.Shared(StorageKind.Sqlite);
        var (patient, _, _) = await hospital.Consult();
        var admin = await hospital.As(Role.Admin);
        await Assert.ThrowsAsync<Refused>(() => hospital.Use<OpenChart>().Run(patient.Id, null, admin, default));
    }

    private static async Task Release(TestHospital hospital, PatientRef patient, Guid orderId, LaboratoryTest test)
    {
        Actor technician = await hospital.As(Role.LabTech);
        await using var clinic = hospital.Clinic();
        var order = await clinic.LabOrders.SingleAsync(row => row.Id == orderId);
        using var opening = await hospital.Door.Open(
            technician,
            new Request { Action = "RELEASE_RESULT", Purpose = Purpose.Treatment, Patients = [patient], Writes = [Observation.LabResults] },
            default);
        var row = new Observation { PatientId = patient.Id, Kind = ObservationKind.Laboratory, OrderId = orderId, VisitId = order.VisitId, TakenAt = hospital.Clock.GetUtcNow(), By = technician.Staff };
        opening.Set(row, Observation.ValueField, new ObservedValue { Display = test.Name, TestCode = test.Code, Number = 1, Unit = test.DisplayUnit, Flag = "CriticalLow" });
        clinic.Observations.Add(row);
        Assert.Null(order.Release(hospital.Clock.GetUtcNow()).Error);
        await clinic.SaveChangesAsync();
    }
}
