using Mangrove.Clinic.Records;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Access;
using Mangrove.Vault.Identity;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Clinic.Consultation;

/// <summary>Stops a medicine: it leaves the list of those in use, and what was not handed over yet is not any more.</summary>
public sealed class StopMedicine(ClinicContext clinic, Door door, StationEvents events)
{
    public async Task<Result<Prescription>> Run(PatientId patientId, Guid prescriptionId, Actor actor, CancellationToken cancel)
    {
        if (await clinic.Patients.FindAsync([patientId.Value], cancel) is not { } patient
            || await clinic.Prescriptions.FirstOrDefaultAsync(row => row.Id == prescriptionId && row.PatientId == patientId, cancel) is not { } line)
        {
            return Missing.Patient;
        }

        using var opening = await door.Open(
            actor,
            new Request { Action = "STOP_MEDICINE", Purpose = Purpose.Treatment, Patients = [patient.Ref], Reads = [Prescription.MedicineField], Writes = [Prescription.MedicineField] },
            cancel);
        if (line.Stop().Error is { } refused)
        {
            return refused;
        }

        if (opening.Read(line, Prescription.MedicineField) is { } medicine)
        {
            opening.Set(line, Prescription.MedicineField, medicine with { Status = "stopped" });
        }

        await clinic.SaveChangesAsync(cancel);
        events.Changed(Station.Pharmacy);
        return line;
    }
}
