using Mangrove.Clinic.Records;
using Mangrove.Kernel;
using Mangrove.Vault.Access;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Clinic;

/// <summary>
/// Care relationships from the clinic's unsealed dates: an open visit, an open order, or a visit within the window.
/// Imported encounters give none: somebody else's care is no reason to look.
/// </summary>
public sealed class CareRelationships(IDbContextFactory<ClinicContext> clinics) : ICareRelationships
{
    // Most acts are about one patient, and their care is asked at each of them. Open visits first, then the one that was
    // closed last: whoever has been here a thousand times is found by these as well.
    private static readonly RowQuery<PatientId, Visit> VisitsHere = new((clinic, patient) =>
        clinic.Visits.Where(visit => visit.PatientId == patient && visit.Kind != VisitKind.Imported)
            .OrderBy(visit => visit.ClosedAt != null).ThenByDescending(visit => visit.ClosedAt).Take(20));

    public async Task<IReadOnlySet<PatientId>> InCare(IReadOnlyCollection<PatientId> patients, TimeSpan window, DateTimeOffset now, CancellationToken cancel)
    {
        await using var clinic = await clinics.CreateDbContextAsync(cancel);
        var since = now - window;
        var found = new HashSet<PatientId>();
        if (patients.Count == 1 && patients.First() is var one
            && (await VisitsHere.On(clinic, one, cancel)).Exists(visit => visit.ArrivedAt <= now && (visit.ClosedAt is null || visit.ClosedAt >= since)))
        {
            found.Add(one);
            return found;
        }

        foreach (var some in patients.Chunk(500))
        {
            // The ids go as one value: as many values as patients, the statement would be another one for each number of them.
            found.UnionWith(await clinic.Visits
                .Where(visit => EF.Parameter(some).Contains(visit.PatientId) && visit.Kind != VisitKind.Imported && visit.ArrivedAt <= now && (visit.ClosedAt == null || visit.ClosedAt >= since))
                .Select(visit => visit.PatientId)
                .Distinct()
                .ToListAsync(cancel));
            if (found.Count < patients.Count)
            {
                found.UnionWith(await clinic.LabOrders
                    .Where(order => some.Contains(order.PatientId) && (order.Status == LabOrderStatus.Ordered || order.Status == LabOrderStatus.Received))
                    .Select(order => order.PatientId)
                    .ToListAsync(cancel));
                found.UnionWith(await clinic.Prescriptions
                    .Where(line => some.Contains(line.PatientId) && (line.Status == PrescriptionStatus.Ordered || line.Status == PrescriptionStatus.PartlyDispensed))
                    .Select(line => line.PatientId)
                    .ToListAsync(cancel));
            }
        }

        return found;
    }
}
