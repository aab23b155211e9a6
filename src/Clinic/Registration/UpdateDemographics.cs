using Mangrove.Clinic.Records;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Access;
using Mangrove.Vault.Identity;

namespace Mangrove.Clinic.Registration;

/// <summary>
/// Corrects or completes a registered patient's details. What the desk's form does not show is kept as it is: further
/// telephones, parts of an imported address, death.
/// </summary>
public sealed class UpdateDemographics(ClinicContext clinic, Door door, StationEvents events, TimeProvider clock)
{
    /// <param name="Version">The row version that the form was filled from; a newer one means somebody else changed it.</param>
    public sealed record Form(PatientId Id, int Version, PersonName Name, BirthAndSex Person, ContactDetails Contact, PayerDetails? Payer)
    {
        /// <summary>Nothing: PHI never reaches a log by accident.</summary>
        public override string ToString() => nameof(Form);
    }

    public async Task<Result<PatientRef>> Run(Form form, Actor actor, CancellationToken cancel)
    {
        if (Demographics.Check(form.Name, form.Person, clock) is { } wrong)
        {
            return wrong;
        }

        if (await clinic.Patients.FindAsync([form.Id.Value], cancel) is not { } patient)
        {
            return Missing.Patient;
        }

        if (patient.RowVersion != form.Version)
        {
            return new Error("record.changed", "Somebody else changed this record meanwhile. Nothing was saved: open it again and repeat your change.");
        }

        using var opening = await door.Open(
            actor,
            new Request
            {
                Action = "UPDATE_DEMOGRAPHICS",
                Purpose = Purpose.Registration,
                Patients = [patient.Ref],
                Reads = [Patient.PersonField, Patient.ContactField],
                Writes = [Patient.NameField, Patient.PersonField, Patient.ContactField, Patient.PayerField],
            },
            cancel);
        var known = opening.Read(patient, Patient.ContactField) ?? new ContactDetails();
        var contact = form.Contact with
        {
            Phones = [.. form.Contact.Phones, .. known.Phones.Skip(1).Where(phone => !form.Contact.Phones.Contains(phone))],
            Email = form.Contact.Email ?? known.Email,
            City = form.Contact.City ?? known.City,
            District = form.Contact.District ?? known.District,
            PostalCode = form.Contact.PostalCode ?? known.PostalCode,
            Country = form.Contact.Country ?? known.Country,
            Language = form.Contact.Language ?? known.Language,
            Mother = form.Contact.Mother ?? known.Mother,
        };
        var person = opening.Read(patient, Patient.PersonField) is { Dead: true } died
            ? form.Person with { Dead = true, Died = died.Died }
            : form.Person;
        opening.Set(patient, Patient.NameField, form.Name);
        opening.Set(patient, Patient.PersonField, person);
        opening.Set(patient, Patient.ContactField, contact);
        opening.Set(patient, Patient.PayerField, form.Payer);
        await clinic.SaveChangesAsync(cancel);
        opening.Index(patient.PatientId, patient.Mrn, form.Name, person, contact.Phones);
        events.Changed(Station.Arrivals, Station.Triage, Station.Doctor);
        return patient.Ref;
    }
}
