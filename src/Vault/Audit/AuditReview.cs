using System.Globalization;
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

    /// <summary>The log's public key as one line (docs/formats/checkpoint-note.md). No secret: whoever verifies the log elsewhere needs it.</summary>
    public string PublicKey => log.PublicKey;

    /// <summary>The newest checkpoint as a signed note, to be kept elsewhere. Says nothing of anybody.</summary>
    /// <exception cref="RefusedInput"><c>audit.empty</c>.</exception>
    public (string Note, Checkpoint Checkpoint) Note() => log.Note();

    /// <summary>What a witness is asked that knows the log at a size: the proof that it only grew since, and the newest checkpoint as a note.</summary>
    /// <exception cref="RefusedInput"><c>audit.since</c>, <c>audit.empty</c>.</exception>
    public Task<(string Request, Checkpoint Checkpoint)> AskWitness(long known, CancellationToken cancel) => log.Request(known, cancel);

    /// <summary>One entry with the proof that the log has it, as a file for somebody outside. Recorded first.</summary>
    /// <exception cref="Refused">The actor may not read the log.</exception>
    /// <exception cref="RefusedInput"><c>audit.no-entry</c>.</exception>
    public async Task<(string Proof, Checkpoint Checkpoint)> Prove(Actor actor, long sequence, CancellationToken cancel)
    {
        await Record(actor, "PROVE_AUDIT_ENTRY", string.Create(CultureInfo.InvariantCulture, $"audit:entry:{sequence}"), cancel);
        return await log.Prove(sequence, cancel);
    }

    /// <summary>The whole log as one file for a verifier elsewhere. Recorded first, so the entry about it is in the copy.</summary>
    /// <param name="actor">Who takes it.</param>
    /// <param name="path">A file that is not there yet.</param>
    /// <param name="cancel">Gives up; nothing is left behind.</param>
    /// <returns>Entries in the copy.</returns>
    /// <exception cref="Refused">The actor may not read the log.</exception>
    /// <exception cref="RefusedInput"><c>audit.out-file</c>.</exception>
    public async Task<long> Copy(Actor actor, string path, CancellationToken cancel)
    {
        await Record(actor, "COPY_AUDIT_LOG", "audit", cancel);
        return await log.Copy(path, cancel);
    }

    /// <summary>Verifies the whole log, from its first entry. Reads no protected information.</summary>
    public Task<VerifyReport> Verify(IProgress<long>? progress, CancellationToken cancel) => Verify(progress, [], cancel);

    /// <summary>As the other, and that the log still contains what others kept of it, such as manifests of backups (threat A1).</summary>
    public Task<VerifyReport> Verify(IProgress<long>? progress, IReadOnlyList<KeptRoot> kept, CancellationToken cancel) => log.Verify(progress, kept, cancel);

    private Task Record(Actor actor, string action, string resource, CancellationToken cancel) =>
        door.Record(actor, Rights.AuditLog, new Request { Action = action, Purpose = Purpose.Administration, Resource = resource }, cancel);
}
