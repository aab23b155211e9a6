namespace Mangrove.Vault.Index;

/// <summary>
/// Telephones by their last four digits, the part that every way of writing a number shares (0712 345678, +254 712
/// 345678). The rest is compared with the record.
/// </summary>
internal sealed class PhoneEndings
{
    public const int Least = 4;

    // Numbers that agree from here on are one number: country and trunk prefixes differ by who wrote them.
    private const int Significant = 7;

    private readonly SlotSet[] endings = new SlotSet[10_000];

    public ref SlotSet Ending(ReadOnlySpan<char> digits)
    {
        var ending = 0;
        foreach (var digit in digits[^Least..])
        {
            ending = (ending * 10) + (digit - '0');
        }

        return ref endings[ending];
    }

    /// <summary>The digits of a telephone, whatever the script, without leading zeros.</summary>
    public static string Digits(string phone)
    {
        Span<char> digits = stackalloc char[24];
        var count = 0;
        foreach (var character in phone)
        {
            var value = char.IsAsciiDigit(character) ? character - '0' : System.Globalization.CharUnicodeInfo.GetDecimalDigitValue(character);
            if (value >= 0 && count < digits.Length)
            {
                digits[count++] = (char)('0' + value);
            }
        }

        var found = digits[..count].TrimStart('0');
        return found.Length >= Least ? found.ToString() : digits[..count].ToString();
    }

    /// <summary>Whether two numbers, as <see cref="Digits"/>, are the same but for country and trunk prefix.</summary>
    public static bool Same(ReadOnlySpan<char> left, ReadOnlySpan<char> right) => left.SequenceEqual(right)
        || (left.Length >= Significant && right.Length >= Significant && (left.EndsWith(right) || right.EndsWith(left)
            || (left.Length >= 9 && right.Length >= 9 && left[^9..].SequenceEqual(right[^9..]))));
}
