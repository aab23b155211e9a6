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
}

/// <summary>Who holds a locked session, for the lock page's greeting.</summary>
public sealed record SessionHolder(string User, string DisplayName, StaffId Staff, string SessionId);

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
        Holder = new SessionHolder(actor.User, actor.DisplayName, actor.Staff, actor.SessionId),
    };

    internal static SessionState None(SessionEnd why) => new() { Standing = SessionStanding.None, Ended = why };
}

/// <summary>A session that has just been opened or unlocked.</summary>
/// <param name="Token">The secret of the session, given out here and never again.</param>
/// <param name="Actor">Who acts in it.</param>
public sealed record SignedIn(string Token, Actor Actor)
{
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
