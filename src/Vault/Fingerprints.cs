using System.Text;
using Mangrove.Sealing;
using Mangrove.Vault.Keys;

namespace Mangrove.Vault;

/// <summary>
/// Keyed fingerprints (HMAC-SHA-256 under the index key, 16 bytes) by which a thing that came before is recognised
/// without storing what it was. Only for values with much entropy, such as resource ids (threat K8).
/// </summary>
public sealed class Fingerprints
{
    private readonly KeyRing keys;

    internal Fingerprints(KeyRing keys) => this.keys = keys;

    /// <summary>
    /// The versions of the index key that there are now. Taken inside an act (<see cref="Door.Open"/>) and used no longer than
    /// it: for as long no version of them goes, and nothing that the act does not know of is fingerprinted under a newer one.
    /// </summary>
    public FingerprintKeys Now() => new(keys.Versions(KeyPurpose.Index));
}

/// <summary>The versions of the index key while an act lasts. What is new is fingerprinted under the newest.</summary>
public sealed class FingerprintKeys
{
    private readonly Dictionary<int, KeyMaterial> keys;

    internal FingerprintKeys(IReadOnlyList<PurposeKey> versions)
    {
        keys = versions.ToDictionary(static one => one.Version, static one => one.Key);
        Newest = versions[0].Version;
        Older = [.. versions.Skip(1).Select(static one => one.Version)];
    }

    /// <summary>The version in use.</summary>
    public int Newest { get; }

    /// <summary>Versions under which something may still be known while it is being moved.</summary>
    public IReadOnlyList<int> Older { get; }

    /// <param name="version">One of <see cref="Newest"/> and <see cref="Older"/>.</param>
    /// <param name="kind">What is fingerprinted, so that equal values of two kinds differ.</param>
    /// <param name="value">The value.</param>
    /// <returns>16 bytes.</returns>
    public byte[] Of(int version, string kind, ReadOnlySpan<byte> value) => KeyDerivation.Fingerprint(keys[version], [.. Encoding.UTF8.GetBytes(kind), 0, .. value], 16);

    public byte[] Of(int version, string kind, string value) => Of(version, kind, Encoding.UTF8.GetBytes(value));
}
