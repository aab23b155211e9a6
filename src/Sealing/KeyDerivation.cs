using System.Security.Cryptography;

namespace Mangrove.Sealing;

/// <summary>Keys and fingerprints from other secrets: HKDF, PBKDF2 and HMAC, all over SHA-256.</summary>
public static class KeyDerivation
{
    /// <summary>The fewest PBKDF2 rounds that protect a new passphrase (threats K11).</summary>
    public const int FewestIterations = 600_000;

    /// <summary>The most rounds that are computed, so that a planted file cannot keep the machine busy for hours.</summary>
    public const int MostIterations = 100_000_000;

    /// <summary>The shortest salt of a passphrase, in bytes.</summary>
    public const int ShortestSalt = 16;

    private const int ShortestFingerprint = 4;

    /// <summary>A key for one purpose from another key: HKDF-SHA-256 (RFC 5869), extract and expand.</summary>
    /// <param name="key">The input key.</param>
    /// <param name="salt">May be empty.</param>
    /// <param name="info">What the new key is for; different purposes MUST differ here.</param>
    public static KeyMaterial Derive(KeyMaterial key, ReadOnlySpan<byte> salt, ReadOnlySpan<byte> info)
    {
        Span<byte> derived = stackalloc byte[KeyMaterial.Size];
        try
        {
            Hkdf(key.Bytes, salt, info, derived);
            return KeyMaterial.From(derived);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(derived);
        }
    }

    /// <summary>
    /// A key from a passphrase: PBKDF2-HMAC-SHA-256 (RFC 8018) over its UTF-8 bytes in Unicode NFC, so that the same
    /// words typed on another keyboard give the same key.
    /// </summary>
    /// <param name="passphrase">Not empty; zeroing it stays with the caller.</param>
    /// <param name="salt">At least 16 random bytes, one per installation.</param>
    /// <param name="iterations">600,000 to 100,000,000.</param>
    /// <exception cref="ArgumentException">A parameter is out of range, or the passphrase is not valid text.</exception>
    public static KeyMaterial FromPassphrase(ReadOnlySpan<char> passphrase, ReadOnlySpan<byte> salt, int iterations)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(iterations, FewestIterations);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(iterations, MostIterations);
        if (salt.Length < ShortestSalt)
        {
            throw new ArgumentException("A salt is at least 16 bytes.", nameof(salt));
        }

        if (passphrase.IsEmpty)
        {
            throw new ArgumentException("A passphrase is not empty.", nameof(passphrase));
        }

        Span<byte> derived = stackalloc byte[KeyMaterial.Size];
        var utf8 = NormalText.Utf8(passphrase)
            ?? throw new ArgumentException("A passphrase is valid Unicode text.", nameof(passphrase));
        try
        {
            Pbkdf2(utf8, salt, iterations, derived);
            return KeyMaterial.From(derived);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(utf8);
            CryptographicOperations.ZeroMemory(derived);
        }
    }

    /// <summary>
    /// A keyed fingerprint for a blind index: HMAC-SHA-256 cut to its first bytes (RFC 2104, section 5). Short ones
    /// collide on purpose; what finds a row by one MUST compare the opened value as well (threats K8).
    /// </summary>
    /// <param name="key">A key for one column of one facility.</param>
    /// <param name="value">The normalised value.</param>
    /// <param name="length">4 to 32 bytes.</param>
    public static byte[] Fingerprint(KeyMaterial key, ReadOnlySpan<byte> value, int length)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(length, ShortestFingerprint);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, HMACSHA256.HashSizeInBytes);
        Span<byte> whole = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(key.Bytes, value, whole);
        return whole[..length].ToArray();
    }

    /// <summary>HKDF-SHA-256 on plain bytes: up to 8,160 bytes of output.</summary>
    public static void Hkdf(
        ReadOnlySpan<byte> input, ReadOnlySpan<byte> salt, ReadOnlySpan<byte> info, Span<byte> destination) =>
        HKDF.DeriveKey(HashAlgorithmName.SHA256, input, destination, salt, info);

    /// <summary>
    /// PBKDF2-HMAC-SHA-256 on plain bytes, without the rules for new passphrases: for reading formats of others.
    /// </summary>
    public static void Pbkdf2(
        ReadOnlySpan<byte> password, ReadOnlySpan<byte> salt, int iterations, Span<byte> destination) =>
        Rfc2898DeriveBytes.Pbkdf2(password, salt, destination, iterations, HashAlgorithmName.SHA256);
}
