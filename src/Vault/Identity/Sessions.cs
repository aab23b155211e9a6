using System.Collections.Concurrent;
using Mangrove.Kernel;
using Mangrove.Vault.Access;
using Mangrove.Vault.Audit;

namespace Mangrove.Vault.Identity;

/// <summary>
/// Server-side sessions. A session is a row that keeps the SHA-256 of its token; what the person may do is read from
/// the account, never from the token. Every request asks <see cref="Resolve"/>; a change is in the table first, then in
/// this process's memory, and at once: the next request and every event stream of the session see it.
/// </summary>
/// <remarks>
/// Every change of sessions and accounts runs through <see cref="Change{T}"/>, one at a time, in one transaction with its
/// entry in the log: if the entry cannot be made, the change does not happen. On SQLite one process owns a hospital's vault;
/// of several servers on one PostgreSQL database each follows the others (<see cref="OtherServers"/>).
/// </remarks>
public sealed partial class Sessions : IDisposable
{
    // Ended sessions keep saying why for this long.
    private static readonly TimeSpan Remembered = TimeSpan.FromDays(7);
    private static readonly TimeSpan MarkEvery = TimeSpan.FromMinutes(1);

    private readonly Store store;
    private readonly Door door;
    private readonly Receipt.Log log;
    private readonly PasswordGate passwords;
    private readonly SessionRules rules;
    private readonly Standings standings;
    private readonly TimeProvider clock;
    private readonly SemaphoreSlim turn = new(1, 1);
    private readonly ConcurrentDictionary<string, LiveSession> live = new(StringComparer.Ordinal);

    // The highest wall time seen, in Unix milliseconds, and the one that is stored.
    private long mark;
    private long markStored;

    private volatile bool loaded;

    internal Sessions(Store store, Door door, Receipt.Log log, PasswordGate passwords, SessionRules rules, Standings standings, TimeProvider clock)
    {
        this.store = store;
        this.door = door;
        this.log = log;
        this.passwords = passwords;
        this.rules = rules;
        this.standings = standings;
        this.clock = clock;
    }

    /// <summary>
    /// Raised after a session was locked, unlocked or ended, so that its event streams close at once. Handlers MUST NOT
    /// throw and MUST NOT block.
    /// </summary>
    public event EventHandler<SessionChangedEventArgs>? SessionChanged;

    /// <summary>
    /// What a token opens now. Counts as no gesture: a background request cannot keep a session from locking. Locks or
    /// ends the session when it is due.
    /// </summary>
    /// <exception cref="AuditUnavailable">The session is due to be locked or ended and the log cannot be written.</exception>
    public async Task<SessionState> Resolve(string? token, CancellationToken cancel)
    {
        if (Token.Hash(token) is not { } hash)
        {
            return SessionState.None(SessionEnd.Unknown);
        }

        await WatchClock(cancel);
        var key = Convert.ToHexString(hash);
        if (!live.TryGetValue(key, out var session) && (!await Adopt(hash, cancel) || !live.TryGetValue(key, out session)))
        {
            return SessionState.None(await WhyEnded(hash, cancel));
        }

        if (session.Expired(rules.Now, clock) || (!session.Locked && session.Idle(rules.Now, clock)))
        {
            await Settle(session, cancel);
            if (!live.TryGetValue(key, out session))
            {
                return SessionState.None(await WhyEnded(hash, cancel));
            }
        }

        return session.Locked ? SessionState.Locked(session.Actor) : SessionState.Live(session.Actor);
    }

    /// <summary>
    /// As <see cref="Resolve"/>, and takes note of a human gesture: a key, a click, a touch. Timers, event streams and
    /// polling MUST NOT call it. A locked session stays locked.
    /// </summary>
    public async Task<SessionState> Touch(string? token, CancellationToken cancel)
    {
        var state = await Resolve(token, cancel);
        if (state.Standing == SessionStanding.Live
            && live.TryGetValue(Convert.ToHexString(Token.Hash(token)!), out var session)
            && session.Touch(rules.Now, clock) is { } touched)
        {
            await using var connection = await store.Open(cancel);
            await connection.Run("UPDATE session SET touched = @touched WHERE id = @id AND revoked IS NULL AND locked IS NULL AND touched < @touched", cancel, ("@touched", touched), ("@id", session.Id));
        }

        return state;
    }

    /// <summary>Locks a session by the person's own wish. Gives its state afterwards.</summary>
    public async Task<SessionState> Lock(string? token, CancellationToken cancel)
    {
        var state = await Resolve(token, cancel);
        if (state.Standing == SessionStanding.Live && live.TryGetValue(Convert.ToHexString(Token.Hash(token)!), out var session))
        {
            await Change(change => change.Lock(session, "by the person", cancel), cancel);
            return await Resolve(token, cancel);
        }

        return state;
    }

    /// <summary>What the lock page says of a locked session; null when the token opens none that is locked.</summary>
    public async Task<LockedSession?> Locked(string? token, CancellationToken cancel)
    {
        if ((await Resolve(token, cancel)).Standing != SessionStanding.Locked || !live.TryGetValue(Convert.ToHexString(Token.Hash(token)!), out var session))
        {
            return null;
        }

        var rows = await Read(
            connection => connection.Query(
                "SELECT session.locked, session.touched, session.wrong, session.created, pin.changed FROM session LEFT JOIN pin ON pin.account = session.account WHERE session.id = @id AND session.revoked IS NULL AND session.locked IS NOT NULL",
                row => new LockedSession
                {
                    Holder = session.Actor.Holder(),
                    Role = session.Account.Role,
                    Device = session.Device,
                    At = DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(0)),
                    ByItself = row.GetInt64(0) - row.GetInt64(1) >= (long)(rules.Now.IdleLock - rules.Now.TouchLag).TotalMilliseconds,
                    IdleLock = rules.Now.IdleLock,
                    TriesLeft = Math.Max(0, rules.Now.UnlockTries - (int)row.GetInt64(2)),
                    Ends = DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(3)) + rules.Now.SessionLife,
                    HasPin = !row.IsDBNull(4),
                },
                cancel,
                ("@id", session.Id)),
            cancel);
        return rows is [var locked] ? locked : null;
    }

    /// <summary>
    /// Unlocks a session with the password or the PIN and gives it a new token; the old one is dead from then on. The
    /// fifth wrong one ends the session. The count rises before anything is checked, so that guesses in parallel gain
    /// nothing, and is kept, so that a restart gains nothing either (threats S1).
    /// </summary>
    /// <param name="token">Of the locked session.</param>
    /// <param name="by">Password or PIN.</param>
    /// <param name="secret">As typed.</param>
    /// <param name="device">Where it was typed: a session goes on only on the device where it was begun.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>
    /// The new token, or <c>session.ended</c>, <c>session.not-locked</c>, <c>unlock.device</c>, <c>unlock.refused</c>
    /// (wrong, tries left), <c>unlock.ended</c> (wrong, and that was the last), <c>signin.busy</c>.
    /// </returns>
    public async Task<Result<SignedIn>> Unlock(string? token, UnlockBy by, string? secret, string device, CancellationToken cancel)
    {
        var state = await Resolve(token, cancel);
        if (state.Standing == SessionStanding.Live)
        {
            return new Error("session.not-locked", "The session is not locked.");
        }

        if (state.Standing == SessionStanding.None || !live.TryGetValue(Convert.ToHexString(Token.Hash(token)!), out var session))
        {
            return HasEnded;
        }

        var act = Act("UNLOCK", session.Handle, by == UnlockBy.Pin ? "PIN" : "password");
        if (!string.Equals(device, session.Device, StringComparison.Ordinal))
        {
            var elsewhere = new Error("unlock.device", "This session was begun on another device and goes on only there. Sign in here instead.");
            await log.Refuse(session.Actor, act, elsewhere, cancel);
            return elsewhere;
        }

        using var place = passwords.TryEnter();
        if (place is null)
        {
            return SignIn.Busy;
        }

        // Counted first, in one statement: the try exists whatever becomes of the check. In its turn, so that many guesses at
        // once wait without holding a thread each.
        var counted = await Change<(long Tries, string? Hash)?>(
            async change =>
            {
                var count = await change.Connection.Scalar(
                    "UPDATE session SET wrong = wrong + 1 WHERE id = @id AND revoked IS NULL AND locked IS NOT NULL AND wrong < @most RETURNING wrong",
                    cancel,
                    ("@id", session.Id),
                    ("@most", rules.Now.UnlockTries));
                change.Keep = count is not null;
                return count is null ? null : ((long)count, (string?)await change.Connection.Scalar(
                    by == UnlockBy.Pin
                        ? "SELECT pin.hash FROM account JOIN pin ON pin.account = account.id WHERE account.id = @id AND account.state = @active"
                        : "SELECT hash FROM account WHERE id = @id AND state = @active",
                    cancel,
                    ("@id", session.Account.Id),
                    ("@active", (int)AccountState.Active)));
            },
            cancel);
        if (counted is not { Tries: var tries, Hash: var hash })
        {
            return HasEnded;
        }

        var wellFormed = by == UnlockBy.Pin ? PinRules.IsPin(secret) : PasswordGate.IsPassword(secret);
        var check = wellFormed ? await place.Verify(secret!, hash, cancel) : default;
        if (check.Matches)
        {
            var fresh = Token.New();
            var unlocked = await Change(change => change.Unlock(session, Token.Hash(fresh)!, act, cancel), cancel);
            if (check.NeedsRehash)
            {
                await Rehash.Keep(store, place, by == UnlockBy.Pin ? Rehash.Pin : Rehash.Password, session.Account.Id, secret!, hash!, cancel);
            }

            return unlocked is null ? HasEnded : new SignedIn(fresh, unlocked.Actor);
        }

        var word = by == UnlockBy.Pin ? "PIN" : "password";
        if (tries >= rules.Now.UnlockTries)
        {
            await Change(change => change.End(session, SessionEnd.TooManyWrong, null, cancel), cancel);
            return new Error("unlock.ended", $"Wrong {word}, and that was the last try. Sign in again.");
        }

        var left = rules.Now.UnlockTries - tries;
        var refusal = new Error("unlock.refused", left == 1 ? $"Wrong {word}. One try left." : $"Wrong {word}. {left} tries left.");
        await log.Refuse(session.Actor, act, refusal, cancel);
        return refusal;
    }

    /// <summary>Signs out. A token that opens nothing is no error.</summary>
    public async Task End(string? token, CancellationToken cancel)
    {
        await WatchClock(cancel);
        if (Token.Hash(token) is { } hash && live.TryGetValue(Convert.ToHexString(hash), out var session))
        {
            await Change(change => change.End(session, SessionEnd.SignedOut, null, cancel), cancel);
        }
    }

    /// <summary>Ends every session of a member of staff, by an administrator. Gives how many there were.</summary>
    /// <exception cref="Refused">The actor is no administrator.</exception>
    public async Task<int> EndAll(Actor admin, StaffId staff, CancellationToken cancel)
    {
        await WatchClock(cancel);
        await door.Record(admin, Rights.Administration, Act("END_SESSIONS", $"staff:{staff}", null), cancel);
        var ended = 0;
        foreach (var session in live.Values.Where(session => session.Account.Staff == staff))
        {
            ended += await Change(change => change.End(session, SessionEnd.Administrator, admin, cancel), cancel) ? 1 : 0;
        }

        return ended;
    }

    /// <summary>
    /// Locks and ends what is due although nobody asks for it, so that an event stream left open closes in time. Called
    /// every second by <see cref="SessionSweep"/>.
    /// </summary>
    public async Task Sweep(CancellationToken cancel)
    {
        await WatchClock(cancel);
        foreach (var session in live.Values)
        {
            if (session.Expired(rules.Now, clock) || (!session.Locked && session.Idle(rules.Now, clock)))
            {
                await Settle(session, cancel);
            }
        }
    }

    /// <summary>Whether a session goes on and is not locked, as memory knows it. Counts as no gesture, and locks nothing that is due.</summary>
    /// <param name="session">The public handle.</param>
    public bool IsOpen(string session) => standings.IsOpen(session);

    /// <summary>How many sessions are live now, and how many of them are locked. Nobody is named.</summary>
    public (int Live, int Locked) Count()
    {
        var all = live.Values;
        return (all.Count, all.Count(session => session.Locked));
    }

    public void Dispose() => turn.Dispose();

    /// <summary>An act of Identity as the log names it.</summary>
    internal static Request Act(string action, string resource, string? reason) =>
        new() { Action = action, Purpose = Purpose.Administration, Resource = resource, Reason = reason };

    /// <summary>
    /// One change of sessions and accounts: alone in this process, in one transaction, with its entries inside. Memory
    /// follows the table only after the commit. An act that returns without <see cref="SessionChange.Keep"/> left true,
    /// or throws, changes nothing.
    /// </summary>
    internal async Task<T> Change<T>(Func<SessionChange, Task<T>> act, CancellationToken cancel)
    {
        T result;
        SessionChange change;
        await turn.WaitAsync(cancel);
        try
        {
            await using var connection = await store.Open(cancel);
            await Load(connection, cancel);
            await using var transaction = await connection.BeginTransactionAsync(cancel);
            change = new SessionChange(connection, log, clock, live, standings);
            result = await act(change);
            if (!change.Keep)
            {
                await transaction.RollbackAsync(cancel);
                return result;
            }

            if (!store.IsSqlite)
            {
                await OtherServers.Count(connection, cancel);
            }

            // Not to be cancelled: a commit of unknown outcome would leave memory and table apart.
            try
            {
                await transaction.CommitAsync(CancellationToken.None);
            }
            catch
            {
                change.Forget();
                throw;
            }

            change.Apply();
        }
        finally
        {
            turn.Release();
        }

        Tell(change.Turns);
        return result;
    }

    /// <summary>Reads beside the sessions, changing nothing.</summary>
    internal async Task<T> Read<T>(Func<System.Data.Common.DbConnection, Task<T>> read, CancellationToken cancel)
    {
        await using var connection = await store.Open(cancel);
        return await read(connection);
    }

    /// <summary>
    /// An act by which the owner of a session changes something of their account. The session goes on under a new token
    /// (threats S3). Nothing happens when the account was closed, its password changed or the session ended since the
    /// owner was asked: <paramref name="hash"/> is that of the password they showed.
    /// </summary>
    internal async Task<Result<SignedIn>> Renew(LiveSession session, string hash, Func<SessionChange, Task> act, CancellationToken cancel)
    {
        var fresh = Token.New();
        var renewed = await Change<LiveSession?>(
            async change =>
            {
                // Holds the account's row until the commit, on every database.
                var still = await change.Connection.Run(
                    "UPDATE account SET hash = hash WHERE id = @id AND hash = @hash AND state = @active",
                    cancel,
                    ("@id", session.Account.Id),
                    ("@hash", hash),
                    ("@active", (int)AccountState.Active));
                if (still == 0 || await change.Renew(session, Token.Hash(fresh)!, cancel) is not { } under)
                {
                    change.Keep = false;
                    return null;
                }

                await act(change);
                return under;
            },
            cancel);
        return renewed is null ? HasEnded : new SignedIn(fresh, renewed.Actor);
    }

    /// <summary>The session that a token opens now, for the acts of its person on their own account; null when it ended or is locked.</summary>
    internal async Task<LiveSession?> Open(string? token, CancellationToken cancel) =>
        (await Resolve(token, cancel)).Standing == SessionStanding.Live ? live.GetValueOrDefault(Convert.ToHexString(Token.Hash(token)!)) : null;

    /// <summary>Opens a session for an account in the course of a change, ending the one it had (threats S4).</summary>
    internal LiveSession Start(Account account, byte[] token, string device) =>
        new(Ids.New(), Convert.ToHexString(token), account, Token.Handle(), device, Since.Now(clock), Since.Now(clock), locked: false);

    /// <summary>Why a role may not begin a session at a device; null when it may.</summary>
    internal Error? AtDevice(Role role, string device) => standings.AtDevice(role, device);

    internal static Error HasEnded { get; } = new("session.ended", "The session has ended. Sign in again.");

    /// <summary>Takes over, once, the sessions that were live when the process last stopped. The caller has the turn.</summary>
    private async Task Load(System.Data.Common.DbConnection connection, CancellationToken cancel)
    {
        if (loaded)
        {
            return;
        }

        mark = (long)(await connection.Scalar("SELECT wall FROM clock_mark WHERE id = 1", cancel) ?? 0L);
        markStored = mark;
        foreach (var session in await connection.Query($"{LiveSession.Select} WHERE session.revoked IS NULL", row => LiveSession.Read(row, clock), cancel))
        {
            live[session.Token] = session;
            standings.Set(session.Handle, !session.Locked);
        }

        loaded = true;
    }

    private Task<bool> Settle(LiveSession session, CancellationToken cancel) => Change(
        async change =>
        {
            await LearnTouch(change.Connection, session, cancel);
            return session.Expired(rules.Now, clock)
                ? await change.End(session, SessionEnd.Expired, null, cancel)
                : await change.LockIf(session, () => session.Idle(rules.Now, clock), "idle", cancel);
        },
        cancel);

    private async Task<SessionEnd> WhyEnded(byte[] hash, CancellationToken cancel)
    {
        await using var connection = await store.Open(cancel);
        var ended = await connection.Scalar("SELECT ended FROM session WHERE token = @token AND revoked IS NOT NULL", cancel, ("@token", hash));
        return ended is long why ? (SessionEnd)why : SessionEnd.Unknown;
    }
}
