using Mangrove.Kernel;
using Mangrove.Vault.Access;
using Mangrove.Vault.Audit;
using Mangrove.Vault.Backups;

namespace Mangrove.Vault.Identity;

/// <summary>What an act came to: a value with the entry's resource and its before and after, or a refusal, whose entry may name what was meant.</summary>
internal readonly record struct Acted<T>(T? Value, string? Resource, string? Reason, Error? Refusal)
{
    public Acted(T value, string resource, string reason)
        : this(value, resource, reason, null)
    {
    }

    /// <summary>The patients whom the act is about, for its entry; null for none.</summary>
    public IReadOnlyList<PatientRef>? Patients { get; init; }

    public static implicit operator Acted<T>(Error refusal) => new(default, null, null, refusal);
}

/// <summary>
/// One act of an administrator on the vault's own tables: the right is asked first, the entry is written inside the act's
/// transaction, and an act that is refused leaves the refusal as an entry and nothing else.
/// </summary>
internal sealed class AdministratorAct(Sessions sessions, Door door, Receipt.Log log)
{
    /// <param name="admin">Who acts.</param>
    /// <param name="action">As the log names it.</param>
    /// <param name="resource">What the log names when the act is refused before anything was found.</param>
    /// <param name="act">The act. A refusal rolls back what it wrote.</param>
    /// <param name="cancel">Gives up.</param>
    /// <exception cref="Refused">The actor is no administrator.</exception>
    public async Task<Result<T>> Run<T>(Actor admin, string action, string resource, Func<SessionChange, Task<Acted<T>>> act, CancellationToken cancel)
    {
        if (!admin.May(Rights.Administration))
        {
            // Says no, writes the refusal and throws.
            await door.Record(admin, Rights.Administration, Sessions.Act(action, resource, null), cancel);
        }

        if (door.ReadOnly)
        {
            await log.Refuse(admin, Sessions.Act(action, resource, null), CopyMark.Refusal, cancel);
            return CopyMark.Refusal;
        }

        var done = await sessions.Change(
            async change =>
            {
                var acted = await act(change);
                if (acted.Refusal is null)
                {
                    await door.Record(admin, Rights.Administration, Sessions.Act(action, acted.Resource!, acted.Reason) with { Patients = acted.Patients ?? [] }, cancel);
                }
                else
                {
                    change.Keep = false;
                }

                return acted;
            },
            cancel);
        if (done.Refusal is { } refusal)
        {
            await log.Refuse(admin, Sessions.Act(action, done.Resource ?? resource, null), refusal, cancel);
            return refusal;
        }

        return done.Value!;
    }
}
