using System.Numerics;

namespace Mangrove.Sealing;

/// <summary>
/// How far a plaintext is lengthened before it is sealed, so that the length of the envelope gives little away
/// (threats K9). Coded and short fields use a fixed width that holds every value; free text uses Padmé buckets. The
/// default value is Padmé. Opening does not need to know which padding was used.
/// </summary>
public readonly struct Padding : IEquatable<Padding>
{
    private const int PadmeMinimum = 32;
    private const int WidestBlock = 65_536;

    private readonly int width;

    private Padding(int width) => this.width = width;

    /// <summary>
    /// Padmé (Nikitin and others, "Reducing Metadata Leakage from Encrypted Files and Communication with PURBs",
    /// 2019, section 4): at most 12 % longer and O(log log n) bits of length information; never below 32 bytes.
    /// </summary>
    public static Padding Padme => default;

    /// <summary>Lengthens to the next multiple of <paramref name="width"/> bytes, and to one multiple at least.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The width is not 1 to 65,536.</exception>
    public static Padding To(int width)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(width, WidestBlock);
        return new Padding(width);
    }

    public static bool operator ==(Padding left, Padding right) => left.Equals(right);

    public static bool operator !=(Padding left, Padding right) => !left.Equals(right);

    /// <summary>The padded length of a plaintext of this length, both in bytes.</summary>
    public int PaddedLength(int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        if (width > 0)
        {
            return checked((Math.Max(length, 1) + width - 1) / width * width);
        }

        if (length <= PadmeMinimum)
        {
            return PadmeMinimum;
        }

        var exponent = BitOperations.Log2((uint)length);
        var mantissaBits = BitOperations.Log2((uint)exponent) + 1;
        var mask = (1 << (exponent - mantissaBits)) - 1;
        return checked(length + mask) & ~mask;
    }

    public bool Equals(Padding other) => width == other.width;

    public override bool Equals(object? obj) => obj is Padding other && Equals(other);

    public override int GetHashCode() => width;
}
