using Mangrove.Kernel;
using Mangrove.Vault.Access;
using Mangrove.Vault.Audit;
using Mangrove.Vault.Backups;
using Mangrove.Vault.Identity;
using Mangrove.Vault.Index;
using Mangrove.Vault.Keys;

namespace Mangrove.Vault;

/// <summary>
/// The one door to protected health information. It does three things in an order that the types enforce: the policy
/// decides (a grant), the audit log records durably (a receipt), and only then can a field be opened or sealed. Without
/// a grant there is no entry, and without an entry there is no plaintext.
/// </summary>
public sealed class Door
{
    private readonly Grant.Policy policy;
    private readonly Receipt.Log log;
    private readonly KeyRing keys;
    private readonly PatientIndex index;
    private readonly Guid facility;

    internal Door(Grant.Policy policy, Receipt.Log log, KeyRing keys, PatientIndex index, Guid facility)
    {
        this.policy = policy;
        this.log = log;
        this.keys = keys;
        this.index = index;
        this.facility = facility;
    }

    /// <summary>
    /// Asks for one act. When the task ends well, the entry is durable and the fields named may be read and written
    /// through the opening, for the patients named, until it is disposed.
    /// </summary>
    /// <exception cref="Refused">The policy said no; the refusal is an entry too.</exception>
    /// <exception cref="AuditUnavailable">The log cannot be written; the door stays shut.</exception>
    public async Task<Opening> Open(Actor actor, Request request, CancellationToken cancel)
    {
        var decision = await policy.Decide(actor, request, cancel);
        if (decision.Grant is not { } grant)
        {
            var refusal = decision.Refusal!;
            await log.Refuse(actor, request, refusal, cancel);
            throw new Refused(refusal.Code, refusal.Message);
        }

        var receipt = await log.Append(grant, cancel);
        var patients = grant.Patients.Select(patient => patient.Id).ToArray();

        // Before the keys are read: until the opening is disposed, no version that wraps one of them is retired.
        var held = keys.Hold();
        try
        {
            if (request.Creates)
            {
                await keys.CreateFor(patients, cancel);
            }

            return new Opening(receipt, keys, facility, await keys.Load(patients, remember: true, cancel), index, log, held);
        }
        catch
        {
            held.Dispose();
            receipt.End();
            throw;
        }
    }

    /// <summary>
    /// Searches the patient index. One entry per search, naming the patients found; the results hold only what the
    /// actor's role may see.
    /// </summary>
    /// <exception cref="Refused">The role may not search patients.</exception>
    public async Task<IReadOnlyList<PatientHit>> Find(Actor actor, PatientQuery query, CancellationToken cancel)
    {
        // A program reads the patient whose id it has; it does not search for people, whatever its scopes are.
        var fields = actor.Service is null ? PatientIndex.FieldsFor(actor) : [];
        var hits = fields.Count == 0 || policy.Standing(actor) is not null ? [] : index.Search(query, fields);
        var request = new Request
        {
            Action = query.Action,
            Purpose = actor.UsualPurpose,
            Resource = "search",
            Patients = [.. hits.Select(hit => new PatientRef(hit.Id, hit.Mrn))],
            NamedFields = [.. fields.Select(PatientIndex.FieldName)],
        };
        if ((policy.Standing(actor) ?? (fields.Count == 0 ? new Error("access.role", "Your role may not search patients.") : null)) is { } refusal)
        {
            await log.Refuse(actor, request, refusal, cancel);
            throw new Refused(refusal.Code, refusal.Message);
        }

        await log.Note(actor, request, cancel);
        return hits;
    }

    /// <summary>
    /// Says which of these patients, found by a search that is recorded already, the care rule leaves open to the actor,
    /// so that a list can mark the others. Opens nothing and promises nothing: every act is decided anew.
    /// </summary>
    public Task<IReadOnlySet<PatientId>> OpenTo(Actor actor, IReadOnlyCollection<PatientId> patients, CancellationToken cancel) =>
        policy.OpenTo(actor, patients, cancel);

    /// <summary>
    /// Records an act that opens no protected information: a sign-in, a change of an account, a look at the log itself.
    /// </summary>
    /// <exception cref="Refused">The actor lacks <paramref name="right"/>; the refusal is an entry too.</exception>
    public async Task Record(Actor actor, Rights right, Request request, CancellationToken cancel)
    {
        if ((policy.Standing(actor) ?? (actor.May(right) ? null : new Error("access.role", "Your role may not do this."))) is { } refusal)
        {
            await log.Refuse(actor, request, refusal, cancel);
            throw new Refused(refusal.Code, refusal.Message);
        }

        await log.Note(actor, request, cancel);
    }

    /// <summary>
    /// Turns away an act that would change something in a read-only copy, before anything is read for it: the refusal is an entry.
    /// </summary>
    /// <param name="actor">Who wanted it.</param>
    /// <param name="resource">The address that was asked for, without anything of a patient.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns><c>downtime.read-only</c>, for the answer.</returns>
    public async Task<Error> TurnAway(Actor actor, string resource, CancellationToken cancel)
    {
        await log.Refuse(actor, new Request { Action = "CHANGE_IN_COPY", Purpose = actor.UsualPurpose, Resource = resource }, CopyMark.Refusal, cancel);
        return CopyMark.Refusal;
    }

    /// <summary>Whether this is a read-only copy of a hospital.</summary>
    internal bool ReadOnly => policy.ReadOnly;

    /// <summary>
    /// Says whether a request would be allowed and why, without opening anything; asking is an entry too. Everybody may
    /// ask about themselves, an administrator about others.
    /// </summary>
    /// <returns>The refusal, or null when it would be allowed.</returns>
    /// <exception cref="Refused">Somebody other than an administrator asks about another person.</exception>
    public async Task<Error?> Explain(Actor asker, Actor actor, Request request, CancellationToken cancel)
    {
        var question = request with { Action = "EXPLAIN_POLICY", Purpose = Purpose.Administration, Reason = actor.User };
        if (ReferenceEquals(asker, actor))
        {
            await log.Note(asker, question, cancel);
        }
        else
        {
            await Record(asker, Rights.Administration, question, cancel);
        }

        return (await policy.Decide(actor, request, cancel)).Refusal;
    }

    /// <summary>What an administrator is told of a colleague who is not there: as <see cref="Explain"/>, without session and device.</summary>
    internal async Task<Error?> Judge(Actor admin, Actor subject, Request request, CancellationToken cancel)
    {
        await Record(admin, Rights.Administration, request with { Purpose = Purpose.Administration, Reason = subject.User }, cancel);
        return (await policy.Judge(subject, request, cancel)).Refusal;
    }
}
