using Mangrove.Clinic.Records;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Access;
using Mangrove.Vault.Identity;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Clinic.Laboratory;

/// <summary>What the laboratory released in the last week: critical results that no doctor has acknowledged first, then the newest.</summary>
public sealed class ReleasedSpecimens(ClinicContext clinic, Door door, TimeProvider clock)
{
    private const int MostTests = 1000;
    private static readonly TimeSpan Stays = TimeSpan.FromDays(7);

    /// <param name="Acknowledged">Whether the orderer has signed every test of the specimen.</param>
    /// <param name="Values">What stands now; corrected values are left out.</param>
    public sealed record Specimen(string Number, PatientRef Patient, PersonName Name, BirthAndSex? Person, DateTimeOffset ReleasedAt, bool Acknowledged, IReadOnlyList<ObservedValue> Values)
    {
        public bool Critical => Values.Any(value => value.Flag is "CriticalLow" or "CriticalHigh");

        public bool Corrected => Values.Any(value => value.Status == CorrectResult.Status);

        /// <summary>Nothing: PHI never reaches a log by accident.</summary>
        public override string ToString() => nameof(Specimen);
    }

    public DateTimeOffset Now => clock.GetUtcNow();

    public async Task<IReadOnlyList<Specimen>> Run(Actor actor, bool refresh, CancellationToken cancel)
    {
        var since = Now - Stays;
        var orders = await clinic.LabOrders.AsNoTracking()
            .Where(row => row.Status == LabOrderStatus.Released && row.ReleasedAt >= since)
            .OrderByDescending(row => row.ReleasedAt).ThenByDescending(row => row.SpecimenNumber)
            .Take(MostTests)
            .ToListAsync(cancel);
        var patientIds = orders.Select(row => row.PatientId).Distinct().ToArray();
        var orderIds = orders.Select(row => (Guid?)row.Id).ToArray();
        var patients = await clinic.Patients.AsNoTracking().Where(row => patientIds.Contains(row.PatientId)).ToDictionaryAsync(row => row.PatientId, cancel);
        var results = (await clinic.Observations.AsNoTracking()
            .Where(row => orderIds.Contains(row.OrderId) && row.Kind == ObservationKind.Laboratory && row.ReplacedBy == null)
            .ToListAsync(cancel)).ToLookup(row => row.OrderId);
        using var opening = await door.Open(
            actor,
            new Request
            {
                Action = refresh ? "REFRESH_WORKLIST" : "VIEW_WORKLIST",
                Purpose = Purpose.Treatment,
                Resource = "worklist:laboratory-released",
                Patients = [.. patients.Values.Select(patient => patient.Ref)],
                Reads = [Patient.NameField, Patient.PersonField, Observation.LabResults],
                Narrowed = true,
            }.ForTheBench(actor),
            cancel);
        var specimens = new List<Specimen>();
        foreach (var group in orders.Where(row => patients.ContainsKey(row.PatientId) && opening.Covers(row.PatientId)).GroupBy(row => (row.PatientId, row.SpecimenNumber)))
        {
            var patient = patients[group.Key.PatientId];
            specimens.Add(new Specimen(
                group.Key.SpecimenNumber,
                patient.Ref,
                opening.Read(patient, Patient.NameField) ?? PersonName.Unnamed,
                opening.Read(patient, Patient.PersonField),
                group.Max(row => row.ReleasedAt ?? row.OrderedAt),
                group.All(row => row.AcknowledgedAt is not null),
                [.. group.SelectMany(row => results[row.Id]).Select(row => opening.Read(row, Observation.ValueField)).OfType<ObservedValue>()]));
        }

        return [.. specimens.OrderByDescending(one => one.Critical && !one.Acknowledged).ThenByDescending(one => one.ReleasedAt)];
    }
}
