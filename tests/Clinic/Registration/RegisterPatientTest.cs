using Mangrove.Clinic.Records;
using Mangrove.Clinic.Registration;
using Mangrove.Kernel;
using Mangrove.Vault;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Tests.Clinic.Registration;

public sealed class RegisterPatientTest
{
    [Theory]
    [InlineData(StorageKind.Sqlite)]
    [InlineData(StorageKind.Postgres)]
    public async Task A_registered_patient_gets_a_number_with_a_check_digit_and_one_entry_in_the_log(StorageKind kind)
    {
        var hospital = await TestHospital.Shared(kind);
        var patient = await hospital.Register("Wanjiru");

        Assert.True(Mrn.TryParse(patient.Mrn, out _));
        var entry = Assert.Single(await hospital.Entries(patient, "REGISTER_PATIENT"));
        Assert.Equal("front-desk", entry.Actor);
        await using var clinic = hospital.Clinic();
        var row = await clinic.Patients.FindAsync(patient.Id.Value);
        Assert.Equal(1, row!.RowVersion);
        Assert.Equal(entry.Seq, row.EntrySeq);
    }

    [Theory]
    [InlineData(StorageKind.Sqlite)]
    [InlineData(StorageKind.Postgres)]
    public async Task Sending_the_same_form_twice_registers_once(StorageKind kind)
    {
        var hospital = await TestHospital.Shared(kind);
        var form = Form(new PersonName("Zuberi", ["Kioko"]));
        var desk = await hospital.As(Role.FrontDesk);
        var first = await hospital.Use<RegisterPatient>().Run(form, desk, default);
        var second = await hospital.Use<RegisterPatient>().Run(form, desk, default);
        Assert.Equal(first.Value, second.Value);
    }

    [Theory]
    [InlineData(StorageKind.Sqlite)]
    [InlineData(StorageKind.Postgres)]
    public async Task A_sending_that_another_overtook_is_that_registration_and_not_a_duplicate_of_it(StorageKind kind)
    {
        var hospital = await TestHospital.Shared(kind);
        var form = Form(new PersonName("Achterberg", ["Ngozi"])) with { NotTheSameBecause = null };
        var desk = await hospital.As(Role.FrontDesk);
        var other = default(Result<PatientRef>);
        var overtaken = new Meanwhile(hospital.Clock, async () => other = await hospital.Use<RegisterPatient>().Run(form, desk, default));
        var result = await hospital.Use<RegisterPatient>(overtaken).Run(form, desk, default);
        Assert.Null(result.Error);
        Assert.Equal(other.Value, result.Value);
        Assert.Single(await hospital.Entries(result.Value, "REGISTER_PATIENT"));
    }

    [Theory]
    [InlineData(StorageKind.Sqlite)]
    [InlineData(StorageKind.Postgres)]
    public async Task Somebody_who_came_is_registered_and_in_the_queue_by_one_sending_or_neither(StorageKind kind)
    {
        var hospital = await TestHospital.Shared(kind);
        var desk = await hospital.As(Role.FrontDesk);
        var form = Form(new PersonName("Tumaini", ["Baraka"])) with { Visit = VisitKind.Emergency };
        var patient = (await hospital.Use<RegisterPatient>().Run(form, desk, default)).Value;
        await using (var clinic = hospital.Clinic())
        {
            var visit = await clinic.Visits.AsNoTracking().SingleAsync(row => row.PatientId == form.Id);
            Assert.Equal((VisitKind.Emergency, VisitStatus.Arrived), (visit.Kind, visit.Status));
        }

        Assert.Single(await hospital.Entries(patient, "OPEN_VISIT"));
        await hospital.Use<RegisterPatient>().Run(form, desk, default);
        Assert.Single(await hospital.Entries(patient, "OPEN_VISIT"));

        var refused = Form(new PersonName("Mwangaza", ["Pendo"])) with { Visit = VisitKind.Imported };
        Assert.Equal("visit.kind", (await hospital.Use<RegisterPatient>().Run(refused, desk, default)).Error?.Code);
        await using var after = hospital.Clinic();
        Assert.False(await after.Patients.AnyAsync(row => row.PatientId == refused.Id));
    }

    [Theory]
    [InlineData(Role.Cashier)]
    [InlineData(Role.Nurse)]
    [InlineData(Role.LabTech)]
    [InlineData(Role.Admin)]
    public async Task Nobody_but_the_front_desk_registers(Role role)
    {
        var hospital = await TestHospital.Shared(StorageKind.Sqlite);
        var form = Form(new PersonName("Qorane", ["Xasan"]));
        await Assert.ThrowsAsync<Refused>(async () => await hospital.Use<RegisterPatient>().Run(form, await hospital.As(role), default));
        await using var clinic = hospital.Clinic();
        Assert.Null(await clinic.Patients.FindAsync(form.Id.Value));
    }

    internal static RegisterPatient.Form Form(PersonName name) =>
        new(PatientId.New(), name, new BirthAndSex("1980", AdministrativeSex.Male), new ContactDetails(), null, "documents-differ");
}
