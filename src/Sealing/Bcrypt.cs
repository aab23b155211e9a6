using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Mangrove.Sealing;

/// <summary>
/// bcrypt (Provos and Mazières, "A Future-Adaptable Password Scheme", 1999) on bytes. Writes <c>$2b$</c>; verifies
/// <c>$2a$</c>, <c>$2b$</c> and <c>$2y$</c>; refuses <c>$2x$</c>, which marks hashes of a faulty implementation. It
/// sees 72 bytes of a password and stops at a zero byte: people's passwords go through <see cref="PasswordHasher"/>.
/// </summary>
public static class Bcrypt
{
    /// <summary>Length of every hash, in ASCII characters.</summary>
    public const int HashLength = 60;

    /// <summary>The smallest cost: 2^4 rounds.</summary>
    public const int LowestCost = 4;

    /// <summary>The greatest cost: 2^31 rounds.</summary>
    public const int HighestCost = 31;

    private const int LongestPassword = 72;
    private const int SaltSize = 16;
    private const int DigestSize = 23; // of 24 bytes; the original left the last one out and everybody followed
    private const int SaltLength = 22;
    private const string Alphabet = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

    /// <summary>A new hash with a random salt.</summary>
    /// <param name="password">Up to 72 bytes, none of them zero: a longer one would be cut off without a word.</param>
    /// <param name="cost">Binary logarithm of the rounds, 4 to 31.</param>
    /// <exception cref="ArgumentException">The password is longer, holds a zero byte, or the cost is out of range.</exception>
    public static string Hash(ReadOnlySpan<byte> password, int cost)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(cost, LowestCost);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(cost, HighestCost);
        if (password.Length > LongestPassword || password.Contains((byte)0))
        {
            throw new ArgumentException("bcrypt takes up to 72 bytes without a zero byte.", nameof(password));
        }

        Span<byte> salt = stackalloc byte[SaltSize];
        Span<byte> digest = stackalloc byte[DigestSize];
        RandomNumberGenerator.Fill(salt);
        Digest(password, salt, cost, 'b', digest);

        Span<char> hash = stackalloc char[HashLength];
        "$2b$".CopyTo(hash);
        hash[4] = (char)('0' + (cost / 10));
        hash[5] = (char)('0' + (cost % 10));
        hash[6] = '$';
        Encode(salt, hash[7..29]);
        Encode(digest, hash[29..]);
        return new string(hash);
    }

    /// <summary>Whether this is a hash of this password. Anything but a well-formed hash is not.</summary>
    public static bool Verify(ReadOnlySpan<byte> password, ReadOnlySpan<char> hash)
    {
        Span<byte> salt = stackalloc byte[SaltSize];
        Span<byte> expected = stackalloc byte[DigestSize];
        if (!TryParse(hash, out var variant, out var cost, salt, expected) || password.Contains((byte)0))
        {
            return false;
        }

        Span<byte> digest = stackalloc byte[DigestSize];
        Digest(password, salt, cost, variant, digest);
        return CryptographicOperations.FixedTimeEquals(digest, expected);
    }

    /// <summary>The cost of a well-formed hash, or null for anything else.</summary>
    public static int? CostOf(ReadOnlySpan<char> hash) =>
        TryParse(hash, out _, out var cost, stackalloc byte[SaltSize], stackalloc byte[DigestSize]) ? cost : null;

    private static bool TryParse(
        ReadOnlySpan<char> hash, out char variant, out int cost, Span<byte> salt, Span<byte> digest)
    {
        variant = '\0';
        cost = 0;
        if (hash.Length != HashLength || !hash.StartsWith("$2", StringComparison.Ordinal)
            || hash[2] is not ('a' or 'b' or 'y') || hash[3] != '$' || hash[6] != '$'
            || !char.IsAsciiDigit(hash[4]) || !char.IsAsciiDigit(hash[5]))
        {
            return false;
        }

        variant = hash[2];
        cost = ((hash[4] - '0') * 10) + (hash[5] - '0');
        return cost is >= LowestCost and <= HighestCost
            && TryDecode(hash[7..(7 + SaltLength)], salt)
            && TryDecode(hash[(7 + SaltLength)..], digest);
    }

    private static void Digest(
        ReadOnlySpan<byte> password, ReadOnlySpan<byte> salt, int cost, char variant, Span<byte> digest)
    {
        Span<byte> key = stackalloc byte[LongestPassword];
        for (int i = 0, at = 0; i < key.Length; i++, at++)
        {
            if (at > password.Length)
            {
                at = 0;
            }

            // The zero byte that closes the text belongs to the key.
            key[i] = at == password.Length ? (byte)0 : password[at];
        }

        var cipher = new Blowfish(key, salt, cost, variant == 'a' ? Correction(key) : 0);
        Span<uint> text = stackalloc uint[6];
        var magic = "OrpheanBeholderScryDoubt"u8;
        for (var i = 0; i < text.Length; i++)
        {
            text[i] = BinaryPrimitives.ReadUInt32BigEndian(magic[(i * 4)..]);
        }

        for (var i = 0; i < text.Length; i += 2)
        {
            for (var round = 0; round < 64; round++)
            {
                cipher.Encrypt(ref text[i], ref text[i + 1]);
            }
        }

        Span<byte> whole = stackalloc byte[24];
        for (var i = 0; i < text.Length; i++)
        {
            BinaryPrimitives.WriteUInt32BigEndian(whole[(i * 4)..], text[i]);
        }

        whole[..DigestSize].CopyTo(digest);
        cipher.Clear();
        CryptographicOperations.ZeroMemory(key);
    }

    /// <summary>
    /// <c>$2a$</c> was also written by the implementation that spread the sign of bytes above 127 over their
    /// neighbours. crypt_blowfish 1.1 marks passwords for which that loses characters by flipping bit 16 of the first
    /// word, so that they cannot be met by the collisions; libcrypt does the same and we must agree with it.
    /// </summary>
    private static uint Correction(ReadOnlySpan<byte> key)
    {
        uint sign = 0, difference = 0;
        for (var word = 0; word < key.Length; word += 4)
        {
            uint right = 0, faulty = 0;
            for (var i = 0; i < 4; i++)
            {
                right = (right << 8) | key[word + i];
                faulty = (faulty << 8) | SignSpread(key[word + i]);
                if (i > 0)
                {
                    sign |= faulty & 0x80;
                }
            }

            difference |= right ^ faulty;
        }

        difference |= difference >> 16;
        difference = (difference & 0xffff) + 0xffff; // bit 16 is set when the two readings differ
        return (sign << 9) & ~difference & 0x10000;
    }

    private static uint SignSpread(byte value) => value < 0x80 ? value : 0xffff_ff00 | value;

    private static void Encode(ReadOnlySpan<byte> bytes, Span<char> text)
    {
        uint bits = 0;
        int held = 0, at = 0;
        foreach (var value in bytes)
        {
            bits = ((bits & 0xff) << 8) | value;
            for (held += 8; held >= 6; held -= 6)
            {
                text[at++] = Alphabet[(int)(bits >> (held - 6)) & 63];
            }
        }

        if (held > 0)
        {
            text[at] = Alphabet[(int)(bits << (6 - held)) & 63];
        }
    }

    /// <summary>Strict: an unknown character or spare bits that are not zero are refused.</summary>
    private static bool TryDecode(ReadOnlySpan<char> text, Span<byte> bytes)
    {
        uint bits = 0;
        int held = 0, at = 0;
        foreach (var character in text)
        {
            var value = Alphabet.IndexOf(character, StringComparison.Ordinal);
            if (value < 0)
            {
                return false;
            }

            bits = ((bits & 0xff) << 6) | (uint)value;
            held += 6;
            if (held >= 8)
            {
                held -= 8;
                bytes[at++] = (byte)((bits >> held) & 0xff);
            }
        }

        return at == bytes.Length && (bits & ((1u << held) - 1)) == 0;
    }
}
