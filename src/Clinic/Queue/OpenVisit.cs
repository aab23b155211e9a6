using Mangrove.Clinic.Records;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Access;
using Mangrove.Vault.Identity;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Clinic.Queue;

/// <summary>Puts a patient who has come into the queue: opens the visit that every station then sees.</summary>
public sealed class OpenVisit(ClinicContext clinic, Door door, StationEvents events, TimeProvider clock)
{
    /// <summary>Code of the refusal when the patient is in the queue already.</summary>
    public const string AlreadyOpen = "visit.open-already";

    public async Task<Result<Visit>> Run(PatientId patientId, VisitKind kind, Actor actor, CancellationToken cancel)
    {
        if (NewVisit.Check(kind) is { } wrong)
        {
            return wrong;
        }

        if (await clinic.Patients.FindAsync([patientId.Value], cancel) is not { } patient)
        {
            return Missing.Patient;
        }

        await door.Record(actor, Rights.Queue, NewVisit.Of(patient), cancel);

        // Two desks may open the same patient's visit at once; the second one waits here and is told.
        await using var held = await clinic.HoldPatient(patientId, cancel);
        if (await clinic.Visits.AnyAsync(visit => visit.PatientId == patientId && visit.Status != VisitStatus.Closed, cancel))
        {
            return new Error(AlreadyOpen, "This patient is in the queue already. Close that visit first if the patient has left.");
        }

        var visit = await NewVisit.Make(clinic, patientId, kind, clock, cancel);
        clinic.Visits.Add(visit);
        await clinic.SaveChangesAsync(cancel);
        await held.CommitAsync(cancel);
        events.Changed(NewVisit.Stations);
        return visit;
    }
}
