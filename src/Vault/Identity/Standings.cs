using System.Collections.Concurrent;
using System.Collections.Frozen;
using Mangrove.Kernel;
using Mangrove.Vault.Backups;
using Mangrove.Vault.Glass;

namespace Mangrove.Vault.Identity;

/// <summary>
/// What the policy and the log ask about an actor at every act beside the role: whether the session is still open, whether
/// the device is one of the house's, and which department it stands in. Kept by <see cref="Sessions"/> and
/// <see cref="Devices"/>, after their tables.
/// </summary>
internal sealed class Standings
{
    private readonly ConcurrentDictionary<string, bool> sessions = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, string> devices = new(StringComparer.Ordinal);
    private volatile FrozenDictionary<string, IReadOnlySet<Role>> departments = FrozenDictionary<string, IReadOnlySet<Role>>.Empty;
    private volatile FrozenDictionary<string, string> lists = FrozenDictionary<string, string>.Empty;
    private volatile bool devicesRequired;

    /// <summary>Records that are open by emergency access.</summary>
    public LiveGlass Glass { get; } = new();

    private static Error NoSession { get; } = new("access.session", "Your session has ended or is locked. Unlock it, or sign in again.");

    private static Error NoDevice { get; } = new("access.device", "This device is not registered. An administrator gives you a code to register it.");

    /// <summary>What this is a read-only copy of; null for a hospital.</summary>
    public CopyMark? Copy { get; init; }

    /// <summary>Whether people work at registered devices only.</summary>
    public bool DevicesRequired
    {
        get => devicesRequired && Copy is not { AnyDevice: true };
        set => devicesRequired = value;
    }

    /// <summary>Departments whose devices are for some roles only. One that is not named is for all.</summary>
    public IReadOnlyDictionary<string, IReadOnlySet<Role>> Departments => departments;

    /// <summary>Where the devices of a department open after a sign-in, by department.</summary>
    public IReadOnlyDictionary<string, string> Lists => lists;

    /// <summary>
    /// Why this actor may do nothing at all from where they are; null when they may. Programs and the system's own work
    /// have neither session nor device: they are judged by what they stand on.
    /// </summary>
    /// <returns><c>access.session</c>, <c>access.device</c>, <c>access.department</c>, or null.</returns>
    public Error? Refusal(Actor actor)
    {
        // At the server itself, for one command.
        if (actor.Role is not { } role || actor.Device == SignIn.CommandLineDevice)
        {
            return null;
        }

        if (!IsOpen(actor.SessionId))
        {
            return NoSession;
        }

        return AtDevice(role, actor.Device);
    }

    /// <summary>Why this role does not work at this device; null when it does.</summary>
    /// <returns><c>access.device</c>, <c>access.department</c>, or null.</returns>
    public Error? AtDevice(Role role, string device)
    {
        if (!devices.TryGetValue(device, out var department))
        {
            return devicesRequired ? NoDevice : null;
        }

        // Administrators are let in everywhere, so that a wrong rule can be mended.
        return role == Role.Admin || !departments.TryGetValue(department, out var roles) || roles.Contains(role)
            ? null
            : new Error("access.department", $"This device stands in {department}, where your role does not work. Go to one of your own department, or ask an administrator.");
    }

    /// <summary>The department that a device was registered for; empty for one that is none of the house's.</summary>
    public string DepartmentOf(string device) => devices.GetValueOrDefault(device, string.Empty);

    /// <summary>Whether a device of this name is registered.</summary>
    public bool Registered(string device) => devices.ContainsKey(device);

    /// <param name="session">The public handle.</param>
    /// <param name="open">Whether it is not locked.</param>
    public void Set(string session, bool open) => sessions[session] = open;

    /// <param name="session">The public handle.</param>
    public bool IsOpen(string session) => sessions.GetValueOrDefault(session);

    public void Close(string session) => sessions.TryRemove(session, out _);

    public void Register(string device, string department) => devices[device] = department;

    /// <summary>Forgets every device that is not named.</summary>
    public void RegisterOnly(IReadOnlySet<string> names)
    {
        foreach (var gone in devices.Keys.Where(name => !names.Contains(name)))
        {
            devices.TryRemove(gone, out _);
        }
    }

    public void Remove(string device) => devices.TryRemove(device, out _);

    public void Use(IReadOnlyDictionary<string, IReadOnlySet<Role>> rules, IReadOnlyDictionary<string, string> opens)
    {
        departments = rules.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);
        lists = opens.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);
    }
}
