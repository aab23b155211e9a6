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

    /// <summary>How a file of entries as CSV begins.</summary>
    public static ReadOnlySpan<byte> CsvBegins => "seq,timestamp,actor,"u8;

    /// <summary>How a file of entries as FHIR begins.</summary>
    public static ReadOnlySpan<byte> FhirBegins => "{\"resourceType\":\"AuditEvent\","u8;

    /// <summary>How the manifest of an archive for an auditor begins.</summary>
    public static ReadOnlySpan<byte> EvidenceBegins => "{\n  \"format\": \"mangrove-evidence-"u8;

    /// <summary>What an auditor asks about: acts on keys, policy, accounts, backups and the program itself. None of them is about a record.</summary>
    private static readonly string[] Evident =
    [
        "ROTATE_KEY", "RETIRE_KEY", "CHANGE_KEY_ROTATION", "CHANGE_PROTECTOR", "MAKE_SHARES", "READ_BACK_SHARES", "CHANGE_POLICY", "CHANGE_ROLE", "CREATE_STAFF", "SUSPEND_STAFF",
        "RESTORE_STAFF", "REVOKE_STAFF", "RESET_PASSWORD", "RESET_SECOND_FACTOR", "CHANGE_DEPARTMENT", "SET_BACKUP_TARGET", "REMOVE_BACKUP_TARGET", "BACKUP_CREATED", "BACKUP_FAILED", "RESTORE_PROVEN",
        "RESTORE_DRILL_FAILED", "RESTORE_BACKUP", "ALLOW_OLDER_BACKUP", "UPGRADE", "UPGRADE_FAILED", "APPROVE_INTEGRATION", "REVOKE_INTEGRATION", "FILE_AGREEMENT", "ALARM_BEGAN", "ALARM_ENDED",
        "JUDGE_ACCESS", "GUARD_RECORD", "END_GUARD", "EXPORT_EVIDENCE",
    ];

    internal const string Exporting = "EXPORT_FHIR";

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

    /// <summary>Entries that the filter asks for. An act over every patient (import, export) names none, and is not in the answer for one.</summary>
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
        return await Read(filter, cancel);
    }

    /// <summary>Entries that leave the hospital as a file. Recorded as that, and not as a look.</summary>
    /// <exception cref="Refused">The actor may not read the log; the refusal is an entry too.</exception>
    public async Task<IReadOnlyList<AuditEntry>> Export(Actor actor, AuditFilter filter, string? patientMrn, CancellationToken cancel)
    {
        await Record(actor, "EXPORT_AUDIT_LOG", patientMrn is null ? "audit" : $"audit:patient:{patientMrn}", cancel);
        return await Read(filter, cancel);
    }

    /// <summary>
    /// Who was given what of one patient's record, for the patient: 45 CFR 164.528 asks for six years. Oldest first. Recorded.
    /// </summary>
    /// <exception cref="Refused">The actor may not read the log; the refusal is an entry too.</exception>
    public async Task<IReadOnlyList<AuditEntry>> Disclosures(Actor actor, PatientRef patient, DateTimeOffset since, int most, CancellationToken cancel)
    {
        await Record(actor, "ACCOUNT_DISCLOSURES", $"audit:patient:{patient.Mrn}", cancel);
        var own = await Read(new AuditFilter { Patient = patient.Id.Value, Since = since, Most = most }, cancel);

        // An export of everybody names nobody, and took this record with it.
        var all = await Read(new AuditFilter { Action = Exporting, Outcome = AuditOutcome.Allowed, Since = since, Most = most }, cancel);
        return [.. own.Concat(all.Where(entry => entry.Resource == Request.EveryoneResource)).DistinctBy(entry => entry.Seq).OrderByDescending(entry => entry.Seq).Take(most).Reverse()];
    }

    /// <summary>The acts that an auditor asks about, oldest first. That somebody takes them is one entry, which is among them.</summary>
    /// <exception cref="Refused">The actor may not read the log; the refusal is an entry too.</exception>
    public async Task<IReadOnlyList<AuditEntry>> Evidence(Actor actor, CancellationToken cancel)
    {
        await Record(actor, "EXPORT_EVIDENCE", "audit", cancel);
        var acts = new List<AuditEntry>();
        foreach (var action in Evident)
        {
            acts.AddRange(await Read(new AuditFilter { Action = action }, cancel));
        }

        return [.. acts.OrderBy(entry => entry.Seq)];
    }

    /// <summary>The newest checkpoint as a signed note, for paper. Recorded first, so the entry is under the root that is printed.</summary>
    /// <exception cref="Refused">The actor may not read the log.</exception>
    public async Task<(string Note, Checkpoint Checkpoint)> PrintRoot(Actor actor, CancellationToken cancel)
    {
        await Record(actor, "PRINT_LOG_ROOT", "audit", cancel);
        return log.Note();
    }

    /// <summary>Signs a file of entries with the log's key: ECDSA P-256 with SHA-256 over the file, DER, as openssl verifies it.</summary>
    /// <param name="file">Begins as one of the two files does, so that its signature means nothing for a checkpoint or a note.</param>
    /// <exception cref="ArgumentException">It begins otherwise.</exception>
    public byte[] SignExport(ReadOnlySpan<byte> file) => log.SignExport(file);

    /// <summary>The public key for whoever verifies such a signature, as PEM.</summary>
    public string PublicKeyPem => log.PublicKeyPem;

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

    private async Task<IReadOnlyList<AuditEntry>> Read(AuditFilter filter, CancellationToken cancel)
    {
        var entries = new List<AuditEntry>();
        await foreach (var entry in log.List(filter, cancel))
        {
            entries.Add(entry);
        }

        return entries;
    }

    private Task Record(Actor actor, string action, string resource, CancellationToken cancel) =>
        door.Record(actor, Rights.AuditLog, new Request { Action = action, Purpose = Purpose.Administration, Resource = resource }, cancel);
}
