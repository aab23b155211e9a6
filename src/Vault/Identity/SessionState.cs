using Mangrove.Kernel;

namespace Mangrove.Vault.Identity;

/// <summary>Whether a token opens a session now.</summary>
public enum SessionStanding
{
    /// <summary>No session; <see cref="SessionState.Ended"/> says why, where that is known.</summary>
    None = 0,

    /// <summary>A live session; <see cref="SessionState.Actor"/> acts.</summary>
    Live = 1,

    /// <summary>Locked: nothing may be shown but who may unlock it.</summary>
    Locked = 2,
}

/// <summary>Why a session ended. Stored: numbers MUST NOT change.</summary>
public enum SessionEnd
{
    /// <summary>The token opens nothing and never did, or is long gone.</summary>
    Unknown = 0,

    SignedOut = 1,

    /// <summary>The same person signed in elsewhere: one live session an account (seeds 3.3).</summary>
    Elsewhere = 2,

    /// <summary>Reached its absolute life.</summary>
    Expired = 3,

    /// <summary>The server's clock was set back, so that no age could be trusted.</summary>
    ClockSetBack = 4,

    /// <summary>Too many wrong passwords at the lock.</summary>
    TooManyWrong = 5,

    RoleChanged = 6,

    Suspended = 7,

    Revoked = 8,

    PasswordReset = 9,

    /// <summary>Ended by an administrator.</summary>
    Administrator = 10,

    /// <summary>The person chose another password at another screen.</summary>
    PasswordChanged = 11,

    /// <summary>An administrator took the second factor away, because the phone is lost.</summary>
    FactorReset = 12,

    /// <summary>The device was taken out of the house, or has to be registered anew.</summary>
    DeviceRevoked = 13,

    /// <summary>The hospital was restored from a backup; nobody goes on in a session of another time.</summary>
    Restored = 14,

    /// <summary>This is a read-only copy of the hospital: whoever was signed in there signs in here anew.</summary>
    Copy = 15,
}

/// <summary>Who holds a locked session, for the lock page's greeting.</summary>
public sealed record SessionHolder(string User, string DisplayName, StaffId Staff, string SessionId);

/// <summary>By what a person unlocks a session.</summary>
public enum UnlockBy
{
    Password = 1,

    /// <summary>The six digits, where the person has chosen some.</summary>
    Pin = 2,
}

/// <summary>A locked session as its lock page shows it. Nothing of any patient.</summary>
public sealed record LockedSession
{
    public required SessionHolder Holder { get; init; }

    public required Role Role { get; init; }

    /// <summary>Where it was begun, and where alone it goes on.</summary>
    public required string Device { get; init; }

    public required DateTimeOffset At { get; init; }

    /// <summary>Whether it locked because nobody touched it, rather than by the person's own wish.</summary>
    public required bool ByItself { get; init; }

    /// <summary>The time without a gesture that locks.</summary>
    public required TimeSpan IdleLock { get; init; }

    /// <summary>Whether the person has a PIN.</summary>
    public required bool HasPin { get; init; }

    /// <summary>Wrong ones until the session ends.</summary>
    public required int TriesLeft { get; init; }

    /// <summary>When it ends whatever its use.</summary>
    public required DateTimeOffset Ends { get; init; }
}

/// <summary>What a token opens at this moment.</summary>
public sealed record SessionState
{
    private SessionState()
    {
    }

    public SessionStanding Standing { get; private init; }

    /// <summary>Who acts; only of a live session.</summary>
    public Actor? Actor { get; private init; }

    /// <summary>Who may unlock; only of a locked session.</summary>
    public SessionHolder? Holder { get; private init; }

    /// <summary>Why there is no session.</summary>
    public SessionEnd? Ended { get; private init; }

    internal static SessionState Live(Actor actor) => new() { Standing = SessionStanding.Live, Actor = actor };

    internal static SessionState Locked(Actor actor) => new()
    {
        Standing = SessionStanding.Locked,
        Holder = actor.Holder(),
    };

    internal static SessionState None(SessionEnd why) => new() { Standing = SessionStanding.None, Ended = why };
}

/// <summary>A session that has just been opened or unlocked.</summary>
/// <param name="Token">The secret of the session, given out here and never again.</param>
/// <param name="Actor">Who acts in it.</param>
public sealed record SignedIn(string Token, Actor Actor)
{
    /// <summary>The device where a session of the same person was ended by this one; null when there was none.</summary>
    public string? EndedAt { get; init; }

    /// <summary>Without the token.</summary>
    public override string ToString() => $"{nameof(SignedIn)} {Actor.SessionId}";
}

/// <summary>What became of a session.</summary>
public enum SessionTurn
{
    Locked = 1,
    Unlocked = 2,
    Ended = 3,
}

/// <summary>Tells event streams to close: a session was locked or ended.</summary>
public sealed class SessionChangedEventArgs(string sessionId, SessionTurn turn) : EventArgs
{
    /// <summary>The public handle, <c>sess_…</c>.</summary>
    public string SessionId => sessionId;

    public SessionTurn Turn => turn;
}
