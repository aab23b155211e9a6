using System.Security.Cryptography;

namespace Mangrove.Sealing;

/// <summary>
/// Shamir's secret sharing (Communications of the ACM 22, 1979) byte by byte over GF(2^8) with the polynomial of AES,
/// 0x11B. Any <c>threshold</c> shares give the secret; fewer say nothing about it but its length. Shares carry no
/// checksum: too few or wrong ones combine to other bytes, so whoever combines MUST check what came out.
/// </summary>
public static class SecretShares
{
    /// <summary>The fewest shares that may be asked for: with one, every share would be the secret.</summary>
    public const int LowestThreshold = 2;

    /// <summary>The most shares of one secret.</summary>
    public const int MostShares = 16;

    private const int LongestSecret = 1024;

    /// <summary>Splits a secret. The caller MUST zero every share after use.</summary>
    /// <param name="secret">1 to 1,024 bytes; the caller zeroes it.</param>
    /// <param name="threshold">How many shares are needed: 2 or more.</param>
    /// <param name="count">How many shares are made: <paramref name="threshold"/> to 16.</param>
    /// <returns>Each share is its x-coordinate (1 to <paramref name="count"/>), then one byte for each of the secret.</returns>
    /// <exception cref="ArgumentException">A parameter is out of range.</exception>
    public static byte[][] Split(ReadOnlySpan<byte> secret, int threshold, int count)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(threshold, LowestThreshold);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, MostShares);
        ArgumentOutOfRangeException.ThrowIfLessThan(count, threshold);
        if (secret.Length is 0 or > LongestSecret)
        {
            throw new ArgumentException("A secret to share is 1 to 1,024 bytes.", nameof(secret));
        }

        var shares = new byte[count][];
        for (var i = 0; i < count; i++)
        {
            shares[i] = GC.AllocateUninitializedArray<byte>(1 + secret.Length, pinned: true);
            shares[i][0] = (byte)(i + 1);
        }

        // Every coefficient but the constant is drawn from all 256 values: a highest one that could not be zero would
        // tell the holders of threshold - 1 shares one value that the secret is not.
        Span<byte> coefficients = stackalloc byte[MostShares];
        coefficients = coefficients[..threshold];
        try
        {
            for (var at = 0; at < secret.Length; at++)
            {
                RandomNumberGenerator.Fill(coefficients);
                coefficients[0] = secret[at];
                foreach (var share in shares)
                {
                    // Horner's scheme, highest coefficient first.
                    var value = 0;
                    for (var power = threshold - 1; power >= 0; power--)
                    {
                        value = Multiply(value, share[0]) ^ coefficients[power];
                    }

                    share[at + 1] = (byte)value;
                }
            }
        }
        finally
        {
            CryptographicOperations.ZeroMemory(coefficients);
        }

        return shares;
    }

    /// <summary>
    /// The secret of these shares, if they are enough of one set; other bytes of the same length if they are not. The
    /// caller MUST zero the result.
    /// </summary>
    /// <param name="shares">2 to 16 shares of one length, as <see cref="Split"/> gave them, in any order.</param>
    /// <exception cref="ArgumentException">Too few or many, of different lengths, doubled, or with the x-coordinate 0.</exception>
    public static byte[] Combine(IReadOnlyList<byte[]> shares)
    {
        ArgumentNullException.ThrowIfNull(shares);
        if (shares.Count is < LowestThreshold or > MostShares)
        {
            throw new ArgumentException("A secret is combined from 2 to 16 shares.", nameof(shares));
        }

        for (var i = 0; i < shares.Count; i++)
        {
            if (shares[i] is not { Length: > 1 } share || share.Length != shares[0].Length || share[0] == 0)
            {
                throw new ArgumentException("A share is its number and as many bytes as the others.", nameof(shares));
            }

            for (var j = 0; j < i; j++)
            {
                if (shares[j][0] == share[0])
                {
                    throw new ArgumentException("A share is doubled.", nameof(shares));
                }
            }
        }

        var secret = GC.AllocateArray<byte>(shares[0].Length - 1, pinned: true);
        for (var i = 0; i < shares.Count; i++)
        {
            // Lagrange's basis polynomial of this share at 0; it depends on the public x-coordinates alone.
            var basis = 1;
            for (var j = 0; j < shares.Count; j++)
            {
                if (j != i)
                {
                    basis = Multiply(basis, Multiply(shares[j][0], Inverse(shares[j][0] ^ shares[i][0])));
                }
            }

            for (var at = 0; at < secret.Length; at++)
            {
                secret[at] ^= (byte)Multiply(shares[i][at + 1], basis);
            }
        }

        return secret;
    }

    /// <summary>
    /// The product in GF(2^8). Neither a branch nor an address depends on the factors: a table looked up by a secret
    /// byte tells its value to whoever watches the cache.
    /// </summary>
    private static int Multiply(int one, int other)
    {
        var product = 0;
        for (var bit = 0; bit < 8; bit++)
        {
            product ^= -(other & 1) & one;
            other >>= 1;
            one = ((one << 1) & 0xff) ^ (-(one >> 7) & 0x1b);
        }

        return product;
    }

    /// <summary>The inverse of a value other than 0: its 254th power.</summary>
    private static int Inverse(int value)
    {
        // 254 is 11111110 in binary: seven squarings, each but the last followed by a multiplication.
        var power = value;
        for (var i = 0; i < 6; i++)
        {
            power = Multiply(Multiply(power, power), value);
        }

        return Multiply(power, power);
    }
}
