using Mangrove.Clinic.Records;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Access;
using Mangrove.Vault.Identity;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Clinic.Registration;

/// <summary>Opens a patient's details at the desk, with the state of today's visit.</summary>
public sealed class ViewDemographics(ClinicContext clinic, Door door)
{
    /// <param name="Version">To be sent back with a change.</param>
    /// <param name="Visit">The open visit, or null.</param>
    public sealed record View(
        PatientRef Patient,
        int Version,
        DateTimeOffset RegisteredAt,
        PersonName Name,
        BirthAndSex Person,
        ContactDetails Contact,
        PayerDetails? Payer,
        Visit? Visit,
        DateTimeOffset? LastVisit)
    {
        /// <summary>Nothing: PHI never reaches a log by accident.</summary>
        public override string ToString() => nameof(View);
    }

    public async Task<Result<View>> Run(PatientId id, Actor actor, CancellationToken cancel)
    {
        if (await clinic.Patients.AsNoTracking().SingleOrDefaultAsync(row => row.PatientId == id, cancel) is not { } patient)
        {
            return Missing.Patient;
        }

        using var opening = await door.Open(
            actor,
            new Request
            {
                Action = "VIEW_DEMOGRAPHICS",
                Purpose = Purpose.Registration,
                Patients = [patient.Ref],
                Reads = [Patient.NameField, Patient.PersonField, Patient.ContactField, Patient.PayerField],
            },
            cancel);
        var visits = clinic.Visits.AsNoTracking().Where(visit => visit.PatientId == id && visit.Kind != VisitKind.Imported);
        return new View(
            patient.Ref,
            patient.RowVersion,
            patient.RegisteredAt,
            opening.Read(patient, Patient.NameField) ?? PersonName.Unnamed,
            opening.Read(patient, Patient.PersonField) ?? new BirthAndSex(null, AdministrativeSex.Unknown),
            opening.Read(patient, Patient.ContactField) ?? new ContactDetails(),
            opening.Read(patient, Patient.PayerField),
            await visits.Where(visit => visit.Status != VisitStatus.Closed).OrderByDescending(visit => visit.ArrivedAt).FirstOrDefaultAsync(cancel),
            await visits.OrderByDescending(visit => visit.ArrivedAt).Select(visit => (DateTimeOffset?)visit.ArrivedAt).FirstOrDefaultAsync(cancel));
    }
}
