using Mangrove.Kernel;
using Mangrove.Vault.Access;
using Mangrove.Vault.Integrations;

namespace Mangrove.Vault.Identity;

/// <summary>
/// Somebody who acts, as Identity knows them: a signed-in member of staff with a live session, a program of somebody else
/// with a token, or a named piece of the system's own work. Cannot be made outside the vault.
/// </summary>
public sealed class Actor
{
    private static readonly RoleRights Nothing = new([], [], Access.Rights.None, [], false);

    private Actor(string user, string name, StaffId staff, Role? role, SystemWork? work, string device, string sessionId, ServiceStanding? service = null)
    {
        User = user;
        DisplayName = name;
        Staff = staff;
        Role = role;
        Work = work;
        Device = device;
        SessionId = sessionId;
        Service = service;
    }

    /// <summary>User name as it stands in the log: <c>dr.ahmed</c>, <c>service:lab-bridge</c>, or <c>system:index</c>.</summary>
    public string User { get; }

    /// <summary>Name of the member of staff, for the screen.</summary>
    public string DisplayName { get; }

    public StaffId Staff { get; }

    /// <summary>One of the seven roles, or null for a program, the system's own work and somebody unknown.</summary>
    public Role? Role { get; }

    internal SystemWork? Work { get; }

    /// <summary>What a program stands on. The policy asks anew at every act whether it still does.</summary>
    internal ServiceStanding? Service { get; }

    /// <summary>What this actor acts for when nothing else is said: the first purpose of its own work.</summary>
    public Purpose UsualPurpose => Rights.Purposes.First();

    /// <summary>Registered name of the device.</summary>
    public string Device { get; }

    /// <summary>Public handle of the session (<c>sess_…</c>), never the secret that opens it.</summary>
    public string SessionId { get; }

    internal RoleRights Rights => this switch
    {
        { Role: { } role } => RoleMatrix.Of(role),
        { Work: { } work } => RoleMatrix.Of(work),
        { Service: { } service } => service.Rights,
        _ => Nothing,
    };

    internal SessionHolder Holder() => new(User, DisplayName, Staff, SessionId);

    public bool May(Rights right) => Rights.Rights.HasFlag(right);

    /// <summary>Whether the role reads <paramref name="category"/> at all; pages use it to leave a card out, never to decide access.</summary>
    public bool Reads(Category category) => Rights.Reads.Contains(category);

    public bool Writes(Category category) => Rights.Writes.Contains(category);

    /// <summary>The only maker of actors; Identity alone holds one.</summary>
    internal static class Maker
    {
        /// <summary>Stands in the log where somebody acts before a session exists.</summary>
        internal const string NoSession = "sess_none";

        internal static Actor Staff(Account account, string device, string sessionId) =>
            new(account.User, account.DisplayName, account.Staff, account.Role, null, device, sessionId);

        internal static Actor System(SystemWork work) =>
            new($"system:{work.ToString().ToLowerInvariant()}", "Mangrove", default, null, work, "server", "sess_system");

        /// <summary>How the log marks a program's name; no user name can contain the colon.</summary>
        internal const string ServicePrefix = "service:";

        /// <param name="integration">Whose token it is.</param>
        /// <param name="reads">What the token was given.</param>
        /// <param name="device">Name of the integration, and where the call came from.</param>
        /// <param name="sessionId">Public handle of the token.</param>
        /// <param name="certificate">Fingerprint of the certificate that the token is bound to; null for none.</param>
        internal static Actor Service(Integration integration, IReadOnlyCollection<Category> reads, string device, string sessionId, string? certificate) =>
            new(ServicePrefix + integration.Client, integration.Name, default, null, null, device, sessionId, new ServiceStanding(integration.Id, integration.Generation, reads, integration.Purpose, certificate));

        /// <summary>Whoever typed a user name that no account has: may do nothing, and the log does not repeat what was typed.</summary>
        internal static Actor Unknown(string device) => new("unknown", "Unknown", default, null, null, device, NoSession);
    }
}
