namespace Mangrove.Vault.Identity;

/// <summary>The second factor of a signed-in person, shown once more: a code, or the answer of a passkey.</summary>
/// <param name="Code">From the phone, or a recovery code.</param>
/// <param name="Passkey">The browser's answer to <see cref="Passkeys.Ask"/>, as JSON.</param>
/// <param name="Site">Where the page is open; null for a bare address.</param>
public readonly record struct FactorProof(string? Code, string? Passkey = null, PasskeySite? Site = null)
{
    /// <summary>Without what was shown.</summary>
    public override string ToString() => nameof(FactorProof);
}
