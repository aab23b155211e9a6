using Mangrove.Sealing;

namespace Mangrove.Vault.Glass;

/// <summary>
/// Under what the words of emergency access are sealed: a key that hangs from the pepper, as the secrets of phones are, because the
/// vault's own tables have no patient's key (decision 27). A rotation of the pepper moves them.
/// </summary>
internal static class GlassSealing
{
    /// <summary>What the key is derived for.</summary>
    public static ReadOnlySpan<byte> Use => "mangrove words of emergency access"u8;

    /// <summary>Where a text lies: in its row, about its access.</summary>
    public static CellAddress Address(Guid row, Guid glass) => new(Guid.Empty, "glass_words", "words", row, glass, 1);
}
