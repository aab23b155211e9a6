using System.Numerics;

namespace Mangrove.Sealing;

/// <summary>
/// The fractional part of pi as 32-bit words, first word first. Blowfish takes its starting tables from it
/// (Schneier 1993), so they are computed instead of copied: nothing up anybody's sleeve, and no thousand constants.
/// </summary>
internal static class PiDigits
{
    // Each of the some 24,000 divisions below is rounded down by less than one unit of the last place.
    private const int GuardBits = 64;

    internal static uint[] Words(int count)
    {
        var bits = (count * 32) + GuardBits;

        // Machin 1706: pi / 4 = 4 arctan(1/5) - arctan(1/239).
        var pi = 4 * ((4 * InverseTangent(5, bits)) - InverseTangent(239, bits));
        var fraction = (pi - (new BigInteger(3) << bits)) >> GuardBits;

        var bytes = fraction.ToByteArray(isUnsigned: true, isBigEndian: true);
        var padded = new byte[count * 4];
        bytes.CopyTo(padded, padded.Length - bytes.Length);
        var words = new uint[count];
        for (var i = 0; i < count; i++)
        {
            words[i] = System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(padded.AsSpan(i * 4));
        }

        return words;
    }

    /// <summary>arctan(1/x) scaled by 2^bits: 1/x - 1/3x^3 + 1/5x^5 - ...</summary>
    private static BigInteger InverseTangent(int x, int bits)
    {
        var power = (BigInteger.One << bits) / x;
        var sum = power;
        var square = x * x;
        for (var divisor = 3; !power.IsZero; divisor += 2)
        {
            power /= square;
            var term = power / divisor;
            sum += divisor % 4 == 3 ? -term : term;
        }

        return sum;
    }
}
