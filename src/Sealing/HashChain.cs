using System.Security.Cryptography;

namespace Mangrove.Sealing;

/// <summary>
/// A chain of SHA-256 hashes: each entry's hash covers the hash before it, so no entry can be changed, removed or
/// moved without changing every later hash. The prefix 0x02 keeps chain hashes apart from leaves and nodes.
/// </summary>
public static class HashChain
{
    /// <summary>Length of every hash in bytes.</summary>
    public const int HashSize = SHA256.HashSizeInBytes;

    /// <summary>What stands before the first entry: 32 zero bytes.</summary>
    public static ReadOnlySpan<byte> Genesis => new byte[HashSize];

    /// <summary>SHA-256(0x02 || previous || entry).</summary>
    /// <param name="previous">The hash of the entry before, or <see cref="Genesis"/>.</param>
    /// <param name="entry">The entry's canonical bytes, exactly as stored (<see cref="CanonicalWriter"/>).</param>
    public static byte[] Next(ReadOnlySpan<byte> previous, ReadOnlySpan<byte> entry)
    {
        var hash = new byte[HashSize];
        Next(previous, entry, hash);
        return hash;
    }

    /// <summary>As above, written to <paramref name="destination"/>, which may be <paramref name="previous"/>.</summary>
    public static void Next(ReadOnlySpan<byte> previous, ReadOnlySpan<byte> entry, Span<byte> destination)
    {
        if (previous.Length != HashSize)
        {
            throw new ArgumentException("A hash is exactly 32 bytes.", nameof(previous));
        }

        Hashing.Prefixed(0x02, previous, entry, destination);
    }
}
