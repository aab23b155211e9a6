using Mangrove.Clinic.Records;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Access;
using Mangrove.Vault.Identity;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Clinic.Consultation;

/// <summary>Marks a recorded allergy as entered in error. The row stays; checks and banner leave it out.</summary>
public sealed class WithdrawAllergy(ClinicContext clinic, Door door, StationEvents events)
{
    public async Task<Result<Allergy>> Run(PatientId patientId, Guid allergyId, Actor actor, CancellationToken cancel)
    {
        if (await clinic.Patients.FindAsync([patientId.Value], cancel) is not { } patient
            || await clinic.Allergies.FirstOrDefaultAsync(row => row.Id == allergyId && row.PatientId == patientId, cancel) is not { } allergy)
        {
            return Missing.Patient;
        }

        using var opening = await door.Open(
            actor,
            new Request { Action = "WITHDRAW_ALLERGY", Purpose = Purpose.Treatment, Patients = [patient.Ref], Reads = [Allergy.RecordField], Writes = [Allergy.RecordField] },
            cancel);
        if (opening.Read(allergy, Allergy.RecordField) is { Status: "active" } record)
        {
            opening.Set(allergy, Allergy.RecordField, record with { Status = "entered-in-error" });
            await clinic.SaveChangesAsync(cancel);
            events.Changed(Station.Triage, Station.Doctor, Station.Pharmacy);
        }

        return allergy;
    }
}
