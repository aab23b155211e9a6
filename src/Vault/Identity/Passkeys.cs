using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using Mangrove.Kernel;
using Mangrove.Vault.Audit;

namespace Mangrove.Vault.Identity;

/// <summary>
/// The passkeys of a signed-in person (Web Authentication, Level 3): made, listed, taken away. A passkey stands beside the
/// one-time code as the second step after the password, and never in the password's place. Making and taking away ask for
/// the password again, and for a second factor where the account has one.
/// </summary>
public sealed class Passkeys
{
    /// <summary>The longest name of a passkey, in characters.</summary>
    public const int LongestName = 64;

    /// <summary>How many one account may have.</summary>
    public const int Most = 10;

    private readonly Sessions sessions;
    private readonly Receipt.Log log;
    private readonly SecondFactor factor;
    private readonly SecondFactors codes;
    private readonly PasskeyFactors passkeys;
    private readonly FreshFactor asking;
    private readonly FreshCodes fresh;
    private readonly TimeProvider clock;

    // Those whose owner was asked and whose browser is to make them, by session.
    private readonly ConcurrentDictionary<string, Coming> coming = new(StringComparer.Ordinal);

    internal Passkeys(Sessions sessions, Receipt.Log log, SecondFactor factor, SecondFactors codes, PasskeyFactors passkeys, FreshFactor asking, FreshCodes fresh, TimeProvider clock)
    {
        this.sessions = sessions;
        this.log = log;
        this.factor = factor;
        this.codes = codes;
        this.passkeys = passkeys;
        this.asking = asking;
        this.fresh = fresh;
        this.clock = clock;
    }

    internal static Error TooOld { get; } = new("passkey.expired", "The passkey was not shown within three minutes, or its answer was sent before. Press the button again.");

    internal static Error NotShown { get; } = new("passkey.refused", "This passkey is not one of yours here, or its answer does not fit. Press the button again and choose the one that you registered.");

    internal static Error CountWentBack { get; } = new("passkey.count", "This passkey counted backwards, as a copy of it would. Sign in by a code, take this passkey away, and tell an administrator.");

    internal static Error None { get; } = new("passkey.none", "You have no passkey under the name by which this page is open. Type a code instead.");

    internal static Error NoSite { get; } = new("passkey.address", "Passkeys need the hospital's name. Open this page by its name and its own port, not by a bare address.");

    private static Error BadName { get; } = new("passkey.name", "Give the passkey a name of 1 to 64 characters on one line, such as the key that it lies on.");

    private static Error TooMany { get; } = new("passkey.too-many", "You have ten passkeys. Take one away first.");

    private static Error NotBegun { get; } = new("passkey.not-begun", "No passkey is being made here, or it took longer than ten minutes. Begin again.");

    internal static Error NotMade { get; } = new("passkey.not-made", "The browser's answer is no passkey that this hospital takes: it has to ask for your finger, face or PIN, and to be new. Begin again, perhaps with another key.");

    private static Error NoSuchAct { get; } = new("passkey.act", "No act of that name asks for a passkey. Load the page again.");

    private static Error NoSuchPasskey { get; } = new("passkey.unknown", "You have no such passkey. Load the page again.");

    /// <summary>The person's passkeys, oldest first.</summary>
    public Task<IReadOnlyList<OwnPasskey>> Of(Actor actor, CancellationToken cancel) => sessions.Read<IReadOnlyList<OwnPasskey>>(
        async connection => await connection.Query("SELECT id FROM account WHERE number = @number", row => row.Guid(0), cancel, ("@number", actor.Staff.Number)) is [var account]
            ? [.. (await passkeys.Of(connection, account, cancel)).Select(row => row.Shown())]
            : [],
        cancel);

    /// <summary>Begins to make a passkey. Nothing is kept until the browser has shown one.</summary>
    /// <param name="token">Of the live session.</param>
    /// <param name="password">The person's password: an unlocked screen proves nobody.</param>
    /// <param name="proof">The second factor, where the account has one; with the site where the page is open.</param>
    /// <param name="name">What the person calls it.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>
    /// Its name as it will be kept, or <c>session.ended</c>, <c>passkey.address</c>, <c>passkey.name</c>, <c>passkey.too-many</c>,
    /// <c>password.current-wrong</c>, <c>factor.code</c>, <c>passkey.refused</c>, <c>passkey.expired</c>, <c>passkey.count</c>,
    /// <c>signin.wait</c>, <c>signin.busy</c>.
    /// </returns>
    public async Task<Result<string>> Begin(string? token, string? password, FactorProof proof, string? name, CancellationToken cancel)
    {
        if (await sessions.Open(token, cancel) is not { } session)
        {
            return Sessions.HasEnded;
        }

        if (proof.Site is not { } site)
        {
            return NoSite;
        }

        var named = NameOf(name);
        if (named.Error is { } unnamed)
        {
            return unnamed;
        }

        var called = named.Value;
        var act = Act("ADD_PASSKEY", session, "begun");
        if (await sessions.Read(connection => PasskeyFactors.Count(connection, session.Account.Id, cancel), cancel) >= Most)
        {
            await log.Refuse(session.Actor, act, TooMany, cancel);
            return TooMany;
        }

        var shown = await factor.Show(session, password, proof, act, cancel);
        if (shown.Error is { } refused)
        {
            return refused;
        }

        using var owner = shown.Value;
        foreach (var (handle, other) in coming)
        {
            if (other.Began.Elapsed(clock) >= PendingSignIns.Life)
            {
                coming.TryRemove(handle, out _);
            }
        }

        coming[session.Handle] = new Coming(called, owner.Hash, site, Since.Now(clock));
        return called;
    }

    /// <summary>The name of the passkey that is being made in a session, for its page to be shown again; null when none is.</summary>
    public string? Begun(Actor actor) => Fresh(actor.SessionId)?.Name;

    /// <summary>What the browser is asked, as JSON for <c>navigator.credentials.create</c>. The answer counts once, for three minutes.</summary>
    /// <returns>The options, or <c>session.ended</c>, <c>passkey.not-begun</c>.</returns>
    public async Task<Result<string>> Make(string? token, CancellationToken cancel)
    {
        if (await sessions.Open(token, cancel) is not { } session)
        {
            return Sessions.HasEnded;
        }

        if (Fresh(session.Handle) is not { } one)
        {
            return NotBegun;
        }

        var known = await sessions.Read(connection => passkeys.Of(connection, session.Account.Id, cancel), cancel);
        var (options, challenge) = await PasskeyCheck.Create(session.Account, known, one.Site, clock);
        one.Turn.Put(challenge);
        return options;
    }

    /// <summary>
    /// Keeps the passkey that the browser made. The session goes on under a new token. With the first second factor of an
    /// account come ten recovery codes (<see cref="SecondFactor.TakeCodes"/>).
    /// </summary>
    /// <param name="token">Of the live session.</param>
    /// <param name="answer">What the browser answered to <see cref="Make"/>, as JSON.</param>
    /// <param name="site">Where the page is open.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>The session under its new token, or <c>session.ended</c>, <c>passkey.not-begun</c>, <c>passkey.expired</c>, <c>passkey.not-made</c>, <c>passkey.too-many</c>.</returns>
    public async Task<Result<SignedIn>> Confirm(string? token, string? answer, PasskeySite? site, CancellationToken cancel)
    {
        if (await sessions.Open(token, cancel) is not { } session)
        {
            return Sessions.HasEnded;
        }

        if (Fresh(session.Handle) is not { } one)
        {
            return NotBegun;
        }

        var known = await sessions.Read(connection => passkeys.Of(connection, session.Account.Id, cancel), cancel);
        var challenge = one.Turn.Take(site, clock);
        var made = challenge is null ? null : await PasskeyCheck.Created(session.Account, known, challenge, answer);
        if (made is null)
        {
            return await Refuse(session, "ADD_PASSKEY", challenge is null ? TooOld : NotMade, cancel);
        }

        IReadOnlyList<string> given = [];
        Error? refusal = null;
        var renewed = await sessions.Renew(
            session,
            one.Hash,
            async change =>
            {
                var first = !await SecondFactors.Has(change.Connection, session.Account.Id, cancel);
                var before = await PasskeyFactors.Count(change.Connection, session.Account.Id, cancel);
                refusal = before >= Most ? TooMany : await passkeys.Keep(change.Connection, session.Account.Id, one.Site, one.Name, made, cancel) ? null : NotMade;
                if (refusal is not null)
                {
                    change.Keep = false;
                    return;
                }

                given = first ? await codes.NewCodes(change.Connection, session.Account.Id, cancel) : [];
                await log.Note(session.Actor, Act("ADD_PASSKEY", session, Words(before, before + 1, PasskeyMark.Of(made.CredentialId))), cancel);
            },
            cancel);
        if (refusal is not null)
        {
            return await Refuse(session, "ADD_PASSKEY", refusal, cancel);
        }

        if (renewed.Error is null)
        {
            coming.TryRemove(session.Handle, out _);
            if (given.Count > 0)
            {
                fresh.Keep(session.Handle, given);
            }
        }

        return renewed;
    }

    /// <summary>Takes a passkey away; the last one only where a phone stays or the role needs no second factor.</summary>
    /// <returns>
    /// The session under its new token, or <c>passkey.unknown</c>, <c>factor.required</c>, <c>session.ended</c>, or one of the codes of
    /// <see cref="Begin"/> for a password or a second factor that was not shown.
    /// </returns>
    public async Task<Result<SignedIn>> Remove(string? token, string? password, FactorProof proof, Guid passkey, CancellationToken cancel)
    {
        if (await sessions.Open(token, cancel) is not { } session)
        {
            return Sessions.HasEnded;
        }

        var shown = await factor.Show(session, password, proof, Act("REMOVE_PASSKEY", session, null), cancel);
        if (shown.Error is { } refused)
        {
            return refused;
        }

        using var owner = shown.Value;
        Error? refusal = null;
        var renewed = await sessions.Renew(
            session,
            owner.Hash,
            async change =>
            {
                var account = session.Account;
                var known = await passkeys.Of(change.Connection, account.Id, cancel);
                refusal = await PasskeyFactors.Remove(change.Connection, account.Id, passkey, cancel) ? null : NoSuchPasskey;
                if (refusal is null && !await SecondFactors.Has(change.Connection, account.Id, cancel))
                {
                    // Recovery codes stand for a factor; without one they would open nothing and frighten their owner.
                    await SecondFactors.Forget(change.Connection, account.Id, cancel);
                    refusal = await SecondFactors.Required(change.Connection, account.Role, cancel) ? SecondFactor.StillRequired : null;
                }

                if (refusal is not null)
                {
                    change.Keep = false;
                    return;
                }

                var gone = known.Single(row => row.Id == passkey);
                await log.Note(session.Actor, Act("REMOVE_PASSKEY", session, Words(known.Count, known.Count - 1, PasskeyMark.Of(gone.Credential))), cancel);
            },
            cancel);
        return refusal is null ? renewed : await Refuse(session, "REMOVE_PASSKEY", refusal, cancel);
    }

    /// <summary>What the browser is asked when an act wants the second factor once more, as JSON for <c>navigator.credentials.get</c>.</summary>
    /// <param name="token">Of the live session.</param>
    /// <param name="act">For which of the <see cref="FactorActs"/>: the answer is good for no other.</param>
    /// <param name="site">Where the page is open.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>The options, or <c>session.ended</c>, <c>passkey.act</c>, <c>passkey.address</c>, <c>passkey.none</c>.</returns>
    public async Task<Result<string>> Ask(string? token, string? act, PasskeySite? site, CancellationToken cancel)
    {
        if (await sessions.Open(token, cancel) is not { } session)
        {
            return Sessions.HasEnded;
        }

        if (!FactorActs.IsOne(act))
        {
            return NoSuchAct;
        }

        if (site is null)
        {
            return NoSite;
        }

        return await asking.Ask(session, site, act!, cancel) is { } options ? options : None;
    }

    private static Request Act(string action, LiveSession session, string? reason) => Sessions.Act(action, $"staff:{session.Account.Staff}", reason);

    /// <summary>What a person calls a passkey, as it is kept, or <c>passkey.name</c>.</summary>
    internal static Result<string> NameOf(string? typed)
    {
        var called = typed?.Trim().Normalize() ?? "";
        return called.Length is 0 or > LongestName || !IsLine(called) ? BadName : called;
    }

    /// <summary>How the log says that an account's passkeys changed.</summary>
    internal static string Words(long before, long after, string mark) =>
        string.Create(CultureInfo.InvariantCulture, $"passkeys {before} -> {after}, {(after > before ? "with" : "without")} {mark}");

    private static bool IsLine(string text) => text.EnumerateRunes().All(rune =>
        rune != Rune.ReplacementChar && Rune.GetUnicodeCategory(rune) is not
            (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator));

    private async Task<Error> Refuse(LiveSession session, string action, Error refusal, CancellationToken cancel)
    {
        await log.Refuse(session.Actor, Act(action, session, null), refusal, cancel);
        return refusal;
    }

    private Coming? Fresh(string handle) => coming.TryGetValue(handle, out var one) && one.Began.Elapsed(clock) < PendingSignIns.Life ? one : null;

    private sealed record Coming(string Name, string Hash, PasskeySite Site, Since Began)
    {
        public PasskeyTurn Turn { get; } = new();
    }
}
