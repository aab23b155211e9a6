using Mangrove.Kernel;
using Mangrove.Vault.Audit;

namespace Mangrove.Vault.Identity;

/// <summary>
/// Sign-in by password, and by a second factor where the account has one or its role asks for one. Gives one answer,
/// after the same work, to an unknown name, a wrong password and an account that may not sign in; opens one session an
/// account and ends the one before.
/// </summary>
public sealed partial class SignIn
{
    /// <summary>The device of whoever is not at a registered one.</summary>
    public const string UnregisteredDevice = "unregistered";

    /// <summary>The device of whoever types a command on the server itself.</summary>
    internal const string CommandLineDevice = "command-line";

    // Stands for the device where codes of one account are counted together: no device has a colon first.
    private const string CodeSubject = ":second factor";

    private const int LongestUser = 64;
    private const int LongestDevice = 64;

    private readonly Store store;
    private readonly Sessions sessions;
    private readonly Receipt.Log log;
    private readonly PasswordGate passwords;
    private readonly SignInThrottle throttle;
    private readonly SecondFactors factors;
    private readonly PasskeyFactors passkeys;
    private readonly PendingSignIns pending;
    private readonly FreshCodes fresh;
    private readonly SignInTraces traces;
    private readonly string hospital;
    private readonly TimeProvider clock;

    /// <param name="hospital">Name of the hospital, as authenticator apps show it.</param>
    internal SignIn(
        Store store,
        Sessions sessions,
        Receipt.Log log,
        PasswordGate passwords,
        SignInThrottle throttle,
        SecondFactors factors,
        PasskeyFactors passkeys,
        PendingSignIns pending,
        FreshCodes fresh,
        SignInTraces traces,
        string hospital,
        TimeProvider clock)
    {
        this.store = store;
        this.sessions = sessions;
        this.log = log;
        this.passwords = passwords;
        this.throttle = throttle;
        this.factors = factors;
        this.passkeys = passkeys;
        this.pending = pending;
        this.fresh = fresh;
        this.traces = traces;
        this.hospital = hospital;
        this.clock = clock;
    }

    /// <summary>Opens what a sign-in opens, if the account still may and still has the password that was checked.</summary>
    private delegate Task<T?> Beginning<T>(Guid account, string hash, string device, CancellationToken cancel)
        where T : class;

    internal static Error Busy { get; } = new("signin.busy", "Many people are signing in at once. Wait a few seconds and try again.");

    private static Error RefusedAlike { get; } = new("signin.refused", "User name or password is wrong, or the account may not sign in. Try again, or ask an administrator.");

    private static Error TicketOver { get; } = new("signin.expired", "This sign-in took too long, or had too many wrong codes. Begin again with your password.");

    private static Error CodeRefused { get; } = new("signin.code", "This code is wrong, or was used before. Wait for the next one on your phone and type that.");

    /// <summary>Signs in with a password: the only step, or the first of two.</summary>
    /// <param name="user">User name as typed, any case.</param>
    /// <param name="password">At most 1,024 bytes of UTF-8.</param>
    /// <param name="device">
    /// Registered name of the device, at most 64 characters, or <see cref="UnregisteredDevice"/>. MUST NOT be a text that
    /// the client chooses freely: failures are counted by it.
    /// </param>
    /// <returns>
    /// The session or a ticket for the second step, or <c>signin.refused</c> (unknown, wrong or not allowed: never which),
    /// <c>signin.wait</c> (too many failures; says how long), <c>signin.busy</c>.
    /// </returns>
    public Task<Result<SignInStep>> Password(string? user, string? password, string? device, CancellationToken cancel) =>
        Enter(user, password, device, (id, hash, at, stop) => Begin(id, hash, at, (change, account) => Ask(change, account, hash, at, stop), static () => null, stop), cancel);

    /// <summary>
    /// Signs in for one command of the command line. It opens no session and ends none: the actor is good for that
    /// command, and the person's browser stays as it is. The log has the sign-in, with a handle of its own. No second
    /// factor is asked: the socket in the data folder is open to the server's own account alone, which is something that
    /// one has (docs/decisions/0012).
    /// </summary>
    /// <returns>The actor, or the codes of <see cref="Password"/>.</returns>
    public Task<Result<Actor>> CommandLine(string? user, string? password, CancellationToken cancel) =>
        Enter(user, password, CommandLineDevice, BeginCommand, cancel);

    /// <summary>Who holds a ticket on this device, or null when it is over.</summary>
    public SignInHolder? Holder(string? ticket, string device) =>
        pending.Find(ticket, device) is { Account: var account } found
            ? new SignInHolder(account.User, account.DisplayName, account.Staff, account.Role, found.MustEnrol) { HasPhone = found.HasPhone, PasskeysAt = found.PasskeysAt }
            : null;

    /// <summary>The second step: a code from the phone, or a recovery code. Each works once.</summary>
    /// <returns>
    /// The session, or <c>signin.expired</c> (begin again), <c>signin.code</c> (wrong or used), <c>signin.wait</c>,
    /// <c>signin.refused</c> (the account may no longer sign in).
    /// </returns>
    public async Task<Result<SignedIn>> Code(string? ticket, string? code, string device, CancellationToken cancel)
    {
        var counted = await Count(ticket, device, mustEnrol: false, cancel);
        if (counted.Error is { } over)
        {
            return over;
        }

        var (found, subjects) = counted.Value;
        var spent = SpentCode.None;
        var step = await Begin(
            found.Account.Id,
            found.Hash,
            device,
            async (change, account) =>
            {
                spent = await factors.Spend(change.Connection, account.Id, code, cancel);
                return spent == SpentCode.None ? Answer.No : Answer.GoOn;
            },
            () => spent == SpentCode.Recovery ? "password and recovery code" : "password and one-time code",
            cancel);
        if (step?.Session is not { } session)
        {
            await traces.CountWrong(found.Account.Id, cancel);
            await log.Refuse(Actor.Maker.Staff(found.Account, device, Actor.Maker.NoSession), Sessions.Act("SIGN_IN_REFUSED", "sign-in", "second factor"), CodeRefused, cancel);
            return CodeRefused;
        }

        await Done(ticket, subjects, cancel);
        return session;
    }

    /// <summary>
    /// What a person is told on the first page after their sign-in: when and where they signed in before, and how many wrong
    /// tries there were since. Given out once; null afterwards.
    /// </summary>
    public SignInTrace? TakeTrace(Actor actor) => traces.Show(actor.SessionId);

    /// <summary>The same for the person's own account, at any time; null before their first sign-in on record.</summary>
    public Task<SignInHistory?> History(Actor actor, CancellationToken cancel) =>
        sessions.Read(connection => SignInTraces.Of(connection, actor.Staff.Number, cancel), cancel);

    /// <summary>What the phone of somebody takes who must have a second factor and has none.</summary>
    /// <returns>The authenticator to come, or <c>signin.expired</c>.</returns>
    public Result<Enrolment> Enrol(string? ticket, string device) => pending.Find(ticket, device) is { MustEnrol: true } found
        ? SecondFactor.Describe(found.Secret(), hospital, found.Account.User)
        : TicketOver;

    /// <summary>Sets the authenticator up by its first code, and signs in.</summary>
    /// <returns>The session, which shows the recovery codes next (<see cref="SecondFactor.TakeCodes"/>), or the codes of <see cref="Code"/>.</returns>
    public async Task<Result<SignedIn>> FirstCode(string? ticket, string? code, string device, CancellationToken cancel)
    {
        var counted = await Count(ticket, device, mustEnrol: true, cancel);
        if (counted.Error is { } over)
        {
            return over;
        }

        var (found, subjects) = counted.Value;
        var secret = found.Secret();
        if (factors.Step(secret, SecondFactors.Clean(code)) is not { } step)
        {
            await traces.CountWrong(found.Account.Id, cancel);
            await log.Refuse(Actor.Maker.Staff(found.Account, device, Actor.Maker.NoSession), Sessions.Act("SIGN_IN_REFUSED", "sign-in", "second factor"), CodeRefused, cancel);
            return CodeRefused;
        }

        IReadOnlyList<string> codes = [];
        var begun = await Begin(
            found.Account.Id,
            found.Hash,
            device,
            async (change, account) =>
            {
                // The owner may have set up a phone since this ticket was given: a password alone never replaces one.
                if (await SecondFactors.Standing(change.Connection, account, cancel) == FactorStanding.Enrolled)
                {
                    return Answer.No;
                }

                codes = await factors.Keep(change.Connection, account.Id, secret, step, cancel);
                await log.Note(Actor.Maker.Staff(account, device, Actor.Maker.NoSession), Sessions.Act("ENROL_SECOND_FACTOR", $"staff:{account.Staff}", "none -> one-time codes"), cancel);
                return Answer.GoOn;
            },
            () => "password and first one-time code",
            cancel);
        if (begun?.Session is not { } session)
        {
            pending.Close(ticket);
            await log.Refuse(Actor.Maker.Staff(found.Account, device, Actor.Maker.NoSession), Sessions.Act("SIGN_IN_REFUSED", "sign-in", "second factor"), TicketOver, cancel);
            return TicketOver;
        }

        fresh.Keep(session.Actor.SessionId, codes);
        await Done(ticket, subjects, cancel);
        return session;
    }

    /// <summary>Counts a code before it is checked: by the ticket, by the device, and by the account wherever it is tried.</summary>
    private async Task<Result<(PendingSignIn Found, byte[][] Subjects)>> Count(string? ticket, string device, bool mustEnrol, CancellationToken cancel)
    {
        await sessions.WatchClock(cancel);
        if (pending.Find(ticket, device) is not { } found || found.MustEnrol != mustEnrol)
        {
            return TicketOver;
        }

        if (!found.Count())
        {
            pending.Close(ticket);
            return TicketOver;
        }

        var login = found.Account.User.ToUpperInvariant();
        byte[][] subjects = [throttle.Subject(login, device), throttle.Subject(login, CodeSubject)];
        foreach (var subject in subjects)
        {
            if (await throttle.Count(subject, cancel) is { } waiting)
            {
                if (waiting.First)
                {
                    await log.Refuse(Actor.Maker.Staff(found.Account, device, Actor.Maker.NoSession), Sessions.Act("SIGN_IN_REFUSED", "sign-in", "second factor"), waiting.Refusal, cancel);
                }

                return waiting.Refusal;
            }
        }

        return (found, subjects);
    }

    private async Task Done(string? ticket, byte[][] subjects, CancellationToken cancel)
    {
        pending.Close(ticket);
        foreach (var subject in subjects)
        {
            await throttle.Clear(subject, cancel);
        }
    }

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
        if (check.Matches && account is { State: AccountState.Active } && device != CommandLineDevice && sessions.AtDevice(account.Role, device) is { } elsewhere)
        {
            // Said to nobody but the account's owner, who has just shown the password.
            await log.Refuse(actor, Sessions.Act("SIGN_IN_REFUSED", "sign-in", null), elsewhere, cancel);
            await throttle.Clear(subject, cancel);
            return elsewhere;
        }

        if (check.NeedsRehash && account is { State: AccountState.Active })
        {
            // Before the second step is asked: its ticket holds only while the hash is still the account's.
            hash = await Rehash.Keep(store, place, Rehash.Password, account.Id, password, hash!, cancel);
        }

        var signedIn = check.Matches && account is { State: AccountState.Active } ? await begin(account.Id, hash!, device, cancel) : null;
        if (signedIn is null)
        {
            await traces.CountWrong(account?.Id, cancel);
            await log.Refuse(actor, Sessions.Act("SIGN_IN_REFUSED", "sign-in", null), RefusedAlike, cancel);
            return RefusedAlike;
        }

        // Half of a sign-in clears nothing: who has the password alone does not win back tries for the code.
        if (signedIn is not SignInStep { Session: null })
        {
            await throttle.Clear(subject, cancel);
        }

        return signedIn;
    }

    /// <summary>
    /// Opens the session, if the account still may and still has the password that was checked: it may have been
    /// suspended or reset while the hash was computed. That first statement also holds the account's row, so that
    /// sign-ins of one account pass one after the other on every database.
    /// </summary>
    private async Task<SignInStep?> Begin(
        Guid id,
        string hash,
        string device,
        Func<SessionChange, Account, Task<Answer>> ask,
        Func<string?> reason,
        CancellationToken cancel)
    {
        SignInTrace? trace = null;
        var step = await sessions.Change<SignInStep?>(
            async change =>
            {
                var account = await StillMay(change, id, hash, cancel);
                var answer = account is null ? Answer.No : await ask(change, account);
                if (!answer.Begins)
                {
                    change.Keep = false;
                    return answer.Instead;
                }

                var token = Token.New();
                var kept = Token.Hash(token)!;
                var session = sessions.Start(account!, kept, device);
                var before = await change.Begin(session, kept, cancel);
                trace = await traces.Take(change.Connection, id, device, cancel);
                await log.Note(session.Actor, Sessions.Act("SIGN_IN", session.Handle, reason()), cancel);
                return SignInStep.Into(new SignedIn(token, session.Actor) { EndedAt = before });
            },
            cancel);
        if (step?.Session is { } begun && trace is not null)
        {
            traces.Keep(begun.Actor.SessionId, trace);
        }

        return step;
    }

    /// <summary>Whether a right password is enough; else a ticket for the second step.</summary>
    private async Task<Answer> Ask(SessionChange change, Account account, string hash, string device, CancellationToken cancel)
    {
        var standing = await SecondFactors.Standing(change.Connection, account, cancel);
        if (standing == FactorStanding.NotAsked)
        {
            return Answer.GoOn;
        }

        var mustEnrol = standing == FactorStanding.Missing;
        var phone = await SecondFactors.HasPhone(change.Connection, account.Id, cancel);
        var sites = await PasskeyFactors.Sites(change.Connection, account.Id, cancel);
        await log.Note(Actor.Maker.Staff(account, device, Actor.Maker.NoSession), Sessions.Act("SIGN_IN_PASSWORD", "sign-in", mustEnrol ? "second factor to be set up" : "second factor asked"), cancel);
        return new Answer(false, SignInStep.Next(pending.Open(account, hash, device, mustEnrol, phone, sites), mustEnrol));
    }

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

    /// <summary>Whether a session begins; if not, what is answered instead, or null for a refusal.</summary>
    private readonly record struct Answer(bool Begins, SignInStep? Instead)
    {
        public static Answer GoOn { get; } = new(true, null);

        public static Answer No { get; } = new(false, null);
    }
}
