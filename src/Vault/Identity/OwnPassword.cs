using Mangrove.Kernel;
using Mangrove.Vault.Audit;

namespace Mangrove.Vault.Identity;

/// <summary>
/// A signed-in person chooses another password. Whoever sits at an unlocked screen is not thereby its owner: the current
/// password is asked for, and wrong ones count together with wrong sign-ins at the same device.
/// </summary>
public sealed class OwnPassword
{
    private readonly Store store;
    private readonly Sessions sessions;
    private readonly Receipt.Log log;
    private readonly PasswordGate passwords;
    private readonly SignInThrottle throttle;
    private readonly string hospital;
    private readonly TimeProvider clock;

    /// <param name="hospital">Name of the hospital, which no password may contain.</param>
    internal OwnPassword(Store store, Sessions sessions, Receipt.Log log, PasswordGate passwords, SignInThrottle throttle, string hospital, TimeProvider clock)
    {
        this.store = store;
        this.sessions = sessions;
        this.log = log;
        this.passwords = passwords;
        this.throttle = throttle;
        this.hospital = hospital;
        this.clock = clock;
    }

    private static Error WrongCurrent { get; } = new("password.current-wrong", "The current password is wrong. Type the one you signed in with.");

    /// <summary>
    /// Changes the password of the session's person. Every other session of the account ends, and this one goes on under
    /// a new token: what somebody may have copied is of no use afterwards.
    /// </summary>
    /// <param name="token">Of the live session.</param>
    /// <param name="current">The password of now.</param>
    /// <param name="wanted">The one to come.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>
    /// The session under its new token, or <c>session.ended</c>, <c>password.current-wrong</c>, <c>password.unchanged</c>,
    /// <c>signin.wait</c> (too many failures; says how long), <c>signin.busy</c>, or the broken rule:
    /// <c>password.too-short</c>, <c>password.too-long</c>, <c>password.not-text</c>, <c>password.common</c>, <c>password.contains-name</c>.
    /// </returns>
    public async Task<Result<SignedIn>> Change(string? token, string? current, string? wanted, CancellationToken cancel)
    {
        if (await sessions.Open(token, cancel) is not { } session)
        {
            return Sessions.HasEnded;
        }

        // The rules come first: they say nothing about the password of now, and cost no try.
        var account = session.Account;
        if (PasswordRules.Check(wanted, account.User, account.DisplayName, hospital) is { } broken)
        {
            return broken;
        }

        if (string.Equals(current, wanted, StringComparison.Ordinal))
        {
            return new Error("password.unchanged", "The new password is the current one. Choose another.");
        }

        using var place = passwords.TryEnter();
        if (place is null)
        {
            return SignIn.Busy;
        }

        var act = Sessions.Act("CHANGE_PASSWORD", $"staff:{account.Staff}", null);
        var subject = throttle.Subject(account.User.ToUpperInvariant(), session.Device);
        if (await throttle.Count(subject, cancel) is { } waiting)
        {
            if (waiting.First)
            {
                await log.Refuse(session.Actor, act, waiting.Refusal, cancel);
            }

            return waiting.Refusal;
        }

        var hash = await Hash(account.Id, cancel);
        if (hash is null || !PasswordGate.IsPassword(current) || !(await place.Verify(current!, hash, cancel)).Matches)
        {
            await log.Refuse(session.Actor, act, WrongCurrent, cancel);
            return WrongCurrent;
        }

        await throttle.Clear(subject, cancel);
        var changed = await Replace(session, hash, await place.Hash(wanted!, cancel), act, cancel);
        return changed is null ? Sessions.HasEnded : changed;
    }

    private async Task<string?> Hash(Guid account, CancellationToken cancel)
    {
        await using var connection = await store.Open(cancel);
        return (string?)await connection.Scalar("SELECT hash FROM account WHERE id = @id AND state = @active", cancel, ("@id", account), ("@active", (int)AccountState.Active));
    }

    /// <summary>Null when the account was closed, its password reset or the session ended while the hashes were computed; then nothing changed.</summary>
    private Task<SignedIn?> Replace(LiveSession session, string old, string hash, Request act, CancellationToken cancel) => sessions.Change<SignedIn?>(
        async change =>
        {
            var replaced = await change.Connection.Run(
                "UPDATE account SET hash = @new, password_changed = @now WHERE id = @id AND hash = @old AND state = @active",
                cancel,
                ("@new", hash),
                ("@now", clock.GetUtcNow().ToUnixTimeMilliseconds()),
                ("@id", session.Account.Id),
                ("@old", old),
                ("@active", (int)AccountState.Active));
            var fresh = Token.New();
            if (replaced == 0 || await change.Renew(session, Token.Hash(fresh)!, cancel) is not { } renewed)
            {
                change.Keep = false;
                return null;
            }

            await change.EndOf(session.Account.Id, SessionEnd.PasswordChanged, null, cancel, except: session);
            await log.Note(session.Actor, act, cancel);
            return new SignedIn(fresh, renewed.Actor);
        },
        cancel);
}
