using Mangrove.Kernel;
using Mangrove.Vault.Access;
using Mangrove.Vault.Identity;

namespace Mangrove.Vault.Audit;

/// <summary>The log for those who may read it. Each look at the log is itself an entry.</summary>
public sealed class AuditReview
{
    private readonly AuditLog log;
    private readonly Door door;

    internal AuditReview(AuditLog log, Door door)
    {
        this.log = log;
        this.door = door;
    }

    /// <summary>The newest signed checkpoint, and the last one that was anchored elsewhere.</summary>
    public Checkpoint? Newest => log.Newest;

    public Checkpoint? Anchored => log.Anchored;

    /// <summary>Why the door is shut, or null while the log can be written.</summary>
    public Error? Failure => log.Failure;

    /// <summary>Entries that the filter asks for. With a patient, acts over every patient are in the answer too.</summary>
    /// <exception cref="Refused">The actor may not read the log; the refusal is an entry too.</exception>
    public async Task<IReadOnlyList<AuditEntry>> List(Actor actor, AuditFilter filter, string? patientMrn, CancellationToken cancel)
    {
        await door.Record(
            actor,
            Rights.AuditLog,
            new Request
            {
                Action = "VIEW_AUDIT_LOG",
                Purpose = Purpose.Administration,
                Resource = patientMrn is null ? "audit" : $"audit:patient:{patientMrn}",
                Reason = filter.Actor is null ? null : $"actor {filter.Actor}",
            },
            cancel);
        var entries = new List<AuditEntry>();
        await foreach (var entry in log.List(filter, cancel))
        {
            entries.Add(entry);
        }

        return entries;
    }

    /// <summary>Verifies the whole log, from its first entry. Reads no protected information.</summary>
    public Task<VerifyReport> Verify(IProgress<long>? progress, CancellationToken cancel) => Verify(progress, [], cancel);

    /// <summary>As the other, and that the log still contains what others kept of it, such as manifests of backups (threat A1).</summary>
    public Task<VerifyReport> Verify(IProgress<long>? progress, IReadOnlyList<KeptRoot> kept, CancellationToken cancel) => log.Verify(progress, kept, cancel);
}
