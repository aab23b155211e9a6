using Mangrove.Clinic.Records;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Access;
using Mangrove.Vault.Identity;

namespace Mangrove.Clinic.Registration;

/// <summary>Corrects or completes a registered patient's details.</summary>
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
                Writes = [Patient.NameField, Patient.PersonField, Patient.ContactField, Patient.PayerField],
            },
            cancel);
        opening.Set(patient, Patient.NameField, form.Name);
        opening.Set(patient, Patient.PersonField, form.Person);
        opening.Set(patient, Patient.ContactField, form.Contact);
        opening.Set(patient, Patient.PayerField, form.Payer);
        await clinic.SaveChangesAsync(cancel);
        opening.Index(patient.PatientId, patient.Mrn, form.Name, form.Person, form.Contact.Phones);
        events.Changed(Station.Arrivals, Station.Triage, Station.Doctor);
        return patient.Ref;
    }
}
