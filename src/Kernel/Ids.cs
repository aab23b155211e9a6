using System.Globalization;
using System.Security.Cryptography;

namespace Mangrove.Kernel;

/// <summary>Makes 128-bit random identifiers from the system's generator, so that ids can stand in addresses without being guessable.</summary>
public static class Ids
{
    public static Guid New() => new(RandomNumberGenerator.GetBytes(16));
}

/// <summary>A patient, within this hospital. Opaque and random: it says nothing about the person.</summary>
public readonly record struct PatientId(Guid Value)
{
    public static PatientId New() => new(Ids.New());

    /// <inheritdoc/>
    public override string ToString() => Value.ToString("N");

    public static bool TryParse(string? text, out PatientId id)
    {
        var ok = Guid.TryParseExact(text, "N", out var value);
        id = new PatientId(value);
        return ok;
    }
}

/// <summary>Staff number such as <c>S-0042</c>.</summary>
public readonly record struct StaffId(int Number)
{
    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"S-{Number:0000}");

    public static bool TryParse(string? text, out StaffId id)
    {
        id = default;
        if (text is null || !text.StartsWith("S-", StringComparison.Ordinal)
            || !int.TryParse(text.AsSpan(2), NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            return false;
        }

        id = new StaffId(number);
        return true;
    }
}

/// <summary>
/// Hospital (medical record) number: <c>P-</c>, digits, check digit. The check digit is Damm's (every single wrong
/// digit and every adjacent swap is caught), so a mistyped number is refused instead of opening somebody else's record.
/// </summary>
public readonly record struct Mrn
{
    private static readonly byte[] Damm =
    [
        0, 3, 1, 7, 5, 9, 8, 6, 4, 2,
        7, 0, 9, 2, 1, 5, 4, 8, 6, 3,
        4, 2, 0, 6, 8, 7, 1, 3, 5, 9,
        1, 7, 5, 0, 9, 8, 3, 4, 2, 6,
        6, 1, 2, 3, 0, 4, 5, 9, 7, 8,
        3, 6, 7, 4, 2, 0, 9, 5, 8, 1,
        5, 8, 6, 9, 7, 2, 0, 1, 3, 4,
        8, 9, 4, 5, 3, 6, 2, 0, 1, 7,
        9, 4, 3, 8, 6, 1, 7, 2, 0, 5,
        2, 5, 8, 1, 4, 3, 6, 7, 9, 0,
    ];

    private readonly string? text;

    private Mrn(string text) => this.text = text;

    /// <inheritdoc/>
    public override string ToString() => text ?? "P-";

    /// <summary>The number for the running count <paramref name="sequence"/> (0 or more); at least seven digits in all.</summary>
    public static Mrn FromSequence(long sequence)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(sequence);
        var digits = (100_000 + sequence).ToString(CultureInfo.InvariantCulture);
        return new Mrn($"P-{digits}{CheckDigit(digits)}");
    }

    /// <summary>Accepts lower case, missing <c>P-</c> and spaces around; refuses a wrong check digit.</summary>
    public static bool TryParse(string? input, out Mrn mrn)
    {
        mrn = default;
        if (string.IsNullOrWhiteSpace(input))
        {
            return false;
        }

        var digits = input.AsSpan().Trim();
        if (digits.StartsWith("P-", StringComparison.OrdinalIgnoreCase))
        {
            digits = digits[2..];
        }

        if (digits.Length is < 7 or > 18 || digits.ContainsAnyExceptInRange('0', '9') || CheckDigit(digits) != 0)
        {
            return false;
        }

        mrn = new Mrn($"P-{digits}");
        return true;
    }

    private static int CheckDigit(ReadOnlySpan<char> digits)
    {
        var interim = 0;
        foreach (var digit in digits)
        {
            interim = Damm[(interim * 10) + (digit - '0')];
        }

        return interim;
    }
}
