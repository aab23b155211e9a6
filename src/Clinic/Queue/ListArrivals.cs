using Mangrove.Clinic.Records;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Access;
using Mangrove.Vault.Identity;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Clinic.Queue;

/// <summary>
/// Today's visits, and older ones that nobody closed: who came, when, and how far they have come. States only, nothing
/// clinical.
/// </summary>
public sealed class ListArrivals(ClinicContext clinic, Door door, TimeProvider clock)
{
    /// <summary>One line of the list.</summary>
    public sealed record Arrival(Visit Visit, PatientRef Patient, PersonName Name, BirthAndSex Person)
    {
        /// <summary>Nothing: PHI never reaches a log by accident.</summary>
        public override string ToString() => nameof(Arrival);
    }

    /// <param name="actor">Who looks.</param>
    /// <param name="refresh">Whether the page refreshed by itself, which the log names differently.</param>
    /// <param name="cancel">Gives up.</param>
    public async Task<IReadOnlyList<Arrival>> Run(Actor actor, bool refresh, CancellationToken cancel)
    {
        var today = clock.StartOfLocalDay();
        var visits = await clinic.Visits.AsNoTracking()
            .Where(visit => visit.Kind != VisitKind.Imported && (visit.ArrivedAt >= today || visit.Status != VisitStatus.Closed))
            .OrderBy(visit => visit.ArrivedAt).ThenBy(visit => visit.Token)
            .ToListAsync(cancel);
        var ids = visits.Select(visit => visit.PatientId).Distinct().ToArray();
        var patients = await clinic.Patients.AsNoTracking().Where(patient => ids.Contains(patient.PatientId)).ToDictionaryAsync(patient => patient.PatientId, cancel);
        using var opening = await door.Open(
            actor,
            new Request
            {
                Action = refresh ? "REFRESH_WORKLIST" : "VIEW_WORKLIST",
                Purpose = Purpose.Registration,
                Resource = "worklist:arrivals",
                Patients = [.. patients.Values.Select(patient => patient.Ref)],
                Reads = [Patient.NameField, Patient.PersonField],
                Narrowed = true,
            },
            cancel);
        var names = patients.Values.Where(patient => opening.Covers(patient.PatientId)).ToDictionary(
            patient => patient.PatientId,
            patient => (
                patient.Ref,
                Name: opening.Read(patient, Patient.NameField) ?? PersonName.Unnamed,
                Person: opening.Read(patient, Patient.PersonField) ?? new BirthAndSex(null, AdministrativeSex.Unknown)));
        return [.. visits.Where(visit => names.ContainsKey(visit.PatientId)).Select(visit => new Arrival(visit, names[visit.PatientId].Ref, names[visit.PatientId].Name, names[visit.PatientId].Person))];
    }
}
