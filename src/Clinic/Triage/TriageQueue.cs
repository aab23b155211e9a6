using Mangrove.Clinic.Records;
using Mangrove.Clinic.Terminology;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Access;
using Mangrove.Vault.Identity;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Clinic.Triage;

/// <summary>The triage worklist: who is not triaged yet, then who waits for a doctor, by urgency, then time.</summary>
public sealed class TriageQueue(ClinicContext clinic, Door door, TimeProvider clock)
{
    /// <summary>Everybody is triaged within this many minutes of coming.</summary>
    public const int TargetMinutes = 15;

    public sealed record Row(
        Visit Visit,
        PatientRef Patient,
        PersonName Name,
        BirthAndSex? Person,
        TriageOutcome? Triage,
        IReadOnlyList<decimal> Scores,
        DateTimeOffset? RecheckDue,
        int Minutes)
    {
        /// <summary>Minutes within which the next step should happen.</summary>
        public int Target => Triage is { } triaged ? TriageCategory.Of(triaged.Category).TargetMinutes : TargetMinutes;

        /// <summary>Nothing: PHI never reaches a log by accident.</summary>
        public override string ToString() => nameof(Row);
    }

    /// <param name="actor">Who looks.</param>
    /// <param name="refresh">True when the page refreshed itself.</param>
    /// <param name="cancel">Gives up.</param>
    public async Task<IReadOnlyList<Row>> Run(Actor actor, bool refresh, CancellationToken cancel)
    {
        var visits = await clinic.Visits.AsNoTracking()
            .Where(visit => visit.Kind != VisitKind.Imported && (visit.Status == VisitStatus.Arrived || visit.Status == VisitStatus.Triaged))
            .OrderBy(visit => visit.ArrivedAt).ThenBy(visit => visit.Token)
            .ToListAsync(cancel);
        var ids = visits.Select(visit => visit.PatientId).Distinct().ToArray();
        var patients = await clinic.Patients.AsNoTracking().Where(patient => ids.Contains(patient.PatientId)).ToDictionaryAsync(patient => patient.PatientId, cancel);
        var visitIds = visits.Select(visit => visit.Id).ToArray();
        var triages = (await clinic.Triages.AsNoTracking().Where(triage => visitIds.Contains(triage.VisitId)).OrderBy(triage => triage.At).ToListAsync(cancel)).ToLookup(triage => triage.VisitId);
        using var opening = await door.Open(
            actor,
            new Request
            {
                Action = refresh ? "REFRESH_WORKLIST" : "VIEW_WORKLIST",
                Purpose = Purpose.Treatment,
                Resource = "worklist:triage",
                Patients = [.. patients.Values.Select(patient => patient.Ref)],
                Reads = [Records.Patient.NameField, Records.Patient.PersonField, TriageAssessment.OutcomeField],
                // Narrowed to the patients in care; a role that does not read triage has no use for the rest of the line.
                Narrowed = actor.Reads(Category.Triage),
            },
            cancel);
        var now = clock.GetUtcNow();
        var rows = new List<Row>();
        foreach (var visit in visits.Where(visit => opening.Covers(visit.PatientId) && patients.ContainsKey(visit.PatientId)))
        {
            var patient = patients[visit.PatientId];
            var name = opening.Read(patient, Records.Patient.NameField) ?? PersonName.Unnamed;
            var person = opening.Read(patient, Records.Patient.PersonField);
            var assessments = triages[visit.Id].ToArray();
            var outcomes = assessments.Select(row => opening.Read(row, TriageAssessment.OutcomeField)).OfType<TriageOutcome>().ToArray();
            rows.Add(new Row(
                visit,
                patient.Ref,
                name,
                person,
                outcomes.LastOrDefault(),
                [.. outcomes.Where(outcome => outcome.News2 is not null).Select(outcome => (decimal)outcome.News2!.Value)],
                assessments.LastOrDefault()?.RecheckDue,
                (int)(now - visit.ArrivedAt).TotalMinutes));
        }

        return [.. rows.OrderBy(row => row.Triage?.Category ?? 0).ThenBy(row => row.Visit.ArrivedAt)];
    }
}
