using Mangrove.Kernel;
using Mangrove.Vault.Backups;
using Mangrove.Vault.Identity;
using Mangrove.Vault.Integrations;

namespace Mangrove.Vault.Access;

/// <summary>The policy's yes to one request. Made by the policy only, and good for one entry in the log.</summary>
internal sealed class Grant
{
    private Grant(Actor actor, Request request, IReadOnlyList<PatientRef> patients, IReadOnlyList<FieldUse> reads, Guid? glass)
    {
        Glass = glass;
        Actor = actor;
        Request = request;
        Patients = patients;
        Reads = reads;
    }

    public Actor Actor { get; }

    public Request Request { get; }

    /// <summary>The emergency access without which the answer would have been no; null where none was needed.</summary>
    public Guid? Glass { get; }

    /// <summary>The patients granted: all of the request, or those in care when the request was narrowed.</summary>
    public IReadOnlyList<PatientRef> Patients { get; }

    /// <summary>The reads granted: all of the request, or those of the role when the request was narrowed.</summary>
    public IReadOnlyList<FieldUse> Reads { get; }

    public IReadOnlyList<FieldUse> Writes => Request.Writes;

    /// <summary>Whether records that name the entry are to follow. Sealing anew under another key changes no record.</summary>
    public bool Records => Writes.Count > 0 && !Request.DryRun && Actor.Work != SystemWork.Renewal;

    /// <summary>
    /// The one place that decides. Deny by default: an act is allowed only when the session is open, its device is one of
    /// the house's and stands in a department where the role works, the matrix names every category, the purpose belongs to
    /// the role and, for clinicians, every patient is in this hospital's care, or it is one patient whose record this very
    /// session has opened in an emergency. A program is asked for its agreement, its
    /// approvals and its state at every act, before anything else.
    /// </summary>
    internal sealed class Policy(ICareRelationships care, Standings standings, TimeProvider clock, IntegrationGate? integrations = null, SpaceWatch? space = null)
    {
        /// <summary>How long after the last visit a chart stays open to clinicians. Policy setting, default 30 days.</summary>
        public TimeSpan CareWindow { get; set; } = TimeSpan.FromDays(30);

        /// <summary>Those of <paramref name="patients"/> whose records the care rule leaves open to this actor; all of them for roles that it does not bind, none for programs, which search for nobody.</summary>
        public async Task<IReadOnlySet<PatientId>> OpenTo(Actor actor, IReadOnlyCollection<PatientId> patients, CancellationToken cancel)
        {
            if (actor.Service is not null || Standing(actor) is not null)
            {
                return new HashSet<PatientId>();
            }

            if (!actor.Rights.NeedsCareRelationship || patients.Count == 0)
            {
                return patients.ToHashSet();
            }

            var open = (await care.InCare(patients, CareWindow, clock.GetUtcNow(), cancel)).ToHashSet();
            open.UnionWith(patients.Where(patient => standings.Glass.Of(actor.SessionId, patient) is not null));
            return open;
        }

        /// <summary>Why this actor may do nothing at all now, from where they are; null when they may.</summary>
        public Error? Standing(Actor actor) => standings.Refusal(actor);

        /// <summary>Whether this is a copy, in which nothing is written.</summary>
        public bool ReadOnly => standings.Copy is not null;

        public async Task<Decision> Decide(Actor actor, Request request, CancellationToken cancel)
        {
            return Standing(actor) is { } outside ? Decision.No(outside.Code, outside.Message) : await Judge(actor, request, cancel);
        }

        /// <summary>What is decided by the role, the record and the request alone, as if the actor were signed in at a device of the house.</summary>
        public async Task<Decision> Judge(Actor actor, Request request, CancellationToken cancel)
        {
            if (ReadOnly && (request.Writes.Count > 0 || request.Creates))
            {
                return Decision.No(CopyMark.Refusal.Code, CopyMark.Refusal.Message);
            }

            // Import and export by an administrator: the matrix has one line for them, whatever is in the role's own line.
            var rights = actor.Role == Role.Admin && request.Purpose == Purpose.Portability ? RoleMatrix.Portability : actor.Rights;
            if (actor.Service is { } service)
            {
                var passed = integrations is null ? new Error("service.closed", "No program is let in here.") : await integrations.Pass(service, cancel);
                if (passed.Error is { } closed)
                {
                    return Decision.No(closed.Code, closed.Message);
                }

                rights = passed.Value;
            }

            // While it lasts every act on that patient is flagged, also where care has begun meanwhile.
            var glass = rights.NeedsCareRelationship && ByGlass(request) ? standings.Glass.Of(actor.SessionId, request.Patients[0].Id)?.Id : null;
            if (glass is not null)
            {
                rights = RoleMatrix.UnderGlass(rights);
            }

            if (!rights.Purposes.Contains(request.Purpose))
            {
                return Decision.No("access.purpose", "Your role does not act for this purpose.");
            }

            if (request.Everyone && request.Purpose is not (Purpose.Portability or Purpose.System))
            {
                return Decision.No("access.everyone", "Only an import, an export or the system itself works on every patient at once.");
            }

            // An import, sample patients, sealing everything anew: whatever can wait until there is room again does.
            if (request.Writes.Count > 0 && (request.Everyone || request.Purpose == Purpose.Portability) && space?.Level == SpaceLevel.ClinicalOnly)
            {
                return Decision.No(SpaceWatch.ClinicalOnly.Code, SpaceWatch.ClinicalOnly.Message);
            }

            foreach (var write in request.Writes)
            {
                if (!rights.Writes.Contains(write.Category))
                {
                    return Decision.No("access.role", "Your role may not write this part of the record.");
                }
            }

            var reads = request.Reads;
            if (!reads.All(read => rights.Reads.Contains(read.Category)))
            {
                if (!request.Narrowed)
                {
                    return Decision.No("access.role", "Your role may not read this part of the record.");
                }

                reads = [.. reads.Where(read => rights.Reads.Contains(read.Category))];
            }

            if (request.Narrowed && reads.Count == 0 && request.Writes.Count == 0 && request.Reads.Count > 0)
            {
                return Decision.No("access.role", "Your role may not read this part of the record.");
            }

            var patients = request.Patients;
            if (glass is null && rights.NeedsCareRelationship && patients.Count > 0)
            {
                var inCare = await care.InCare([.. patients.Select(patient => patient.Id)], CareWindow, clock.GetUtcNow(), cancel);
                if (patients.Any(patient => !inCare.Contains(patient.Id)))
                {
                    if (ByGlass(request) && await standings.Glass.Adopt(actor.SessionId, patients[0].Id, cancel))
                    {
                        return await Judge(actor, request, cancel);
                    }

                    if (!request.Narrowed)
                    {
                        return Decision.No("access.not-in-care", "This patient is not in care here now. Ask the front desk to open a visit.");
                    }

                    patients = [.. patients.Where(patient => inCare.Contains(patient.Id))];
                    if (patients.Count == 0)
                    {
                        return Decision.No("access.not-in-care", "This patient is not in care here now. Ask the front desk to open a visit.");
                    }
                }
            }

            return Decision.Yes(new Grant(actor, request, patients, reads, glass));
        }

        /// <summary>Whether an emergency access can allow it at all: one patient on the screen, nothing that leaves it.</summary>
        private static bool ByGlass(Request request) => request is { Patients.Count: 1, Everyone: false, Leaves: false };
    }

    /// <summary>Yes with a grant, or no with a reason.</summary>
    internal readonly record struct Decision(Grant? Grant, Error? Refusal)
    {
        public static Decision Yes(Grant grant) => new(grant, null);

        public static Decision No(string code, string message) => new(null, new Error(code, message));
    }
}
