namespace Mangrove.Vault.Identity;

/// <summary>What a passkey was asked to sign, and where: kept on the server alone.</summary>
/// <param name="State">The framework's own note of the challenge and of whose passkey is asked.</param>
/// <param name="Site">Where it was asked, and where alone the answer counts.</param>
/// <param name="Made">When.</param>
internal sealed record PasskeyChallenge(string State, PasskeySite Site, Since Made)
{
    /// <summary>How long an answer may take: time to find the key and touch it.</summary>
    public static readonly TimeSpan Life = TimeSpan.FromMinutes(3);

    /// <summary>Without the challenge.</summary>
    public override string ToString() => nameof(PasskeyChallenge);
}

/// <summary>The one challenge that is out in a place. Another takes the place of it, and whoever takes it first has it alone.</summary>
internal sealed class PasskeyTurn
{
    private PasskeyChallenge? waiting;

    public void Put(PasskeyChallenge challenge) => Interlocked.Exchange(ref waiting, challenge);

    /// <summary>Takes the challenge, whatever becomes of the answer: it is gone afterwards. Null when there is none, when it is too old or was asked elsewhere.</summary>
    public PasskeyChallenge? Take(PasskeySite? site, TimeProvider clock) =>
        Interlocked.Exchange(ref waiting, null) is { } one && one.Site == site && one.Made.Elapsed(clock) < PasskeyChallenge.Life ? one : null;
}
