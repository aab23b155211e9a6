using System.Collections.Concurrent;
using Mangrove.Kernel;

namespace Mangrove.Vault.Identity;

/// <summary>
/// Asks signed-in people for their second factor once more. Challenges are kept by session, one each, in memory only, each for
/// one act. Five wrong answers of either kind, and the session is asked no more: whoever sits at a screen that is not theirs
/// does not try a million.
/// </summary>
internal sealed class FreshFactor(Sessions sessions, SecondFactors codes, PasskeyFactors passkeys, TimeProvider clock)
{
    // As at the sign-in and at the lock.
    private const int MostWrong = 5;

    private readonly ConcurrentDictionary<string, (PasskeyTurn Turn, string Act, Since Made)> turns = new(StringComparer.Ordinal);

    // What was shown and has not been right yet, by session.
    private readonly ConcurrentDictionary<string, int> wrong = new(StringComparer.Ordinal);

    private static Error Nothing { get; } = new("factor.code", "This needs your second factor. Type a code from your phone or a recovery code, or show a passkey.");

    private static Error TooMany { get; } = new("factor.too-many", "Five codes or passkeys were wrong. Sign out, sign in again and repeat it.");

    /// <summary>What the browser of a session is asked for an act; null when its person has no passkey at this site.</summary>
    public async Task<string?> Ask(LiveSession session, PasskeySite site, string act, CancellationToken cancel)
    {
        foreach (var (other, one) in turns)
        {
            if (one.Made.Elapsed(clock) >= PasskeyChallenge.Life)
            {
                turns.TryRemove(other, out _);
            }
        }

        if (await sessions.Read(connection => passkeys.Ask(connection, session.Account, site, cancel), cancel) is not { } asked)
        {
            return null;
        }

        var turn = new PasskeyTurn();
        turn.Put(asked.Challenge);
        turns[session.Handle] = (turn, act, asked.Challenge.Made);
        return asked.Options;
    }

    /// <summary>
    /// Whether the second factor was shown, where the account has one; it is used up by that. Null on success, else why
    /// not. Inside the caller's transaction, which is kept only on success.
    /// </summary>
    public async Task<Error?> Show(SessionChange change, LiveSession session, FactorProof proof, CancellationToken cancel) =>
        await SecondFactors.Has(change.Connection, session.Account.Id, cancel)
            ? await Prove(change, session.Account, session.Handle, proof, FactorActs.Own, cancel)
            : null;

    /// <summary>As <see cref="Show"/>, for an act that is never done without a second factor.</summary>
    /// <returns>Null when it was shown, else <c>factor.code</c>, <c>factor.too-many</c>, <c>passkey.refused</c>, <c>passkey.expired</c>, <c>passkey.count</c>.</returns>
    public async Task<Error?> Prove(SessionChange change, Actor actor, FactorProof proof, string act, CancellationToken cancel)
    {
        var accounts = await change.Connection.Query($"SELECT {Account.Columns} FROM account WHERE number = @number", Account.Read, cancel, ("@number", actor.Staff.Number));
        return accounts is [var account] ? await Prove(change, account, actor.SessionId, proof, act, cancel) : SecondFactor.WrongCode;
    }

    private async Task<Error?> Prove(SessionChange change, Account account, string session, FactorProof proof, string act, CancellationToken cancel)
    {
        // Nothing was shown, so nothing was guessed: whoever forgot it is not counted among the wrong.
        if (string.IsNullOrEmpty(proof.Passkey) && string.IsNullOrWhiteSpace(proof.Code))
        {
            return Nothing;
        }

        // Counted before it is looked at, so that many at once gain nothing.
        if (wrong.AddOrUpdate(session, 1, (_, count) => count + 1) > MostWrong)
        {
            return TooMany;
        }

        var refused = string.IsNullOrEmpty(proof.Passkey)
            ? await codes.Spend(change.Connection, account.Id, proof.Code, cancel) == SpentCode.None ? SecondFactor.WrongCode : null
            : await Shown(change, account, session, proof, act, cancel);
        if (refused is null)
        {
            wrong.TryRemove(session, out _);
        }

        return refused;
    }

    private async Task<Error?> Shown(SessionChange change, Account account, string session, FactorProof proof, string act, CancellationToken cancel)
    {
        // Taken whatever it was asked for: an answer that was tried for another act is not tried again for the right one.
        if (!turns.TryRemove(session, out var asked) || asked.Turn.Take(proof.Site, clock) is not { } challenge || asked.Act != act)
        {
            return Passkeys.TooOld;
        }

        var used = await passkeys.Use(change.Connection, account, challenge, proof.Passkey, cancel);
        return used.Counted ? null : used.WentBack ? Passkeys.CountWentBack : Passkeys.NotShown;
    }
}
