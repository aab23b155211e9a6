using Mangrove.Kernel;
using Mangrove.Vault.Audit;

namespace Mangrove.Vault.Identity;

/// <summary>
/// Asks the person of a live session for the password once more, before something of their account changes: whoever
/// sits at an unlocked screen is not thereby its owner. Wrong ones count together with wrong sign-ins at the same device.
/// </summary>
internal sealed class OwnerCheck(Store store, Receipt.Log log, PasswordGate passwords, SignInThrottle throttle)
{
    private static Error WrongCurrent { get; } = new("password.current-wrong", "The current password is wrong. Type the one you signed in with.");

    /// <summary>Checks the password.</summary>
    /// <param name="session">The live session.</param>
    /// <param name="current">The password as typed.</param>
    /// <param name="act">What is to be done; a refusal is an entry of that name.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>
    /// The proof, to be disposed when the act is done, or <c>password.current-wrong</c>, <c>signin.wait</c>,
    /// <c>signin.busy</c>.
    /// </returns>
    public async Task<Result<Owner>> Ask(LiveSession session, string? current, Request act, CancellationToken cancel)
    {
        var place = passwords.TryEnter();
        if (place is null)
        {
            return SignIn.Busy;
        }

        var kept = false;
        try
        {
            var subject = throttle.Subject(session.Account.User.ToUpperInvariant(), session.Device);
            if (await throttle.Count(subject, cancel) is { } waiting)
            {
                if (waiting.First)
                {
                    await log.Refuse(session.Actor, act, waiting.Refusal, cancel);
                }

                return waiting.Refusal;
            }

            var hash = await Hash(session.Account.Id, cancel);
            if (hash is null || !PasswordGate.IsPassword(current) || !(await place.Verify(current!, hash, cancel)).Matches)
            {
                await log.Refuse(session.Actor, act, WrongCurrent, cancel);
                return WrongCurrent;
            }

            await throttle.Clear(subject, cancel);
            kept = true;
            return new Owner(hash, place);
        }
        finally
        {
            if (!kept)
            {
                place.Dispose();
            }
        }
    }

    private async Task<string?> Hash(Guid account, CancellationToken cancel)
    {
        await using var connection = await store.Open(cancel);
        return (string?)await connection.Scalar("SELECT hash FROM account WHERE id = @id AND state = @active", cancel, ("@id", account), ("@active", (int)AccountState.Active));
    }
}

/// <summary>The owner of a session has shown to be there, a moment ago.</summary>
/// <param name="Hash">The hash of the password that was checked: the act holds only while it is still the account's.</param>
/// <param name="Place">The caller's place at the hasher.</param>
internal sealed record Owner(string Hash, PasswordGate.Place Place) : IDisposable
{
    public void Dispose() => Place.Dispose();

    /// <summary>Without the hash.</summary>
    public override string ToString() => nameof(Owner);
}
