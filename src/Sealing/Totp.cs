using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Mangrove.Sealing;

/// <summary>The hash of a one-time code. Authenticator apps agree only on SHA-1, which is sound inside HMAC.</summary>
public enum TotpHash
{
    Sha1,
    Sha256,
    Sha512,
}

/// <summary>
/// One-time codes from time, RFC 6238 over RFC 4226: the algorithm only. Which steps are accepted, and that each is
/// accepted once, is the business of whoever checks a code (threats S5).
/// </summary>
public static class Totp
{
    /// <summary>Length of a step in seconds.</summary>
    public const int StepSeconds = 30;

    /// <summary>The code of a step.</summary>
    /// <param name="secret">The shared secret; 20 bytes for SHA-1 by RFC 4226.</param>
    /// <param name="step">The counter: whole steps since 1970-01-01 UTC.</param>
    /// <param name="digits">6 to 8.</param>
    /// <param name="hash">SHA-1 unless the device was set up otherwise.</param>
    public static string Code(ReadOnlySpan<byte> secret, long step, int digits = 6, TotpHash hash = TotpHash.Sha1)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(step);
        ArgumentOutOfRangeException.ThrowIfLessThan(digits, 6);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(digits, 8);
        if (secret.IsEmpty)
        {
            throw new ArgumentException("A secret is not empty.", nameof(secret));
        }

        Span<byte> counter = stackalloc byte[8];
        BinaryPrimitives.WriteInt64BigEndian(counter, step);
        Span<byte> mac = stackalloc byte[64];
        mac = mac[..CryptographicOperations.HmacData(NameOf(hash), secret, counter, mac)];

        // Dynamic truncation, RFC 4226 section 5.3.
        var number = BinaryPrimitives.ReadUInt32BigEndian(mac[(mac[^1] & 0x0f)..]) & 0x7fff_ffff;
        CryptographicOperations.ZeroMemory(mac);
        var modulus = digits switch { 6 => 1_000_000u, 7 => 10_000_000u, _ => 100_000_000u };
        return (number % modulus).ToString("D" + digits.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
    }

    /// <summary>Whether this is the code of the step, compared in constant time.</summary>
    public static bool Matches(
        ReadOnlySpan<byte> secret, long step, ReadOnlySpan<char> code, int digits = 6, TotpHash hash = TotpHash.Sha1) =>
        CryptographicOperations.FixedTimeEquals(
            MemoryMarshal.AsBytes(Code(secret, step, digits, hash).AsSpan()), MemoryMarshal.AsBytes(code));

    private static HashAlgorithmName NameOf(TotpHash hash) => hash switch
    {
        TotpHash.Sha1 => HashAlgorithmName.SHA1,
        TotpHash.Sha256 => HashAlgorithmName.SHA256,
        TotpHash.Sha512 => HashAlgorithmName.SHA512,
        _ => throw new ArgumentOutOfRangeException(nameof(hash)),
    };
}
