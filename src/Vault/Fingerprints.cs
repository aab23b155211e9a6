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

    /// <param name="kind">What is fingerprinted, so that equal values of two kinds differ.</param>
    /// <param name="value">The value.</param>
    public byte[] Of(string kind, ReadOnlySpan<byte> value) => KeyDerivation.Fingerprint(keys.Of(KeyPurpose.Index), [.. Encoding.UTF8.GetBytes(kind), 0, .. value], 16);

    public byte[] Of(string kind, string value) => Of(kind, Encoding.UTF8.GetBytes(value));
}
