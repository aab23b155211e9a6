using Mangrove.Clinic.Records;
using Mangrove.Clinic.Terminology;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Access;
using Mangrove.Vault.Identity;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Clinic.Consultation;

/// <summary>
/// The doctor's worklist: own open consultations first, then who was triaged by urgency and time waited, then who was
/// not triaged yet. One look is one entry, whatever the number of patients.
/// </summary>
public sealed class DoctorQueue(ClinicContext clinic, Door door, TimeProvider clock)
{
    private const int Most = 200;

    private static readonly VisitStatus[] Here = [VisitStatus.Arrived, VisitStatus.Triaged, VisitStatus.InConsultation];

    private static readonly FieldUse[] Fields = [Patient.NameField, Patient.PersonField, TriageAssessment.OutcomeField, LabOrder.LineField];

    private static readonly RowQuery<StaffId, Visit> Visits = new((clinic, me) => Listed(clinic, me));

    private static readonly RowQuery<StaffId, Patient> Patients = new((clinic, me) =>
        Listed(clinic, me).Join(clinic.Patients, visit => visit.PatientId, patient => patient.PatientId, (visit, patient) => patient));

    private static readonly RowQuery<StaffId, TriageAssessment> Triages = new((clinic, me) =>
        OnList(clinic, me).Join(clinic.Triages, visit => visit.Id, triage => triage.VisitId, (visit, triage) => triage).OrderBy(triage => triage.At));

    private static readonly RowQuery<StaffId, LabOrder> Orders = new((clinic, me) =>
        OnList(clinic, me).Join(clinic.LabOrders, visit => visit.Id, order => order.VisitId, (visit, order) => order).OrderBy(order => order.OrderedAt));

    public enum Group
    {
        Mine = 1,
        Triaged = 2,
        NotTriaged = 3,
    }

    /// <param name="Waiting">Tests ordered in this consultation without a result.</param>
    /// <param name="Back">How many results are back and not signed.</param>
    public sealed record Row(
        Group Group,
        Visit Visit,
        PatientRef Patient,
        PersonName Name,
        BirthAndSex? Person,
        TriageOutcome? Triage,
        IReadOnlyList<int> Scores,
        TimeSpan Waited,
        IReadOnlyList<string> Waiting,
        int Back)
    {
        /// <summary>Minutes within which the triage category wants a doctor; null before triage.</summary>
        public int? Target => Triage is { Category: >= 1 and <= 5 } triage ? TriageCategory.Of(triage.Category).TargetMinutes : null;

        /// <summary>Nothing: PHI never reaches a log by accident.</summary>
        public override string ToString() => nameof(Row);
    }

    /// <param name="refresh">True when the page asks again by itself.</param>
    public async Task<IReadOnlyList<Row>> Run(Actor actor, bool refresh, CancellationToken cancel)
    {
        var me = actor.Staff;
        var visits = await Visits.On(clinic, me, cancel);
        var patients = (await Patients.On(clinic, me, cancel)).DistinctBy(patient => patient.Id).ToDictionary(patient => patient.PatientId);
        var triages = (await Triages.On(clinic, me, cancel)).ToLookup(row => row.VisitId);
        var orders = (await Orders.On(clinic, me, cancel)).ToLookup(row => row.VisitId);
        using var opening = await door.Open(
            actor,
            new Request
            {
                Action = refresh ? "REFRESH_WORKLIST" : "VIEW_WORKLIST",
                Purpose = Purpose.Treatment,
                Resource = "worklist:doctor",
                Patients = [.. patients.Values.Select(patient => patient.Ref)],
                Reads = Fields,
                // A patient who left meanwhile drops out; a role that may not see the list is refused as a whole.
                Narrowed = Fields.All(field => actor.Reads(field.Category)),
            },
            cancel);
        var now = clock.GetUtcNow();
        var rows = new List<Row>();
        foreach (var visit in visits)
        {
            if (!opening.Covers(visit.PatientId) || !patients.TryGetValue(visit.PatientId, out var patient))
            {
                continue;
            }

            var outcomes = triages[visit.Id].Select(row => opening.Read(row, TriageAssessment.OutcomeField)).OfType<TriageOutcome>().ToList();
            var group = visit.Status switch { VisitStatus.InConsultation => Group.Mine, VisitStatus.Triaged => Group.Triaged, _ => Group.NotTriaged };
            rows.Add(new Row(
                group,
                visit,
                patient.Ref,
                opening.Read(patient, Patient.NameField) ?? PersonName.Unnamed,
                opening.Read(patient, Patient.PersonField),
                outcomes.LastOrDefault(),
                [.. outcomes.Where(outcome => outcome.News2 is not null).Select(outcome => outcome.News2!.Value)],
                (group == Group.Mine ? visit.ConsultationAt ?? now : now) - visit.ArrivedAt,
                group == Group.Mine ? [.. orders[visit.Id].Where(order => order.IsOpen).Select(order => opening.Read(order, LabOrder.LineField)?.Name).OfType<string>()] : [],
                orders[visit.Id].Count(order => order.Status == LabOrderStatus.Released && order.AcknowledgedAt is null)));
        }

        return [.. rows.OrderBy(row => row.Group).ThenByDescending(row => row.Back > 0).ThenBy(row => row.Triage?.Category ?? 9).ThenBy(row => row.Visit.ArrivedAt)];
    }

    private static IQueryable<Visit> OnList(ClinicContext clinic, StaffId me) => clinic.Visits
        .Where(row => row.Kind != VisitKind.Imported && EF.Constant(Here).Contains(row.Status) && (row.Status != VisitStatus.InConsultation || row.Doctor == me));

    private static IQueryable<Visit> Listed(ClinicContext clinic, StaffId me) =>
        OnList(clinic, me).OrderByDescending(row => row.Status).ThenBy(row => row.ArrivedAt).ThenBy(row => row.Token).Take(Most);
}
