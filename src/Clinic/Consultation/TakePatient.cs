using System.Globalization;
using Mangrove.Clinic.Records;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Access;
using Mangrove.Vault.Identity;

namespace Mangrove.Clinic.Consultation;

/// <summary>Takes a waiting patient into consultation, or takes a consultation over from a colleague when that is said.</summary>
public sealed class TakePatient(ClinicContext clinic, Door door, StationEvents events, TimeProvider clock)
{
    /// <returns><c>visit.with-colleague</c> when another doctor has the patient and <paramref name="takeOver"/> is false; <c>visit.over</c>.</returns>
    public async Task<Result<Visit>> Run(PatientId patientId, Guid visitId, bool takeOver, Actor actor, CancellationToken cancel)
    {
        if (await VisitOfPatient.Find(clinic, patientId, visitId, cancel) is not { Visit: var visit, Patient: var patient })
        {
            return Missing.Visit;
        }

        using var opening = await door.Open(
            actor,
            new Request
            {
                Action = "TAKE_PATIENT",
                Purpose = Purpose.Treatment,
                Patients = [patient.Ref],
                Reads = [Visit.EncounterField],
                Writes = [Visit.EncounterField],
                Reason = takeOver ? "taken over" : null,
            },
            cancel);
        if (visit.Status == VisitStatus.InConsultation && visit.Doctor == actor.Staff)
        {
            return visit;
        }

        if (visit.Status == VisitStatus.InConsultation && !takeOver)
        {
            return new Error("visit.with-colleague", "A colleague has this patient in consultation. Take over only after you have spoken with them.");
        }

        if (visit.Take(actor.Staff, clock.GetUtcNow()).Error is { } refused)
        {
            return refused;
        }

        var encounter = opening.Read(visit, Visit.EncounterField) ?? new EncounterRecord();
        opening.Set(visit, Visit.EncounterField, encounter with
        {
            Class = encounter.Class ?? (visit.Kind == VisitKind.Emergency ? "EMER" : "AMB"),
            Provider = actor.DisplayName,
            Start = encounter.Start ?? visit.ArrivedAt.ToString("yyyy-MM-dd'T'HH:mm:ssK", CultureInfo.InvariantCulture),
        });
        await clinic.SaveChangesAsync(cancel);
        events.Changed(Station.Arrivals, Station.Triage, Station.Doctor);
        return visit;
    }
}
