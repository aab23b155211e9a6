using System.Security.Cryptography;
using Mangrove.Sealing;
using Mangrove.Vault.Keys;

namespace Mangrove.Vault.Identity;

/// <summary>
/// The pepper in every version that still opens something. New hashes and seals take the newest; old ones name theirs, in the
/// hash, in the envelope or in a column, or are looked for under each where only their owner can make them anew.
/// </summary>
internal sealed class Peppers(KeyRing keys)
{
    /// <summary>Keeps every version from being retired until it is disposed.</summary>
    public KeyHolds.Hold Hold() => keys.Hold();

    /// <summary>The versions, newest first.</summary>
    public IReadOnlyList<PurposeKey> Versions => keys.Versions(KeyPurpose.Pepper);

    public PurposeKey Newest => keys.Newest(KeyPurpose.Pepper);

    /// <summary>The hasher of passwords and PINs. Its callers hold the pepper.</summary>
    public PasswordHasher Hasher(int cost) => new(
        () => (Newest.Version, Newest.Key),
        version => Versions.FirstOrDefault(one => one.Version == version)?.Key,
        cost);

    /// <summary>HMAC-SHA-256 under the newest version.</summary>
    public (int Version, byte[] Mac) Mac(ReadOnlySpan<byte> message)
    {
        using var held = Hold();
        var key = Newest;
        return (key.Version, HMACSHA256.HashData(key.Key.Bytes, message));
    }

    /// <summary>The same under every version, newest first: what it may have been stored as.</summary>
    public List<byte[]> MacsOf(ReadOnlySpan<byte> message)
    {
        using var held = Hold();
        var all = new List<byte[]>();
        foreach (var version in Versions)
        {
            all.Add(HMACSHA256.HashData(version.Key.Bytes, message));
        }

        return all;
    }

    /// <summary>Seals under a key that hangs from the newest version; the envelope names it.</summary>
    /// <param name="use">What the key is derived for.</param>
    /// <param name="plain">What is sealed.</param>
    /// <param name="place">Where it will lie.</param>
    public byte[] Seal(ReadOnlySpan<byte> use, ReadOnlySpan<byte> plain, in CellAddress place)
    {
        using var held = Hold();
        var pepper = Newest;
        using var key = KeyDerivation.Derive(pepper.Key, [], use);
        return Envelope.Seal(plain, key, Guid.Empty, pepper.Version, place);
    }

    /// <summary>Opens what <see cref="Seal"/> made, under the version that it names.</summary>
    /// <exception cref="SealBroken">Not of this place, changed, or of a version that there is not.</exception>
    public byte[] Open(ReadOnlySpan<byte> use, ReadOnlySpan<byte> envelope, in CellAddress place)
    {
        using var held = Hold();
        using var key = KeyDerivation.Derive(keys.Of(KeyPurpose.Pepper, Envelope.ReadHeader(envelope).KeyVersion), [], use);
        return Envelope.Open(envelope, key, place);
    }
}
