using Mangrove.Clinic.Records;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Access;
using Mangrove.Vault.Identity;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Clinic.Pharmacy;

/// <summary>Opens what one patient is to be given for one visit, checked again with what is known now.</summary>
public sealed class OpenDispensing(ClinicContext clinic, Door door, TimeProvider clock)
{
    /// <param name="action">What the log says of it: the sheet or its labels.</param>
    public async Task<Result<DispensingSheet>> Run(PatientId patientId, Guid visitId, Actor actor, CancellationToken cancel, string action = "OPEN_DISPENSING")
    {
        if (await clinic.Patients.FindAsync([patientId.Value], cancel) is not { } patient
            || !await clinic.Prescriptions.AnyAsync(row => row.PatientId == patientId && row.VisitId == visitId && row.Status != PrescriptionStatus.Imported, cancel))
        {
            return Missing.Visit;
        }

        using var opening = await door.Open(
            actor,
            new Request { Action = action, Purpose = Purpose.Treatment, Patients = [patient.Ref], Reads = DispensingSheet.Fields }.AtTheCounter(actor),
            cancel);
        return await DispensingSheet.Read(opening, clinic, patient, visitId, clock, cancel);
    }
}
