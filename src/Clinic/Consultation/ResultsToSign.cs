using Mangrove.Clinic.Records;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Access;
using Mangrove.Vault.Identity;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Clinic.Consultation;

/// <summary>Released results of the doctor's own orders that nobody has acknowledged yet: critical ones first.</summary>
public sealed class ResultsToSign(ClinicContext clinic, Door door, TimeProvider clock)
{
    private const int Most = 300;

    private static readonly FieldUse[] Fields = [Patient.NameField, Patient.PersonField, LabOrder.LineField, Observation.LabResults];

    public sealed record Result(Guid OrderId, string Test, DateTimeOffset ReleasedAt, IReadOnlyList<ObservedValue> Values)
    {
        public bool Critical => Values.Any(value => value.Flag is "CriticalLow" or "CriticalHigh");

        public bool Outside => Values.Any(value => value.Flag is "CriticalLow" or "CriticalHigh" or "Low" or "High" or "Abnormal");

        /// <summary>Nothing: PHI never reaches a log by accident.</summary>
        public override string ToString() => nameof(Result);
    }

    public sealed record OfPatient(PatientRef Patient, PersonName Name, BirthAndSex? Person, Guid VisitId, bool VisitOpen, IReadOnlyList<Result> Results)
    {
        public bool Critical => Results.Any(result => result.Critical);

        /// <summary>How long the oldest result has waited.</summary>
        public DateTimeOffset Oldest => Results.Min(result => result.ReleasedAt);

        /// <summary>Nothing: PHI never reaches a log by accident.</summary>
        public override string ToString() => nameof(OfPatient);
    }

    public DateTimeOffset Now => clock.GetUtcNow();

    public async Task<IReadOnlyList<OfPatient>> Run(Actor actor, bool criticalOnly, bool refresh, CancellationToken cancel)
    {
        var me = actor.Staff;
        var orders = await clinic.LabOrders.AsNoTracking()
            .Where(row => row.Status == LabOrderStatus.Released && row.AcknowledgedAt == null && row.By == me)
            .OrderBy(row => row.ReleasedAt).ThenBy(row => row.SpecimenNumber)
            .Take(Most)
            .ToListAsync(cancel);
        var patientIds = orders.Select(row => row.PatientId.Value).Distinct().ToArray();
        var orderIds = orders.Select(row => (Guid?)row.Id).ToArray();
        var visitIds = orders.Select(row => row.VisitId).Distinct().ToArray();
        var patients = await clinic.Patients.AsNoTracking().Where(row => patientIds.Contains(row.Id)).ToDictionaryAsync(row => row.PatientId, cancel);
        var open = (await clinic.Visits.AsNoTracking().Where(row => visitIds.Contains(row.Id) && row.Status == VisitStatus.InConsultation && row.Doctor == me).Select(row => row.Id).ToListAsync(cancel)).ToHashSet();
        var values = (await clinic.Observations.AsNoTracking()
            .Where(row => orderIds.Contains(row.OrderId) && row.ReplacedBy == null && row.Kind == ObservationKind.Laboratory)
            .ToListAsync(cancel)).ToLookup(row => row.OrderId);
        using var opening = await door.Open(
            actor,
            new Request
            {
                Action = refresh ? "REFRESH_WORKLIST" : "VIEW_WORKLIST",
                Purpose = Purpose.Treatment,
                Resource = criticalOnly ? "worklist:critical-results" : "worklist:results",
                Patients = [.. patients.Values.Select(patient => patient.Ref)],
                Reads = Fields,
                // The list is for those who order: the laboratory's own people read results too, and are refused here.
                Writes = actor.Writes(Category.LabOrders) ? [] : [LabOrder.LineField],
                Narrowed = actor.Writes(Category.LabOrders),
            },
            cancel);
        var list = new List<OfPatient>();
        foreach (var group in orders.GroupBy(order => (order.PatientId, order.VisitId)))
        {
            if (!opening.Covers(group.Key.PatientId) || !patients.TryGetValue(group.Key.PatientId, out var patient))
            {
                continue;
            }

            var results = group.Select(order => new Result(
                order.Id,
                opening.Read(order, LabOrder.LineField)?.Name ?? "",
                order.ReleasedAt ?? order.OrderedAt,
                [.. values[order.Id].Select(row => opening.Read(row, Observation.ValueField)).OfType<ObservedValue>()])).ToList();
            list.Add(new OfPatient(
                patient.Ref,
                opening.Read(patient, Patient.NameField) ?? PersonName.Unnamed,
                opening.Read(patient, Patient.PersonField),
                group.Key.VisitId,
                open.Contains(group.Key.VisitId),
                [.. results.OrderByDescending(result => result.Critical).ThenByDescending(result => result.Outside).ThenBy(result => result.ReleasedAt)]));
        }

        return [.. list.Where(one => !criticalOnly || one.Critical).OrderByDescending(one => one.Critical).ThenBy(one => one.Oldest)];
    }
}
