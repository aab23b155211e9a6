using Mangrove.Vault.Audit;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Clinic;

/// <summary>Keeps the audit log's checkpoints among the clinic's records, outside the log's own file (threat A1).</summary>
public sealed class LogAnchors(IDbContextFactory<ClinicContext> clinics) : IAnchorSink
{
    // Old anchors prove nothing that newer ones do not; some stay so that damage to the newest row is not the end.
    private const int Kept = 1_000;

    public async Task Anchor(Checkpoint checkpoint, CancellationToken cancellation)
    {
        await using var clinic = await clinics.CreateDbContextAsync(cancellation);
        await clinic.KeepAnchor(checkpoint, cancellation);
        var oldest = await clinic.Anchors.OrderByDescending(anchor => anchor.Size).Skip(Kept).Select(anchor => anchor.Size).FirstOrDefaultAsync(cancellation);
        if (oldest > 0)
        {
            await clinic.Anchors.Where(anchor => anchor.Size <= oldest).ExecuteDeleteAsync(cancellation);
        }
    }

    public async Task<Checkpoint?> Newest(CancellationToken cancellation)
    {
        await using var clinic = await clinics.CreateDbContextAsync(cancellation);
        var bytes = await clinic.Anchors.OrderByDescending(anchor => anchor.Size).Select(anchor => anchor.Checkpoint).FirstOrDefaultAsync(cancellation);
        return bytes is null
            ? null
            : Checkpoint.TryParse(bytes, out var checkpoint)
                ? checkpoint
                : throw new Kernel.RefusedInput("audit.anchor-damaged", "The newest checkpoint of the audit log in clinic.db is damaged. Restore clinic.db from a backup.");
    }
}
