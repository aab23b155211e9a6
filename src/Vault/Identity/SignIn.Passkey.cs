using Mangrove.Kernel;

namespace Mangrove.Vault.Identity;

/// <summary>The second step by a passkey. It counts as many tries as a code does, by the same ticket and the same device.</summary>
public sealed partial class SignIn
{
    /// <summary>What the browser is asked, as JSON for <c>navigator.credentials.get</c>. The answer counts once, for three minutes, on this device.</summary>
    /// <param name="ticket">Of the first step.</param>
    /// <param name="device">Where the ticket was given.</param>
    /// <param name="site">Where the page is open; null for a bare address.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>The options, or <c>signin.expired</c>, <c>passkey.none</c>.</returns>
    public async Task<Result<string>> AskPasskey(string? ticket, string device, PasskeySite? site, CancellationToken cancel)
    {
        if (pending.Find(ticket, device) is not { MustEnrol: false } found)
        {
            return TicketOver;
        }

        if (site is null || await sessions.Read(connection => passkeys.Ask(connection, found.Account, site, cancel), cancel) is not { } asked)
        {
            return Passkeys.None;
        }

        found.Passkey.Put(asked.Challenge);
        return asked.Options;
    }

    /// <summary>The second step: a passkey of the account, shown to this ticket.</summary>
    /// <param name="ticket">Of the first step.</param>
    /// <param name="answer">What the browser answered to <see cref="AskPasskey"/>, as JSON.</param>
    /// <param name="device">Where the ticket was given.</param>
    /// <param name="site">Where the page is open.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>
    /// The session, or <c>signin.expired</c> (begin again), <c>passkey.expired</c> (too late, or sent before), <c>passkey.refused</c>,
    /// <c>passkey.count</c> (its count went back), <c>signin.wait</c>.
    /// </returns>
    public async Task<Result<SignedIn>> Passkey(string? ticket, string? answer, string device, PasskeySite? site, CancellationToken cancel)
    {
        var counted = await Count(ticket, device, mustEnrol: false, cancel);
        if (counted.Error is { } over)
        {
            return over;
        }

        // Taken before anything is checked: of answers at the same time one is looked at, and a wrong one is not tried again.
        var (found, subjects) = counted.Value;
        var challenge = found.Passkey.Take(site, clock);
        var used = PasskeyUse.No;
        var step = challenge is null ? null : await Begin(
            found.Account.Id,
            found.Hash,
            device,
            async (change, account) =>
            {
                used = await passkeys.Use(change.Connection, account, challenge, answer, cancel);
                return used.Counted ? Answer.GoOn : Answer.No;
            },
            () => $"password and passkey {used.Mark}",
            cancel);
        if (step?.Session is not { } session)
        {
            await traces.CountWrong(found.Account.Id, cancel);
            var refusal = challenge is null ? Passkeys.TooOld : used.WentBack ? Passkeys.CountWentBack : Passkeys.NotShown;
            await log.Refuse(
                Actor.Maker.Staff(found.Account, device, Actor.Maker.NoSession),
                Sessions.Act("SIGN_IN_REFUSED", used.Mark is null ? "sign-in" : $"passkey:{used.Mark}", "second factor"),
                refusal,
                cancel);
            return refusal;
        }

        await Done(ticket, subjects, cancel);
        return session;
    }

    /// <summary>
    /// What the browser of somebody is asked who has to have a second factor and has none, as JSON for
    /// <c>navigator.credentials.create</c>: a passkey in place of the phone.
    /// </summary>
    /// <param name="ticket">Of the first step.</param>
    /// <param name="device">Where the ticket was given.</param>
    /// <param name="site">Where the page is open; null for a bare address.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>The options, or <c>signin.expired</c>, <c>passkey.address</c>.</returns>
    public async Task<Result<string>> MakePasskey(string? ticket, string device, PasskeySite? site, CancellationToken cancel)
    {
        if (pending.Find(ticket, device) is not { MustEnrol: true } found)
        {
            return TicketOver;
        }

        if (site is null)
        {
            return Passkeys.NoSite;
        }

        cancel.ThrowIfCancellationRequested();
        var (options, challenge) = await PasskeyCheck.Create(found.Account, [], site, clock);
        found.Passkey.Put(challenge);
        return options;
    }

    /// <summary>Keeps the first passkey of somebody who had no second factor, and signs in.</summary>
    /// <param name="ticket">Of the first step.</param>
    /// <param name="name">What the person calls the passkey.</param>
    /// <param name="answer">What the browser answered to <see cref="MakePasskey"/>, as JSON.</param>
    /// <param name="device">Where the ticket was given.</param>
    /// <param name="site">Where the page is open.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>
    /// The session, which shows the recovery codes next (<see cref="SecondFactor.TakeCodes"/>), or <c>signin.expired</c>, <c>signin.wait</c>,
    /// <c>passkey.name</c>, <c>passkey.expired</c>, <c>passkey.not-made</c>.
    /// </returns>
    public async Task<Result<SignedIn>> FirstPasskey(string? ticket, string? name, string? answer, string device, PasskeySite? site, CancellationToken cancel)
    {
        // A name that cannot be kept costs no try: nothing of the passkey was looked at.
        var called = Passkeys.NameOf(name);
        if (called.Error is { } unnamed)
        {
            return pending.Find(ticket, device) is { MustEnrol: true } ? unnamed : TicketOver;
        }

        var counted = await Count(ticket, device, mustEnrol: true, cancel);
        if (counted.Error is { } over)
        {
            return over;
        }

        var (found, subjects) = counted.Value;
        var challenge = found.Passkey.Take(site, clock);
        if (challenge is null || await PasskeyCheck.Created(found.Account, [], challenge, answer) is not { } made)
        {
            await traces.CountWrong(found.Account.Id, cancel);
            return await RefuseStep(found, device, challenge is null ? Passkeys.TooOld : Passkeys.NotMade, cancel);
        }

        IReadOnlyList<string> codes = [];
        var taken = false;
        var begun = await Begin(
            found.Account.Id,
            found.Hash,
            device,
            async (change, account) =>
            {
                // The owner may have set up a factor since this ticket was given: a password alone never adds one beside it.
                if (await SecondFactors.Standing(change.Connection, account, cancel) == FactorStanding.Enrolled)
                {
                    return Answer.No;
                }

                if (!await passkeys.Keep(change.Connection, account.Id, challenge.Site, called.Value, made, cancel))
                {
                    taken = true;
                    return Answer.No;
                }

                codes = await factors.NewCodes(change.Connection, account.Id, cancel);
                var act = Sessions.Act("ADD_PASSKEY", $"staff:{account.Staff}", Passkeys.Words(0, 1, PasskeyMark.Of(made.CredentialId)));
                await log.Note(Actor.Maker.Staff(account, device, Actor.Maker.NoSession), act, cancel);
                return Answer.GoOn;
            },
            () => $"password and first passkey {PasskeyMark.Of(made.CredentialId)}",
            cancel);
        if (begun?.Session is not { } session)
        {
            if (taken)
            {
                return await RefuseStep(found, device, Passkeys.NotMade, cancel);
            }

            pending.Close(ticket);
            return await RefuseStep(found, device, TicketOver, cancel);
        }

        fresh.Keep(session.Actor.SessionId, codes);
        await Done(ticket, subjects, cancel);
        return session;
    }

    private async Task<Error> RefuseStep(PendingSignIn found, string device, Error refusal, CancellationToken cancel)
    {
        await log.Refuse(Actor.Maker.Staff(found.Account, device, Actor.Maker.NoSession), Sessions.Act("SIGN_IN_REFUSED", "sign-in", "second factor"), refusal, cancel);
        return refusal;
    }
}
