using System.Globalization;

namespace Mangrove.Clinic.Terminology;

/// <summary>An interval of values, open on a side that is null. Both limits belong to it.</summary>
public readonly record struct Interval(decimal? Low, decimal? High)
{
    public bool Holds(decimal value) => !(value < Low) && !(value > High);

    /// <summary>As screens write it: <c>3.5 – 5.1</c>, <c>up to 5.2</c>, <c>1 and over</c>.</summary>
    public string Text => (Low, High) switch
    {
        ({ } low, { } high) => $"{Figure(low)} – {Figure(high)}",
        (null, { } high) => $"up to {Figure(high)}",
        ({ } low, null) => $"{Figure(low)} and over",
        _ => "",
    };

    internal static Interval Parse(string text)
    {
        var at = text.IndexOf("..", StringComparison.Ordinal);
        return at < 0 ? throw new FormatException($"\"{text}\" is not an interval.") : new Interval(Limit(text[..at]), Limit(text[(at + 2)..]));
    }

    internal static string Figure(decimal value) => value.ToString("#,##0.######", CultureInfo.InvariantCulture);

    private static decimal? Limit(string text) => text.Trim().Length == 0 ? null : decimal.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture);
}

/// <summary>An interval that holds for an age band onwards, for one sex or both, or in pregnancy.</summary>
/// <param name="From">The band with which it begins; it holds until the next range of the same sex begins.</param>
/// <param name="Sex">Null for both.</param>
public sealed record ReferenceRange(AgeBand From, Sex? Sex, bool Pregnancy, Interval Interval)
{
    /// <summary>Reads <c>N 9..30; Am 4..11; P 5..16</c>: band letter, sex letter, limits; <c>*</c> is every age.</summary>
    internal static IReadOnlyList<ReferenceRange> ParseAll(string text) =>
        [.. text.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(Parse)];

    /// <summary>The interval for a person, or null when the table has none for that age. Without a known sex both are joined, the wider limits holding.</summary>
    internal static Interval? For(IReadOnlyList<ReferenceRange> ranges, Sex sex, AgeBand band, bool pregnant)
    {
        if (pregnant && ranges.FirstOrDefault(range => range.Pregnancy) is { } special)
        {
            return special.Interval;
        }

        if (sex is Terminology.Sex.Female or Terminology.Sex.Male)
        {
            return ForSex(ranges, sex, band);
        }

        var female = ForSex(ranges, Terminology.Sex.Female, band);
        var male = ForSex(ranges, Terminology.Sex.Male, band);
        if (female is not { } left || male is not { } right)
        {
            return female ?? male;
        }

        return new Interval(
            left.Low is null || right.Low is null ? null : Math.Min(left.Low.Value, right.Low.Value),
            left.High is null || right.High is null ? null : Math.Max(left.High.Value, right.High.Value));
    }

    private static Interval? ForSex(IReadOnlyList<ReferenceRange> ranges, Sex sex, AgeBand band)
    {
        ReferenceRange? best = null;
        foreach (var range in ranges)
        {
            if (!range.Pregnancy && range.From <= band && (range.Sex is null || range.Sex == sex)
                && (best is null || range.From > best.From || (range.From == best.From && range.Sex is not null)))
            {
                best = range;
            }
        }

        return best?.Interval;
    }

    private static ReferenceRange Parse(string text)
    {
        var space = text.IndexOf(' ', StringComparison.Ordinal);
        var who = text[..space];
        var interval = Interval.Parse(text[(space + 1)..]);
        if (who[0] == 'P')
        {
            return new ReferenceRange(AgeBand.Adolescent, Terminology.Sex.Female, true, interval);
        }

        var band = who[0] switch
        {
            '*' or 'N' => AgeBand.Newborn,
            'I' => AgeBand.Infant,
            'C' => AgeBand.Child,
            'T' => AgeBand.Adolescent,
            'A' => AgeBand.Adult,
            'E' => AgeBand.Elderly,
            _ => throw new FormatException($"\"{text}\" begins with no age band."),
        };
        Sex? sex = who.Length == 1 ? null : who[1] switch
        {
            'm' => Terminology.Sex.Male,
            'f' => Terminology.Sex.Female,
            _ => throw new FormatException($"\"{text}\" names no sex."),
        };
        return new ReferenceRange(band, sex, false, interval);
    }
}
