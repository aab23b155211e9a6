using Mangrove.Clinic.Records;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Clinic.Queue;

/// <summary>The waiting room's board: tokens and how far they have come. No name, no number, nothing to open.</summary>
public sealed class ShowBoard(ClinicContext clinic, TimeProvider clock)
{
    /// <param name="Token">Ticket of the day.</param>
    /// <param name="Kind">Emergencies are shown apart.</param>
    /// <param name="Status">Where the visit is.</param>
    /// <param name="Since">Since when it has been there.</param>
    public sealed record Line(int Token, VisitKind Kind, VisitStatus Status, DateTimeOffset Since);

    public async Task<IReadOnlyList<Line>> Run(CancellationToken cancel)
    {
        var today = clock.StartOfLocalDay();
        var visits = await clinic.Visits.AsNoTracking()
            .Where(visit => visit.Kind != VisitKind.Imported && visit.Status != VisitStatus.Closed && visit.ArrivedAt >= today)
            .OrderBy(visit => visit.ArrivedAt).ThenBy(visit => visit.Token)
            .ToListAsync(cancel);
        return [.. visits.Select(visit => new Line(visit.Token, visit.Kind, visit.Status, visit.Status switch
        {
            VisitStatus.Triaged => visit.TriagedAt,
            VisitStatus.InConsultation => visit.ConsultationAt,
            VisitStatus.Consulted => visit.ConsultedAt,
            _ => null,
        } ?? visit.ArrivedAt))];
    }
}
