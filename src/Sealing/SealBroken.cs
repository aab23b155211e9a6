using System.Security.Cryptography;

namespace Mangrove.Sealing;

/// <summary>
/// An envelope or a wrapped key did not open. There is one code and one message for every cause (malformed header,
/// unknown key, wrong place, wrong tag), so that nobody learns from the answer which check failed (threats K6).
/// Whoever looks keys up by id throws this very exception for an unknown one.
/// </summary>
public sealed class SealBroken : CryptographicException
{
    /// <summary>The stable code of every broken seal.</summary>
    public const string StableCode = "seal.broken";

    /// <summary>Makes the exception with its one message.</summary>
    public SealBroken()
        : base("A sealed value did not open. Compare the database with its backup and the audit log.")
    {
    }

    /// <summary>Always <see cref="StableCode"/>.</summary>
    public string Code { get; } = StableCode;
}
