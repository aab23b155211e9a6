using Mangrove.Vault.Access;

namespace Mangrove.Vault.Identity;

/// <summary>
/// The system's own work, as actors. Only work that is harmless in any hands is public: charging writes charges and
/// reads nothing. Set-up and sample data are given by <see cref="FirstSetUp"/>, which exists only while a hospital is made.
/// </summary>
public static class SystemActors
{
    /// <summary>Turns what was done into charges; may write charges and read nothing.</summary>
    public static Actor Charging { get; } = Actor.Maker.System(SystemWork.Charging);

    /// <summary>Backups by schedule, their drills, and what a restore says in the restored log; reads and writes no protected information.</summary>
    public static Actor Backup { get; } = Actor.Maker.System(SystemWork.Backup);

    /// <summary>Rotates keys; reads and writes nothing of a record.</summary>
    internal static Actor Keys { get; } = Actor.Maker.System(SystemWork.Keys);

    /// <summary>Seals records anew under patients' new keys; the act gives no plaintext out.</summary>
    internal static Actor Renewal { get; } = Actor.Maker.System(SystemWork.Renewal);

    /// <summary>Brings the databases to a newer version's schema; opens nothing.</summary>
    internal static Actor Upgrade { get; } = Actor.Maker.System(SystemWork.Upgrade);

    /// <summary>Measures the server's health and begins and ends alarms; reads and writes nothing of a record.</summary>
    internal static Actor Watch { get; } = Actor.Maker.System(SystemWork.Watch);

    /// <summary>Says which acts left no record; opens nothing.</summary>
    internal static Actor Settlement { get; } = Actor.Maker.System(SystemWork.Settlement);

    /// <summary>Opens imported originals to make their fingerprints anew under a new index key; shows nothing of them to anybody.</summary>
    internal static Actor Recognition { get; } = Actor.Maker.System(SystemWork.Recognition);

    /// <summary>Judges the entries of the log by the rules of the watch; compares names inside the vault and shows none.</summary>
    internal static Actor Watching { get; } = Actor.Maker.System(SystemWork.Watching);

    /// <summary>Ends emergency accesses that are over, and says which were not justified in time; opens nothing.</summary>
    internal static Actor Glass { get; } = Actor.Maker.System(SystemWork.Glass);

    /// <summary>Counts whose record is due by the rules of retention; reads dates of birth and shows none.</summary>
    internal static Actor Retention { get; } = Actor.Maker.System(SystemWork.Retention);

    /// <summary>Copies the log of an incident and says which of its rotations have ended; opens nothing.</summary>
    internal static Actor Incidents { get; } = Actor.Maker.System(SystemWork.Incidents);

    /// <summary>Carries out orders of destruction that were approved; opens nothing.</summary>
    internal static Actor Destruction { get; } = Actor.Maker.System(SystemWork.Destruction);

    internal static Actor Index { get; } = Actor.Maker.System(SystemWork.Index);
}

/// <summary>
/// The making of a hospital, from its first key to its first administrator. Made by the vault's set-up only and never
/// registered as a service, so that no page can ask for it; after Dispose it gives nothing any more.
/// </summary>
public sealed class FirstSetUp : IDisposable
{
    private readonly bool demonstration;
    private bool ended;

    /// <param name="demonstration">Whether sample patients may be written: a demonstration hospital only.</param>
    internal FirstSetUp(bool demonstration) => this.demonstration = demonstration;

    /// <summary>Administration of the new hospital: accounts and settings, no patient data.</summary>
    public Actor Setup
    {
        get
        {
            ObjectDisposedException.ThrowIf(ended, this);
            return Actor.Maker.System(SystemWork.Setup);
        }
    }

    /// <summary>Writes generated patients; cannot read any.</summary>
    /// <exception cref="InvalidOperationException">The hospital is not a demonstration.</exception>
    public Actor Sample
    {
        get
        {
            ObjectDisposedException.ThrowIf(ended, this);
            return demonstration
                ? Actor.Maker.System(SystemWork.Sample)
                : throw new InvalidOperationException("Sample patients are written into a demonstration hospital only.");
        }
    }

    public void Dispose() => ended = true;
}
