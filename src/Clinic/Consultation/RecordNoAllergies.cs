using Mangrove.Clinic.Records;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Access;
using Mangrove.Vault.Identity;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Clinic.Consultation;

/// <summary>Records that the patient was asked and knows of no allergy.</summary>
public sealed class RecordNoAllergies(ClinicContext clinic, Door door, StationEvents events, TimeProvider clock)
{
    public async Task<Result<Allergy>> Run(PatientId patientId, Actor actor, CancellationToken cancel)
    {
        if (await clinic.Patients.FindAsync([patientId.Value], cancel) is not { } patient)
        {
            return Missing.Patient;
        }

        using var opening = await door.Open(
            actor,
            new Request { Action = "RECORD_NO_ALLERGIES", Purpose = Purpose.Treatment, Patients = [patient.Ref], Reads = [Allergy.RecordField], Writes = [Allergy.RecordField] },
            cancel);
        foreach (var present in await clinic.Allergies.Where(row => row.PatientId == patientId).ToListAsync(cancel))
        {
            switch (opening.Read(present, Allergy.RecordField))
            {
                case { Status: "active", NoneKnown: false }:
                    return new Error("allergy.known", "An allergy is recorded. Mark it as entered in error first, if it is.");
                case { Status: "active", NoneKnown: true } record:
                    // Asked again: the older statement makes room for one of today.
                    opening.Set(present, Allergy.RecordField, record with { Status = "inactive" });
                    break;
            }
        }

        var row = new Allergy { PatientId = patientId, RecordedAt = clock.GetUtcNow(), By = actor.Staff };
        opening.Set(row, Allergy.RecordField, new AllergyRecord(true, null));
        clinic.Allergies.Add(row);
        await clinic.SaveChangesAsync(cancel);
        events.Changed(Station.Triage, Station.Doctor, Station.Pharmacy);
        return row;
    }
}
