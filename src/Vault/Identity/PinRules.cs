using Mangrove.Kernel;

namespace Mangrove.Vault.Identity;

/// <summary>
/// What a PIN may be: six digits that are not the first ones a stranger would try. Five tries at the lock leave a chance
/// of one in two hundred thousand, but only for somebody who has to guess (threats S1).
/// </summary>
internal static class PinRules
{
    /// <summary>How many digits a PIN has.</summary>
    public const int Length = 6;

    private static Error NotSixDigits { get; } = new("pin.not-six-digits", "A PIN has six digits. Choose another.");

    private static Error Guessable { get; } = new("pin.guessable", "This PIN is among the first that anybody would try. Choose one without a pattern, and no date.");

    /// <summary>Null when the text may be a PIN, else the broken rule.</summary>
    public static Error? Check(string? pin)
    {
        if (!IsPin(pin))
        {
            return NotSixDigits;
        }

        return Repeats(pin!) || Counts(pin!) || Mirrors(pin!) || IsDate(pin!) ? Guessable : null;
    }

    /// <summary>Whether a text has the form of a PIN at all.</summary>
    public static bool IsPin(string? text) => text is { Length: Length } && text.All(char.IsAsciiDigit);

    // 111111, 121212, 123123.
    private static bool Repeats(string pin) => Enumerable.Range(1, Length / 2).Any(period => Length % period == 0 && Enumerable.Range(0, Length - period).All(at => pin[at] == pin[at + period]));

    // 123456, 987654, 135790 and the like: one step from each digit to the next, also over the ten.
    private static bool Counts(string pin)
    {
        var step = Step(pin, 0);
        return Enumerable.Range(1, Length - 2).All(at => Step(pin, at) == step);
    }

    private static int Step(string pin, int at) => (pin[at + 1] - pin[at] + 10) % 10;

    // 123321, 112211.
    private static bool Mirrors(string pin) => Enumerable.Range(0, Length / 2).All(at => pin[at] == pin[Length - 1 - at]);

    // A birthday in any order people write it: day, month and year of two digits, or month and year of four.
    private static bool IsDate(string pin)
    {
        var (a, b, c) = (Number(pin, 0), Number(pin, 2), Number(pin, 4));
        return (IsDay(a) && IsMonth(b)) || (IsMonth(a) && IsDay(b)) || (IsMonth(b) && IsDay(c))
            || (IsMonth(a) && b is 19 or 20) || (a is 19 or 20 && IsMonth(c));
    }

    private static int Number(string pin, int at) => ((pin[at] - '0') * 10) + pin[at + 1] - '0';

    private static bool IsDay(int number) => number is >= 1 and <= 31;

    private static bool IsMonth(int number) => number is >= 1 and <= 12;
}
