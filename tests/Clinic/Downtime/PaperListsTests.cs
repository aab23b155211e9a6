using Mangrove.Clinic.Downtime;
using Mangrove.Clinic.Queue;
using Mangrove.Clinic.Records;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Access;
using Mangrove.Vault.Audit;

namespace Mangrove.Tests.Clinic.Downtime;

public sealed class PaperListsTests
{
    [Theory]
    [InlineData(StorageKind.Sqlite)]
    [InlineData(StorageKind.Postgres)]
    public async Task Each_role_prints_what_it_reads_of_who_is_in_the_house_and_one_printing_is_one_entry(StorageKind kind)
    {
        await using var hospital = await TestHospital.New(kind);
        var (here, visit) = await hospital.Arrive();
        var (other, _) = await hospital.Arrive();
        await hospital.Register();
        var (_, left) = await hospital.Arrive();
        Assert.True((await hospital.Use<CloseVisit>().Run(left.PatientId, left.Id, await hospital.As(Role.FrontDesk), default)).Ok);
        await Prescribe(hospital, here, visit);

        foreach (var (role, phones, allergies, medicines, fields) in new (Role, bool, bool, bool, string[])[]
        {
            (Role.FrontDesk, true, false, false, ["birth_and_sex", "contact", "name"]),
            (Role.Nurse, true, true, true, ["allergies", "birth_and_sex", "contact", "medications", "name", "triage"]),
            (Role.Doctor, true, true, true, ["allergies", "birth_and_sex", "contact", "medications", "name", "triage"]),
            (Role.Pharmacist, false, true, true, ["allergies", "birth_and_sex", "medications", "name"]),
            (Role.LabTech, false, false, false, ["birth_and_sex", "name"]),
        })
        {
            var actor = await hospital.As(role);
            var paper = await hospital.Use<PaperLists>().Run(PaperKinds.All, actor, default);
            Assert.Equal(new[] { here.Mrn, other.Mrn }.Order(StringComparer.Ordinal), paper.Rows.Select(row => row.Patient.Mrn).Order(StringComparer.Ordinal));
            Assert.Equal((allergies, medicines, false), (paper.ReadsAllergies, paper.ReadsMedicines, paper.Cut));
            var row = paper.Rows.Single(one => one.Patient.Mrn == here.Mrn);
            Assert.Equal((phones, allergies, medicines), (row.Phones is not null, row.Allergies is not null, row.Medicines is not null));
            Assert.Equal([PaperQueue.Triage, PaperQueue.Pharmacy], row.Waits);
            if (medicines)
            {
                Assert.Equal("Amoxicillin", Assert.Single(row.Medicines!).Name);
            }

            var entry = Assert.Single(await hospital.Entries("PRINT_DOWNTIME_LISTS"), one => one.Actor == actor.User);
            Assert.Equal(("downtime:census+queues+medicines", AuditOutcome.Allowed), (entry.Resource, entry.Outcome));
            Assert.Equal(fields, entry.FieldsAccessed.Order(StringComparer.Ordinal));
            Assert.Equal(2, entry.Patients.Count);
        }
    }

    [Theory]
    [InlineData(StorageKind.Sqlite)]
    [InlineData(StorageKind.Postgres)]
    public async Task Who_cares_for_nobody_prints_nothing_and_a_list_opens_no_more_than_it_shows(StorageKind kind)
    {
        await using var hospital = await TestHospital.New(kind);
        await hospital.Arrive();
        foreach (var role in new[] { Role.Cashier, Role.Admin })
        {
            await Assert.ThrowsAsync<Refused>(async () => await hospital.Use<PaperLists>().Run(PaperKinds.All, await hospital.As(role), default));
        }

        Assert.Equal(2, (await hospital.Entries("PRINT_DOWNTIME_LISTS")).Count(entry => entry.Outcome == AuditOutcome.Refused));
        var queues = await hospital.Use<PaperLists>().Run(PaperKinds.Queues, await hospital.As(Role.Doctor), default);
        Assert.Null(Assert.Single(queues.Rows).Medicines);
        var entry = Assert.Single(await hospital.Entries("PRINT_DOWNTIME_LISTS"), one => one.Outcome == AuditOutcome.Allowed);
        Assert.Equal(["birth_and_sex", "name", "triage"], entry.FieldsAccessed.Order(StringComparer.Ordinal));
    }

    private static async Task Prescribe(TestHospital hospital, PatientRef patient, Visit visit)
    {
        var doctor = await hospital.As(Role.Doctor);
        using var opening = await hospital.Door.Open(
            doctor,
            new Request { Action = "PRESCRIBE", Purpose = Purpose.Treatment, Patients = [patient], Writes = [Prescription.LineField, Prescription.MedicineField] },
            default);
        await using var clinic = hospital.Clinic();
        var row = new Prescription { PatientId = patient.Id, VisitId = visit.Id, OrderedAt = hospital.Clock.GetUtcNow(), By = doctor.Staff };
        opening.Set(row, Prescription.LineField, new PrescriptionLine { Name = "Amoxicillin" });
        opening.Set(row, Prescription.MedicineField, new MedicineInUse("Amoxicillin", "500 mg capsule", "1 capsule three times a day", null, "active", null));
        clinic.Prescriptions.Add(row);
        await clinic.SaveChangesAsync();
    }
}
