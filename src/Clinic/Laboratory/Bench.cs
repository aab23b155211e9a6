using Mangrove.Clinic.Records;
using Mangrove.Clinic.Terminology;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Access;
using Mangrove.Vault.Identity;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Clinic.Laboratory;

/// <summary>The laboratory's worklist: open specimens, urgent ones first and then the oldest, and those rejected within a day.</summary>
public sealed class Bench(ClinicContext clinic, Door door, TimeProvider clock)
{
    private const int MostTests = 2000;
    private static readonly TimeSpan RejectedStays = TimeSpan.FromHours(24);

    /// <param name="Number">Specimen number.</param>
    /// <param name="Tests">Short names of the tests that are still to do.</param>
    /// <param name="Since">When it was ordered, or received once it is here.</param>
    /// <param name="RejectReason">Why it was rejected.</param>
    public sealed record Specimen(
        string Number, PatientRef Patient, PersonName Name, BirthAndSex? Person, bool Urgent, SpecimenState State, IReadOnlyList<string> Tests, DateTimeOffset Since, string? RejectReason)
    {
        /// <summary>Nothing: PHI never reaches a log by accident.</summary>
        public override string ToString() => nameof(Specimen);
    }

    public DateTimeOffset Now => clock.GetUtcNow();

    /// <param name="refresh">True when no person asked: the page refreshed itself.</param>
    public async Task<IReadOnlyList<Specimen>> Run(Actor actor, bool refresh, CancellationToken cancel)
    {
        var since = Now - RejectedStays;
        var orders = await clinic.LabOrders.AsNoTracking()
            .Where(row => row.Status == LabOrderStatus.Ordered || row.Status == LabOrderStatus.Received || (row.Status == LabOrderStatus.Rejected && row.ReceivedAt >= since))
            .OrderByDescending(row => row.Urgent).ThenBy(row => row.OrderedAt).ThenBy(row => row.Id)
            .Take(MostTests)
            .ToListAsync(cancel);
        var patientIds = orders.Select(row => row.PatientId).Distinct().ToArray();
        var patients = await clinic.Patients.AsNoTracking().Where(row => patientIds.Contains(row.PatientId)).ToDictionaryAsync(row => row.PatientId, cancel);
        var rejected = orders.Where(row => row.Status == LabOrderStatus.Rejected).Select(row => (Guid?)row.Id).ToArray();
        var reasons = rejected.Length == 0 ? [] : await clinic.Observations.AsNoTracking().Where(row => rejected.Contains(row.OrderId) && row.ReplacedBy == null).ToListAsync(cancel);
        List<FieldUse> reads = [Patient.NameField, Patient.PersonField, LabOrder.LineField];
        if (reasons.Count > 0)
        {
            reads.Add(Observation.LabResults);
        }

        using var opening = await door.Open(
            actor,
            new Request
            {
                Action = refresh ? "REFRESH_WORKLIST" : "VIEW_WORKLIST",
                Purpose = Purpose.Treatment,
                Resource = "worklist:laboratory",
                Patients = [.. patients.Values.Select(patient => patient.Ref)],
                Reads = reads,
                Narrowed = true,
            }.ForTheBench(actor),
            cancel);
        var specimens = new List<Specimen>();
        foreach (var group in orders.Where(row => patients.ContainsKey(row.PatientId) && opening.Covers(row.PatientId)).GroupBy(row => (row.PatientId, row.SpecimenNumber)))
        {
            var rows = group.ToList();
            var open = rows.Where(row => row.IsOpen).ToList();
            var shown = open.Count > 0 ? open : rows;
            var state = SpecimenStates.Of([.. rows.Select(row => row.Status)]);
            var patient = patients[group.Key.PatientId];
            var why = state == SpecimenState.Rejected ? reasons.FirstOrDefault(reason => reason.OrderId == rows[0].Id) : null;
            specimens.Add(new Specimen(
                group.Key.SpecimenNumber,
                patient.Ref,
                opening.Read(patient, Patient.NameField) ?? PersonName.Unnamed,
                opening.Read(patient, Patient.PersonField),
                shown.Any(row => row.Urgent),
                state,
                [.. shown.Select(row => opening.Read(row, LabOrder.LineField)).OfType<LabOrderLine>().Select(ShortName)],
                shown.Min(row => row.ReceivedAt ?? row.OrderedAt),
                why is null ? null : opening.Read(why, Observation.ValueField)?.Note));
        }

        return [.. specimens.OrderByDescending(one => one.Urgent).ThenBy(one => one.State == SpecimenState.Rejected).ThenBy(one => one.Since).ThenBy(one => one.Number, StringComparer.Ordinal)];
    }

    internal static string ShortName(LabOrderLine line) => LaboratoryCatalogue.Load().Find(line.TestCode)?.ShortName ?? line.Name;
}
