using Mangrove.Clinic.Records;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Access;
using Mangrove.Vault.Identity;

namespace Mangrove.Clinic.Queue;

/// <summary>Ends a visit: the patient has left.</summary>
public sealed class CloseVisit(ClinicContext clinic, Door door, StationEvents events, TimeProvider clock)
{
    public async Task<Result<Visit>> Run(PatientId patientId, Guid visitId, Actor actor, CancellationToken cancel)
    {
        // The patient stands in the address and in the save: a visit of somebody else is refused.
        if (await clinic.Visits.FindAsync([visitId], cancel) is not { } visit || visit.PatientId != patientId
            || await clinic.Patients.FindAsync([patientId.Value], cancel) is not { } patient)
        {
            return Missing.Visit;
        }

        await door.Record(
            actor,
            Rights.Queue,
            new Request { Action = "CLOSE_VISIT", Purpose = Purpose.Registration, Patients = [patient.Ref] },
            cancel);
        if (visit.Close(clock.GetUtcNow()).Error is { } refused)
        {
            return refused;
        }

        await clinic.SaveChangesAsync(cancel);
        events.Changed(Station.Arrivals, Station.Triage, Station.Doctor, Station.Cashier);
        return visit;
    }
}
