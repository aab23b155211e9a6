using Mangrove.Sealing;

namespace Mangrove.Vault.Holds;

/// <summary>
/// Under what the words of legal holds are sealed: a key that hangs from the pepper, as the words of emergency access are,
/// because the vault's own tables have no patient's key. A rotation of the pepper moves them.
/// </summary>
internal static class HoldSealing
{
    /// <summary>What the key is derived for.</summary>
    public static ReadOnlySpan<byte> Use => "mangrove words of legal holds"u8;

    /// <summary>Where a text lies: in its row, about its hold.</summary>
    public static CellAddress Address(Guid row, Guid hold) => new(Guid.Empty, "hold_words", "words", row, hold, 1);
}
