using Mangrove.Kernel;
using Mangrove.Sealing;
using Mangrove.Vault.Access;
using Mangrove.Vault.Identity;

namespace Mangrove.Vault.Audit;

/// <summary>Proof that an entry is durable. Made by the log only, after the fsync; the cipher asks for it.</summary>
internal sealed class Receipt
{
    /// <summary>How the log names a value that did not open.</summary>
    public const string SealBrokenAction = "SEAL_BROKEN";

    private readonly ActsUnderWay.Act? act;

    private Receipt(Grant grant, long seq, ActsUnderWay.Act? act)
    {
        Grant = grant;
        Seq = seq;
        this.act = act;
    }

    public Grant Grant { get; }

    /// <summary>The entry's number in the log.</summary>
    public long Seq { get; }

    /// <summary>The act has ended, with its record or without.</summary>
    public void End() => act?.Dispose();

    /// <summary>The only maker of receipts: turns grants into durable entries.</summary>
    internal sealed class Log(AuditLog log, Standings standings)
    {
        /// <summary>Acts whose record may still follow.</summary>
        public ActsUnderWay Acts { get; } = new(() => log.Newest?.Size ?? 0);

        public async Task<Receipt> Append(Grant grant, CancellationToken cancel)
        {
            var draft = Draft(grant.Actor, grant.Request, grant.Patients, Names(grant.Reads, grant.Writes), grant.Glass is null ? AuditOutcome.Allowed : AuditOutcome.BreakGlass, grant.Glass is { } glass ? GlassReason(glass, grant.Request.Reason) : grant.Request.Reason);
            if (!grant.Records)
            {
                return new Receipt(grant, (await log.Append(draft, cancel)).Seq, null);
            }

            var act = Acts.Begin();
            try
            {
                return new Receipt(grant, (await log.Append(draft with { Records = true }, cancel)).Seq, act);
            }
            catch
            {
                // Whether the entry became durable or not: no record follows, and the comparison says so.
                act.Dispose();
                throw;
            }
        }

        /// <summary>An act that opens nothing: a search over the index, a sign-in, a change of an account.</summary>
        public async Task Note(Actor actor, Request request, CancellationToken cancel) =>
            await log.Append(Draft(actor, request, request.Patients, [.. Names(request.Reads, request.Writes), .. request.NamedFields], AuditOutcome.Allowed, request.Reason), cancel);

        /// <summary>As <see cref="Note"/>, for whoever has to name the entry.</summary>
        public async Task<long> Numbered(Actor actor, Request request, CancellationToken cancel) =>
            (await log.Append(Draft(actor, request, request.Patients, [], AuditOutcome.Allowed, request.Reason), cancel)).Seq;

        /// <summary>That a record was opened in an emergency: flagged as what is done by it.</summary>
        public async Task ByGlass(Actor actor, Request request, Guid glass, CancellationToken cancel) =>
            await log.Append(Draft(actor, request, request.Patients, [], AuditOutcome.BreakGlass, GlassReason(glass, request.Reason)), cancel);

        public async Task Refuse(Actor actor, Request request, Error refusal, CancellationToken cancel) =>
            await log.Append(Draft(actor, request, request.Patients, Names(request.Reads, request.Writes), AuditOutcome.Refused, refusal.Code), cancel);

        /// <summary>
        /// A value that did not open, under an act that was granted: somebody may have changed the database. The entry is
        /// on its way to the disk when this returns; a log that cannot take it shuts the door by itself.
        /// </summary>
        public Task Broken(Grant grant, PatientId patient, Field field)
        {
            var named = grant.Patients.FirstOrDefault(one => one.Id == patient);
            var request = grant.Request with { Action = SealBrokenAction, Resource = named.Mrn is { Length: > 0 } mrn ? $"patient:{mrn}" : $"{field.Table}.{field.Column}", Everyone = false };
            return log.Append(Draft(grant.Actor, request, [new PatientRef(patient, named.Mrn ?? string.Empty)], [field.Name], AuditOutcome.Refused, SealBroken.StableCode)).AsTask();
        }

        // Whoever looks for everything that was done by one emergency access finds it by this.
        private static string GlassReason(Guid glass, string? reason) => $"glass:{glass.ToString("N")[..8]}{(string.IsNullOrEmpty(reason) ? null : $" {reason}")}";

        private AuditDraft Draft(
            Actor actor,
            Request request,
            IReadOnlyList<PatientRef> patients,
            string[] fields,
            AuditOutcome outcome,
            string? reason) => new()
            {
                Actor = actor.User,
                StaffId = actor.Role is null ? string.Empty : actor.Staff.ToString(),
                Action = request.Action,
                Resource = request.ResourceText,
                Patients = [.. patients.Select(patient => patient.Id.Value)],
                FieldsAccessed = fields,
                Device = actor.Device,
                Department = standings.DepartmentOf(actor.Device),
                SessionId = actor.SessionId,
                Purpose = request.Purpose.ToString(),
                Reason = reason ?? string.Empty,
                Outcome = outcome,
            };

        private static string[] Names(IReadOnlyList<FieldUse> reads, IReadOnlyList<FieldUse> writes) =>
            [.. reads.Concat(writes).Select(use => use.Field.Name).Distinct(StringComparer.Ordinal)];
    }
}
