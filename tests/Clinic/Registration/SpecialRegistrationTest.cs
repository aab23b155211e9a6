using Mangrove.Clinic;
using Mangrove.Clinic.Records;
using Mangrove.Clinic.Registration;
using Mangrove.Kernel;
using Mangrove.Vault;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Tests.Clinic.Registration;

public sealed class SpecialRegistrationTest
{
    [Theory]
    [InlineData(StorageKind.Sqlite)]
    [InlineData(StorageKind.Postgres)]
    public async Task An_unknown_patient_is_registered_at_once_under_a_word_and_a_figure(StorageKind kind)
    {
        var hospital = await TestHospital.Shared(kind);
        var desk = await hospital.As(Role.FrontDesk);
        var patient = (await hospital.Use<RegisterUnknown>().Run(PatientId.New(), AdministrativeSex.Male, PartialDate.From(1980, 0, true), desk, default)).Value;
        var another = await hospital.Use<RegisterUnknown>().Run(PatientId.New(), AdministrativeSex.Male, null, desk, default);
        Assert.True(another.Ok);

        var view = (await hospital.Use<ViewDemographics>().Run(patient.Id, desk, default)).Value;
        Assert.Matches("^UNKNOWN, [A-Z][a-z]+ [1-9][0-9]$", view.Name.Display);
        Assert.Equal("~1980", view.Person.Born);
    }

    [Theory]
    [InlineData(StorageKind.Sqlite)]
    [InlineData(StorageKind.Postgres)]
    public async Task A_newborn_has_the_mother_as_next_of_kin_and_her_payer(StorageKind kind)
    {
        var hospital = await TestHospital.Shared(kind);
        var desk = await hospital.As(Role.FrontDesk);
        var mother = await hospital.Register("Achieng", payer: new PayerDetails("Pwani Mutual", "PM-1", 80));
        var prepared = (await hospital.Use<PrepareNewborn>().Run(mother.Id, desk, default)).Value;

        Assert.Equal("Achieng", prepared.Name.Family);
        Assert.Contains(mother.Mrn, prepared.Contact.NextOfKin, StringComparison.Ordinal);
        Assert.Equal("2026-03-02", prepared.Person.Born);
        var child = (await hospital.Use<RegisterPatient>().Run(
            new RegisterPatient.Form(PatientId.New(), prepared.Name, prepared.Person, prepared.Contact, prepared.Payer, "relative"), desk, default)).Value;
        var view = (await hospital.Use<ViewDemographics>().Run(child.Id, desk, default)).Value;
        Assert.Equal(mother.Id.Value, view.Contact.Mother);
        Assert.Equal("Pwani Mutual", view.Payer?.Name);
    }

    [Theory]
    [InlineData(StorageKind.Sqlite)]
    [InlineData(StorageKind.Postgres)]
    public async Task Of_two_changes_from_the_same_form_the_second_is_told_and_loses_nothing(StorageKind kind)
    {
        var hospital = await TestHospital.Shared(kind);
        var desk = await hospital.As(Role.FrontDesk);
        var patient = await hospital.Register();
        var view = (await hospital.Use<ViewDemographics>().Run(patient.Id, desk, default)).Value;
        var form = new UpdateDemographics.Form(patient.Id, view.Version, new PersonName("Mwangi", ["Grace"]), view.Person, view.Contact with { Address = "Nyali" }, null);

        Assert.True((await hospital.Use<UpdateDemographics>().Run(form, desk, default)).Ok);
        var second = await hospital.Use<UpdateDemographics>().Run(form with { Name = new PersonName("Mwangi", ["Joyce"]) }, desk, default);

        Assert.Equal("record.changed", second.Error?.Code);
        var now = (await hospital.Use<ViewDemographics>().Run(patient.Id, desk, default)).Value;
        Assert.Equal("MWANGI, Grace", now.Name.Display);
        Assert.Equal("Nyali", now.Contact.Address);
        Assert.Equal(view.Contact.Phones, now.Contact.Phones);
    }

    [Fact]
    public async Task The_cashier_opens_no_demographics_and_the_refusal_stands_in_the_log()
    {
        var hospital = await TestHospital.Shared(StorageKind.Sqlite);
        var patient = await hospital.Register();
        await Assert.ThrowsAsync<Refused>(async () => await hospital.Use<ViewDemographics>().Run(patient.Id, await hospital.As(Role.Cashier), default));
        var entry = Assert.Single(await hospital.Entries(patient, "VIEW_DEMOGRAPHICS"));
        Assert.Equal(Mangrove.Vault.Audit.AuditOutcome.Refused, entry.Outcome);
    }

    [Theory]
    [InlineData(StorageKind.Sqlite)]
    [InlineData(StorageKind.Postgres)]
    public async Task A_draft_comes_back_to_its_writer_only_and_goes_with_the_registration(StorageKind kind)
    {
        var hospital = await TestHospital.Shared(kind);
        var desk = await hospital.As(Role.FrontDesk);
        var form = RegisterPatientTest.Form(new PersonName("Kadogo", ["Baraka"]));
        var place = new DraftBox.Place(DraftKind.Registration, form.Id, string.Empty, null);
        await hospital.Use<DraftBox>().Save(place, "{\"family\":\"Kado\"}", desk, default);
        await hospital.Use<DraftBox>().Save(place, "{\"family\":\"Kadogo\"}", desk, default);

        Assert.Equal("{\"family\":\"Kadogo\"}", (await hospital.Use<DraftBox>().Open(place, desk, default))?.Content);
        Assert.Null(await hospital.Use<DraftBox>().Open(place, await hospital.As(Role.FrontDesk, "desk.two"), default));
        Assert.True((await hospital.Use<RegisterPatient>().Run(form, desk, default)).Ok);
        await using var clinic = hospital.Clinic();
        Assert.False(await clinic.Drafts.AnyAsync(draft => draft.PatientId == form.Id));
    }
}
