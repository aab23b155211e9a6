using System.Data.Common;
using System.Globalization;
using Mangrove.Kernel;

namespace Mangrove.Vault.Identity;

/// <summary>The times of a session as an administrator sets them.</summary>
/// <param name="IdleLockSeconds">Seconds without a human gesture until a session locks. 30 to 300.</param>
/// <param name="SessionLifeMinutes">Minutes that a session lives whatever its use. 15 to 720.</param>
/// <param name="UnlockTries">Wrong PINs or passwords at the lock until the session ends. 3 to 5.</param>
public sealed record SessionTimes(int IdleLockSeconds, int SessionLifeMinutes, int UnlockTries)
{
    public const int LeastIdleLockSeconds = 30;
    public const int MostIdleLockSeconds = 300;
    public const int LeastSessionLifeMinutes = 15;
    public const int MostSessionLifeMinutes = 720;
    public const int LeastUnlockTries = 3;
    public const int MostUnlockTries = 5;

    /// <summary>The longest that the seeds allow (3.3), and what a new hospital has.</summary>
    public static SessionTimes Seeds { get; } = new(MostIdleLockSeconds, MostSessionLifeMinutes, MostUnlockTries);

    /// <summary>The stricter of each.</summary>
    internal SessionTimes Within(SessionTimes other) => new(
        Math.Min(IdleLockSeconds, other.IdleLockSeconds),
        Math.Min(SessionLifeMinutes, other.SessionLifeMinutes),
        Math.Min(UnlockTries, other.UnlockTries));

    internal bool LooserThan(SessionTimes before) =>
        IdleLockSeconds > before.IdleLockSeconds || SessionLifeMinutes > before.SessionLifeMinutes || UnlockTries > before.UnlockTries;

    internal Error? Malformed() =>
        Outside(IdleLockSeconds, LeastIdleLockSeconds, MostIdleLockSeconds, "session.idle-lock", "The screen locks after 30 to 300 seconds.")
        ?? Outside(SessionLifeMinutes, LeastSessionLifeMinutes, MostSessionLifeMinutes, "session.life", "A session lives 15 minutes to 12 hours.")
        ?? Outside(UnlockTries, LeastUnlockTries, MostUnlockTries, "session.unlock-tries", "A locked session ends after 3 to 5 wrong tries.");

    internal string Words() => string.Create(CultureInfo.InvariantCulture, $"idle lock {IdleLockSeconds} s, life {SessionLifeMinutes} min, {UnlockTries} tries");

    private static Error? Outside(int value, int least, int most, string problem, string message) =>
        value < least || value > most ? new Error(problem, message) : null;
}

/// <summary>
/// The times in force: those of the seeds, made stricter by the hospital. Read by every request, so they are kept in
/// memory; a change is in the table first. What somebody wrote into the table that is looser than the seeds is not in force.
/// </summary>
internal sealed class SessionRules(IdentityOptions limits)
{
    private const string IdleLock = "IDLE_LOCK_SECONDS";
    private const string SessionLife = "SESSION_LIFE_MINUTES";
    private const string UnlockTries = "UNLOCK_TRIES";

    private readonly IdentityOptions longest = limits;
    private volatile IdentityOptions now = limits;
    private volatile SessionTimes times = SessionTimes.Seeds;

    public IdentityOptions Now => now;

    public SessionTimes Times => times;

    public async Task Load(DbConnection connection, CancellationToken cancel)
    {
        var rows = await connection.Query("SELECT name, value FROM policy_setting", row => (Name: row.GetString(0), Value: row.GetInt64(1)), cancel);
        var stored = new SessionTimes(Of(IdleLock, MostIdle), Of(SessionLife, MostLife), Of(UnlockTries, MostTries));
        Use(stored.Malformed() is null ? stored : Least);

        int Of(string name, int usual) => rows.Where(row => row.Name == name).Select(row => (int)Math.Clamp(row.Value, int.MinValue, int.MaxValue)).DefaultIfEmpty(usual).First();
    }

    // Nobody but this class writes the rows; a row out of its range was put there past it, and the strictest times are the safe ones.
    private static SessionTimes Least { get; } = new(SessionTimes.LeastIdleLockSeconds, SessionTimes.LeastSessionLifeMinutes, SessionTimes.LeastUnlockTries);

    private const int MostIdle = SessionTimes.MostIdleLockSeconds;
    private const int MostLife = SessionTimes.MostSessionLifeMinutes;
    private const int MostTries = SessionTimes.MostUnlockTries;

    public void Use(SessionTimes wanted)
    {
        times = wanted;
        now = longest with
        {
            IdleLock = Shorter(longest.IdleLock, TimeSpan.FromSeconds(wanted.IdleLockSeconds)),
            SessionLife = Shorter(longest.SessionLife, TimeSpan.FromMinutes(wanted.SessionLifeMinutes)),
            UnlockTries = Math.Min(longest.UnlockTries, wanted.UnlockTries),
        };
    }

    public static async Task Keep(SessionChange change, SessionTimes wanted, Actor admin, long now, CancellationToken cancel)
    {
        foreach (var (name, value) in new[] { (IdleLock, wanted.IdleLockSeconds), (SessionLife, wanted.SessionLifeMinutes), (UnlockTries, wanted.UnlockTries) })
        {
            await IdentityStore.PutSetting(change.Connection, name, value, admin, now, cancel);
        }
    }

    private static TimeSpan Shorter(TimeSpan one, TimeSpan other) => one < other ? one : other;
}

/// <summary>
/// Reads and changes the times of sessions (seeds 3.3: they are policy settings). Stricter ones hold at once, for the
/// sessions that are open too. Looser ones, never beyond the seeds', ask the administrator for a second factor.
/// </summary>
public sealed class SessionPolicy
{
    private readonly SessionRules rules;
    private readonly AdministratorAct acts;
    private readonly SecondFactor factor;
    private readonly TimeProvider clock;

    internal SessionPolicy(SessionRules rules, AdministratorAct acts, SecondFactor factor, TimeProvider clock)
    {
        this.rules = rules;
        this.acts = acts;
        this.factor = factor;
        this.clock = clock;
    }

    /// <summary>The times in force.</summary>
    public SessionTimes Times => rules.Times;

    /// <param name="admin">The administrator.</param>
    /// <param name="wanted">All times from now on.</param>
    /// <param name="proof">The administrator's own second factor; asked only when a time gets longer or tries get more.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>The times from now on, or <c>session.idle-lock</c>, <c>session.life</c>, <c>session.unlock-tries</c> (out of range), <c>factor.code</c>, <c>factor.too-many</c>, <c>passkey.refused</c>, <c>passkey.expired</c>, <c>passkey.count</c>.</returns>
    /// <exception cref="Refused">The actor is no administrator.</exception>
    public Task<Result<SessionTimes>> Change(Actor admin, SessionTimes wanted, FactorProof proof, CancellationToken cancel) => acts.Run<SessionTimes>(
        admin,
        "CHANGE_SESSION_TIMES",
        "sign-in-rules",
        async change =>
        {
            if (wanted.Malformed() is { } malformed)
            {
                return malformed;
            }

            var before = rules.Times;
            if (wanted.LooserThan(before) && await factor.Ask(change, admin, proof, FactorActs.Times, cancel) is { } refused)
            {
                return refused;
            }

            await SessionRules.Keep(change, wanted, admin, clock.GetUtcNow().ToUnixTimeMilliseconds(), cancel);
            change.AfterCommit = () => rules.Use(wanted);
            return new Acted<SessionTimes>(wanted, "sign-in-rules", $"{before.Words()} -> {wanted.Words()}");
        },
        cancel);
}
