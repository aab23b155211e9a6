using System.Collections.Concurrent;
using Mangrove.Kernel;

namespace Mangrove.Vault.Identity;

/// <summary>Asks signed-in people for their second factor once more. Challenges are kept by session, one each, in memory only.</summary>
internal sealed class FreshFactor(Sessions sessions, SecondFactors codes, PasskeyFactors passkeys, TimeProvider clock)
{
    private readonly ConcurrentDictionary<string, (PasskeyTurn Turn, Since Made)> turns = new(StringComparer.Ordinal);

    /// <summary>What the browser of a session is asked; null when its person has no passkey at this site.</summary>
    public async Task<string?> Ask(LiveSession session, PasskeySite site, CancellationToken cancel)
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
        turns[session.Handle] = (turn, asked.Challenge.Made);
        return asked.Options;
    }

    /// <summary>
    /// Whether the second factor was shown, where the account has one; it is used up by that. Null on success, else why
    /// not. Inside the caller's transaction, which is kept only on success.
    /// </summary>
    public async Task<Error?> Show(SessionChange change, LiveSession session, FactorProof proof, CancellationToken cancel)
    {
        if (!await SecondFactors.Has(change.Connection, session.Account.Id, cancel))
        {
            return null;
        }

        if (string.IsNullOrEmpty(proof.Passkey))
        {
            return await codes.Spend(change.Connection, session.Account.Id, proof.Code, cancel) == SpentCode.None ? SecondFactor.WrongCode : null;
        }

        if (!turns.TryRemove(session.Handle, out var asked) || asked.Turn.Take(proof.Site, clock) is not { } challenge)
        {
            return Passkeys.TooOld;
        }

        var used = await passkeys.Use(change.Connection, session.Account, challenge, proof.Passkey, cancel);
        return used.Counted ? null : used.WentBack ? Passkeys.CountWentBack : Passkeys.NotShown;
    }
}
