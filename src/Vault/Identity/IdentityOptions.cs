using Mangrove.Kernel;
using Mangrove.Sealing;

namespace Mangrove.Vault.Identity;

/// <summary>How long sessions live and when sign-in makes people wait. The defaults are the seeds' (3.3); hospitals may only tighten them.</summary>
public sealed record IdentityOptions
{
    /// <summary>How long a session lives whatever its use. 1 minute to 12 hours; default 12 hours.</summary>
    public TimeSpan SessionLife { get; init; } = TimeSpan.FromHours(12);

    /// <summary>How long without a human gesture until a session locks. 1 second to 5 minutes; default 5 minutes.</summary>
    public TimeSpan IdleLock { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Wrong passwords at the lock until the session ends. 1 to 5; default 5.</summary>
    public int UnlockTries { get; init; } = 5;

    /// <summary>Failed sign-ins of one user name on one device until waiting begins. 3 to 10; default 5.</summary>
    public int FreeTries { get; init; } = 5;

    /// <summary>The first wait; it doubles with every further failure. 1 second or more; default 1 second.</summary>
    public TimeSpan FirstWait { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>The longest wait: nobody is shut out for good by another person's failures. At most 1 hour; default 15 minutes.</summary>
    public TimeSpan LongestWait { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>Password checks that may wait for a free core before sign-in answers busy. 0 or more; default 32, about four seconds on two cores.</summary>
    public int PasswordQueue { get; init; } = 32;

    /// <summary>How long a one-time link lives. 1 minute to 7 days; default 24 hours.</summary>
    public TimeSpan LinkLife { get; init; } = TimeSpan.FromHours(24);

    /// <summary>Cost of new password hashes. Tests lower it; a hospital cannot.</summary>
    internal int PasswordCost { get; init; } = PasswordHasher.StandardCost;

    /// <summary>How far the wall clock may fall behind its highest mark before every session ends (threats S6).</summary>
    internal TimeSpan ClockTolerance { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>How old the stored time of the last gesture may grow; a restart locks earlier by at most this.</summary>
    internal TimeSpan TouchLag { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>Refuses values outside their range, so that a bad setting does not start.</summary>
    /// <exception cref="RefusedInput"><c>identity.options</c>, naming the setting and its range.</exception>
    internal IdentityOptions Checked()
    {
        Within(SessionLife, TimeSpan.FromMinutes(1), TimeSpan.FromHours(12), nameof(SessionLife));
        Within(IdleLock, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(5), nameof(IdleLock));
        Within(UnlockTries, 1, 5, nameof(UnlockTries));
        Within(FreeTries, 3, 10, nameof(FreeTries));
        Within(FirstWait, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(1), nameof(FirstWait));
        Within(LongestWait, FirstWait, TimeSpan.FromHours(1), nameof(LongestWait));
        Within(PasswordQueue, 0, 10_000, nameof(PasswordQueue));
        Within(LinkLife, TimeSpan.FromMinutes(1), TimeSpan.FromDays(7), nameof(LinkLife));
        return this;
    }

    private static void Within<T>(T value, T least, T most, string name)
        where T : IComparable<T>
    {
        if (value.CompareTo(least) < 0 || value.CompareTo(most) > 0)
        {
            throw new RefusedInput("identity.options", $"{name} must be between {least} and {most}.");
        }
    }
}
