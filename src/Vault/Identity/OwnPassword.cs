using Mangrove.Kernel;
using Mangrove.Vault.Audit;

namespace Mangrove.Vault.Identity;

/// <summary>
/// A signed-in person chooses another password, after showing the current one.
/// </summary>
public sealed class OwnPassword
{
    private readonly Sessions sessions;
    private readonly Receipt.Log log;
    private readonly OwnerCheck owners;
    private readonly string hospital;
    private readonly TimeProvider clock;

    /// <param name="hospital">Name of the hospital, which no password may contain.</param>
    internal OwnPassword(Sessions sessions, Receipt.Log log, OwnerCheck owners, string hospital, TimeProvider clock)
    {
        this.sessions = sessions;
        this.log = log;
        this.owners = owners;
        this.hospital = hospital;
        this.clock = clock;
    }

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

        var act = Sessions.Act("CHANGE_PASSWORD", $"staff:{account.Staff}", null);
        var asked = await owners.Ask(session, current, act, cancel);
        if (asked.Error is { } refused)
        {
            return refused;
        }

        using var owner = asked.Value;
        var hash = await owner.Place.Hash(wanted!, cancel);
        return await sessions.Renew(
            session,
            owner.Hash,
            async change =>
            {
                await change.Connection.Run(
                    "UPDATE account SET hash = @new, password_changed = @now WHERE id = @id",
                    cancel,
                    ("@new", hash),
                    ("@now", clock.GetUtcNow().ToUnixTimeMilliseconds()),
                    ("@id", account.Id));
                await change.EndOf(account.Id, SessionEnd.PasswordChanged, null, cancel, except: session);
                await log.Note(session.Actor, act, cancel);
            },
            cancel);
    }
}
