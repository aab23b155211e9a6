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
}
