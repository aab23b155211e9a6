using Mangrove.Clinic.Records;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Access;
using Mangrove.Vault.Identity;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Clinic.Pharmacy;

/// <summary>The pharmacy's worklist: patients with lines to be given, who has waited longest first.</summary>
public sealed class DispensingQueue(ClinicContext clinic, Door door, TimeProvider clock)
{
    private const int MostLines = 1000;

    /// <param name="Lines">Lines to be given.</param>
    /// <param name="Partly">How many of them are owed from an earlier time.</param>
    /// <param name="Controlled">Whether one is a controlled drug.</param>
    /// <param name="Since">When the first line was signed.</param>
    public sealed record Waiting(PatientRef Patient, PersonName Name, BirthAndSex? Person, Guid VisitId, int Lines, int Partly, bool Controlled, DateTimeOffset Since)
    {
        /// <summary>Nothing: PHI never reaches a log by accident.</summary>
        public override string ToString() => nameof(Waiting);
    }

    public DateTimeOffset Now => clock.GetUtcNow();

    /// <param name="refresh">True when no person asked: the page refreshed itself.</param>
    public async Task<IReadOnlyList<Waiting>> Run(Actor actor, bool refresh, CancellationToken cancel)
    {
        var rows = await clinic.Prescriptions.AsNoTracking()
            .Where(row => (row.Status == PrescriptionStatus.Ordered || row.Status == PrescriptionStatus.PartlyDispensed) && row.VisitId != null)
            .OrderBy(row => row.OrderedAt).ThenBy(row => row.PatientId)
            .Take(MostLines)
            .ToListAsync(cancel);
        var ids = rows.Select(row => row.PatientId).Distinct().ToArray();
        var patients = await clinic.Patients.AsNoTracking().Where(row => ids.Contains(row.PatientId)).ToDictionaryAsync(row => row.PatientId, cancel);
        using var opening = await door.Open(
            actor,
            new Request
            {
                Action = refresh ? "REFRESH_WORKLIST" : "VIEW_WORKLIST",
                Purpose = Purpose.Treatment,
                Resource = "worklist:pharmacy",
                Patients = [.. patients.Values.Select(patient => patient.Ref)],
                Reads = [Patient.NameField, Patient.PersonField, Prescription.LineField],
                Narrowed = true,
            }.AtTheCounter(actor),
            cancel);
        var queue = new List<Waiting>();
        foreach (var group in rows.Where(row => patients.ContainsKey(row.PatientId) && opening.Covers(row.PatientId)).GroupBy(row => (row.PatientId, VisitId: row.VisitId!.Value)))
        {
            var patient = patients[group.Key.PatientId];
            queue.Add(new Waiting(
                patient.Ref,
                opening.Read(patient, Patient.NameField) ?? PersonName.Unnamed,
                opening.Read(patient, Patient.PersonField),
                group.Key.VisitId,
                group.Count(),
                group.Count(row => row.Status == PrescriptionStatus.PartlyDispensed),
                group.Any(row => opening.Read(row, Prescription.LineField) is { } line && Shelf.ProductOf(line) is { Medicine.Controlled: true }),
                group.Min(row => row.OrderedAt)));
        }

        // Lines owed wait for stock; those who stand at the counter come first.
        return [.. queue.OrderBy(one => one.Partly == one.Lines).ThenBy(one => one.Since)];
    }
}
