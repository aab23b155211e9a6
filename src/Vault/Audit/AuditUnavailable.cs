using Mangrove.Kernel;

namespace Mangrove.Vault.Audit;

/// <summary>
/// The act could not be recorded durably, so it MUST NOT happen. Code <c>audit.unavailable</c>. Whether the entry reached
/// the disk is unknown; what is certain is that nobody got a receipt.
/// </summary>
public sealed class AuditUnavailable : RefusedInput
{
    /// <summary>The stable code.</summary>
    public const string StableCode = "audit.unavailable";

    internal AuditUnavailable(string advice)
        : base(StableCode, advice)
    {
    }
}
