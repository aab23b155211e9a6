using Mangrove.Kernel;
using Mangrove.Vault.Audit;

namespace Mangrove.Vault.Identity;

/// <summary>
/// The six digits by which a person goes on at a screen that locked (seeds 3.1, 3.3). A PIN opens nothing by itself: it
/// resumes a session that was begun with the full factors, on the device where it was begun, and the fifth wrong one
/// ends it (threats S1, S2).
/// </summary>
public sealed class StaffPin
{
    private readonly Sessions sessions;
    private readonly Receipt.Log log;
    private readonly OwnerCheck owners;
    private readonly TimeProvider clock;

    internal StaffPin(Sessions sessions, Receipt.Log log, OwnerCheck owners, TimeProvider clock)
    {
        this.sessions = sessions;
        this.log = log;
        this.owners = owners;
        this.clock = clock;
    }

    /// <summary>How many digits a PIN has.</summary>
    public const int Length = PinRules.Length;

    /// <summary>Null when a text may be a PIN, else <c>pin.not-six-digits</c> or <c>pin.guessable</c>.</summary>
    public static Error? Check(string? pin) => PinRules.Check(pin);

    /// <summary>When the person of the session last chose a PIN; null without one.</summary>
    public Task<DateTimeOffset?> Chosen(Actor actor, CancellationToken cancel) => sessions.Read<DateTimeOffset?>(
        async connection => await connection.Scalar("SELECT pin.changed FROM pin JOIN account ON account.id = pin.account WHERE account.number = @number", cancel, ("@number", actor.Staff.Number)) is long changed
            ? DateTimeOffset.FromUnixTimeMilliseconds(changed)
            : null,
        cancel);

    /// <summary>Chooses a PIN, the first one or another. The session goes on under a new token.</summary>
    /// <param name="token">Of the live session.</param>
    /// <param name="password">The person's password: an unlocked screen proves nobody.</param>
    /// <param name="pin">Six digits without a pattern.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>
    /// The session under its new token, or <c>session.ended</c>, <c>pin.not-six-digits</c>, <c>pin.guessable</c>,
    /// <c>password.current-wrong</c>, <c>signin.wait</c>, <c>signin.busy</c>.
    /// </returns>
    public async Task<Result<SignedIn>> Choose(string? token, string? password, string? pin, CancellationToken cancel)
    {
        if (await sessions.Open(token, cancel) is not { } session)
        {
            return Sessions.HasEnded;
        }

        if (PinRules.Check(pin) is { } broken)
        {
            return broken;
        }

        var act = Sessions.Act("CHOOSE_PIN", $"staff:{session.Account.Staff}", null);
        var asked = await owners.Ask(session, password, act, cancel);
        if (asked.Error is { } refused)
        {
            return refused;
        }

        using var owner = asked.Value;
        var hash = await owner.Place.Hash(pin!, cancel);
        return await sessions.Renew(
            session,
            owner.Hash,
            async change =>
            {
                await Keep(change.Connection, session.Account.Id, hash, clock.GetUtcNow(), cancel);
                await log.Note(session.Actor, act, cancel);
            },
            cancel);
    }

    /// <summary>Writes the hash of a PIN beside the account.</summary>
    internal static Task<int> Keep(System.Data.Common.DbConnection connection, Guid account, string hash, DateTimeOffset now, CancellationToken cancel) => connection.Run(
        "INSERT INTO pin (account, hash, changed) VALUES (@account, @hash, @now) ON CONFLICT (account) DO UPDATE SET hash = excluded.hash, changed = excluded.changed",
        cancel,
        ("@account", account),
        ("@hash", hash),
        ("@now", now.ToUnixTimeMilliseconds()));

    /// <summary>Takes the PIN from an account: after a reset the person starts afresh.</summary>
    internal static Task<int> Forget(System.Data.Common.DbConnection connection, Guid account, CancellationToken cancel) =>
        connection.Run("DELETE FROM pin WHERE account = @account", cancel, ("@account", account));
}
