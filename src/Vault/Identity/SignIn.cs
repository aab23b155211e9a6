using Mangrove.Kernel;
using Mangrove.Vault.Audit;

namespace Mangrove.Vault.Identity;

/// <summary>
/// Sign-in by password. Gives one answer, after the same work, to an unknown name, a wrong password and an account that
/// may not sign in; opens one session an account and ends the one before.
/// </summary>
public sealed class SignIn
{
    /// <summary>The device of whoever is not at a registered one.</summary>
    public const string UnregisteredDevice = "unregistered";

    /// <summary>The device of whoever types a command on the server itself.</summary>
    internal const string CommandLineDevice = "command-line";

    private const int LongestUser = 64;
    private const int LongestDevice = 64;

    private readonly Store store;
    private readonly Sessions sessions;
    private readonly Receipt.Log log;
    private readonly PasswordGate passwords;
    private readonly SignInThrottle throttle;
    private readonly TimeProvider clock;

    internal SignIn(Store store, Sessions sessions, Receipt.Log log, PasswordGate passwords, SignInThrottle throttle, TimeProvider clock)
    {
        this.store = store;
        this.sessions = sessions;
        this.log = log;
        this.passwords = passwords;
        this.throttle = throttle;
        this.clock = clock;
    }

    /// <summary>Opens what a sign-in opens, if the account still may and still has the password that was checked.</summary>
    private delegate Task<T?> Beginning<T>(Guid account, string hash, string device, CancellationToken cancel)
        where T : class;

    internal static Error Busy { get; } = new("signin.busy", "Many people are signing in at once. Wait a few seconds and try again.");

    private static Error RefusedAlike { get; } = new("signin.refused", "User name or password is wrong, or the account may not sign in. Try again, or ask an administrator.");

    /// <summary>Signs in with a password.</summary>
    /// <param name="user">User name as typed, any case.</param>
    /// <param name="password">At most 1,024 bytes of UTF-8.</param>
    /// <param name="device">
    /// Registered name of the device, at most 64 characters, or <see cref="UnregisteredDevice"/>. MUST NOT be a text that
    /// the client chooses freely: failures are counted by it.
    /// </param>
    /// <returns>
    /// The session, or <c>signin.refused</c> (unknown, wrong or not allowed: never which), <c>signin.wait</c> (too many
    /// failures; says how long), <c>signin.busy</c>.
    /// </returns>
    public Task<Result<SignedIn>> Password(string? user, string? password, string? device, CancellationToken cancel) =>
        Enter(user, password, device, Begin, cancel);

    /// <summary>
    /// Signs in for one command of the command line. It opens no session and ends none: the actor is good for that
    /// command, and the person's browser stays as it is. The log has the sign-in, with a handle of its own.
    /// </summary>
    /// <returns>The actor, or the codes of <see cref="Password"/>.</returns>
    public Task<Result<Actor>> CommandLine(string? user, string? password, CancellationToken cancel) =>
        Enter(user, password, CommandLineDevice, BeginCommand, cancel);

    private async Task<Result<T>> Enter<T>(string? user, string? password, string? device, Beginning<T> begin, CancellationToken cancel)
        where T : class
    {
        var place = passwords.TryEnter();
        if (place is null)
        {
            return Busy;
        }

        using (place)
        {
            await sessions.WatchClock(cancel);
            var at = string.IsNullOrWhiteSpace(device) ? UnregisteredDevice : device.Trim();
            if (at.Length > LongestDevice || at.Any(char.IsControl) || user is not { Length: > 0 and <= LongestUser } || !PasswordGate.IsPassword(password))
            {
                // Cannot be anybody's: refused by its form alone, whether or not the account exists.
                var refusal = RefusedAlike;
                await log.Refuse(Actor.Maker.Unknown(UnregisteredDevice), Sessions.Act("SIGN_IN_REFUSED", "sign-in", null), refusal, cancel);
                return refusal;
            }

            return await Try(place, user.ToUpperInvariant(), password!, at, begin, cancel);
        }
    }

    private async Task<Result<T>> Try<T>(PasswordGate.Place place, string login, string password, string device, Beginning<T> begin, CancellationToken cancel)
        where T : class
    {
        var subject = throttle.Subject(login, device);
        var wait = await throttle.Count(subject, cancel);
        var (account, hash) = await Find(login, cancel);
        var actor = account is null ? Actor.Maker.Unknown(device) : Actor.Maker.Staff(account, device, Actor.Maker.NoSession);
        if (wait is { } waiting)
        {
            if (waiting.First)
            {
                await log.Refuse(actor, Sessions.Act("SIGN_IN_REFUSED", "sign-in", null), waiting.Refusal, cancel);
            }

            return waiting.Refusal;
        }

        var check = await place.Verify(password, hash, cancel);
        var signedIn = check.Matches && account is { State: AccountState.Active } ? await begin(account.Id, hash!, device, cancel) : null;
        if (signedIn is null)
        {
            await log.Refuse(actor, Sessions.Act("SIGN_IN_REFUSED", "sign-in", null), RefusedAlike, cancel);
            return RefusedAlike;
        }

        await throttle.Clear(subject, cancel);
        if (check.NeedsRehash)
        {
            var stronger = await place.Hash(password, cancel);
            await using var connection = await store.Open(cancel);
            await connection.Run("UPDATE account SET hash = @new WHERE id = @id AND hash = @old", cancel, ("@new", stronger), ("@id", account!.Id), ("@old", hash));
        }

        return signedIn;
    }

    /// <summary>
    /// Opens the session, if the account still may and still has the password that was checked: it may have been
    /// suspended or reset while the hash was computed. That first statement also holds the account's row, so that
    /// sign-ins of one account pass one after the other on every database.
    /// </summary>
    private Task<SignedIn?> Begin(Guid id, string hash, string device, CancellationToken cancel) => sessions.Change<SignedIn?>(
        async change =>
        {
            if (await StillMay(change, id, hash, cancel) is not { } account)
            {
                change.Keep = false;
                return null;
            }

            var token = Token.New();
            var kept = Token.Hash(token)!;
            var session = sessions.Start(account, kept, device);
            await change.Begin(session, kept, cancel);
            await log.Note(session.Actor, Sessions.Act("SIGN_IN", session.Handle, null), cancel);
            return new SignedIn(token, session.Actor);
        },
        cancel);

    private Task<Actor?> BeginCommand(Guid id, string hash, string device, CancellationToken cancel) => sessions.Change<Actor?>(
        async change =>
        {
            if (await StillMay(change, id, hash, cancel) is not { } account)
            {
                change.Keep = false;
                return null;
            }

            var actor = Actor.Maker.Staff(account, device, Token.Handle());
            await log.Note(actor, Sessions.Act("SIGN_IN", actor.SessionId, "command line"), cancel);
            return actor;
        },
        cancel);

    private async Task<Account?> StillMay(SessionChange change, Guid id, string hash, CancellationToken cancel)
    {
        var accounts = await change.Connection.Query(
            $"UPDATE account SET signed_in = @now WHERE id = @id AND hash = @hash AND state = @active RETURNING {Account.Columns.Replace("account.", string.Empty, StringComparison.Ordinal)}",
            Account.Read,
            cancel,
            ("@now", clock.GetUtcNow().ToUnixTimeMilliseconds()),
            ("@id", id),
            ("@hash", hash),
            ("@active", (int)AccountState.Active));
        return accounts is [var account] ? account : null;
    }

    private async Task<(Account? Account, string? Hash)> Find(string login, CancellationToken cancel)
    {
        await using var connection = await store.Open(cancel);
        var rows = await connection.Query(
            $"SELECT {Account.Columns}, account.hash FROM account WHERE login = @login",
            row => (Account: Account.Read(row), Hash: row.TextOrNull(Account.ColumnCount)),
            cancel,
            ("@login", login));
        return rows is [var found] ? found : (null, null);
    }
}
