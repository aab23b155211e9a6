namespace Mangrove.Clinic.Terminology;

/// <summary>A unit in which results of a test arrive, and how they become the laboratory's own: factor × value + offset.</summary>
public sealed record AlternativeUnit(string Ucum, int Decimals, decimal Factor, decimal Offset)
{
    public decimal ToMain(decimal value) => (Factor * value) + Offset;

    public decimal FromMain(decimal value) => (value - Offset) / Factor;
}

/// <summary>One answer of a test without a number.</summary>
public sealed record AllowedAnswer(string Text, bool Normal);

/// <summary>
/// One laboratory test. It has either a unit with ranges, or a list of answers (<see cref="Answers"/>), never both.
/// </summary>
/// <param name="Code">Our own, also its price code: <c>L-0412</c>.</param>
/// <param name="Loincs">The first is the test's own; the others are codes under which outside results arrive.</param>
/// <param name="Unit">UCUM code; empty for a test without a number.</param>
/// <param name="DisplayUnit">The unit as people write it.</param>
/// <param name="Plausible">What a living person can have; outside it a value is taken for a slip.</param>
public sealed record LaboratoryTest(
    string Code,
    string Name,
    string ShortName,
    IReadOnlyList<string> Loincs,
    string Unit,
    string DisplayUnit,
    int Decimals,
    string Specimen,
    IReadOnlyList<string> Panels,
    IReadOnlyList<ReferenceRange> Ranges,
    IReadOnlyList<ReferenceRange> Criticals,
    Interval Plausible,
    IReadOnlyList<AlternativeUnit> AlternativeUnits,
    IReadOnlyList<AllowedAnswer> Answers,
    IReadOnlyList<string> Synonyms)
{
    public string Loinc => Loincs[0];

    public bool IsNumeric => Answers.Count == 0;
}

/// <summary>Tests that are ordered together.</summary>
public sealed record LaboratoryPanel(string Code, string Name, string ShortName, IReadOnlyList<LaboratoryTest> Tests);

/// <summary>How a result stands to its range. Shown with symbol, word and colour, never by colour alone.</summary>
public enum ResultFlag
{
    /// <summary>No range fits (age without a range, unit that is not known, answer without a normal one).</summary>
    None = 0,
    Normal = 1,
    Low = 2,
    High = 3,
    CriticalLow = 4,
    CriticalHigh = 5,

    /// <summary>An answer in words that is not the normal one.</summary>
    Abnormal = 6,
}

/// <summary>A flag with the range that was used, in the unit of the result.</summary>
/// <param name="Range">Null when there is none.</param>
/// <param name="Unit">The unit of range and value, as people write it.</param>
/// <param name="Note">Why a range is missing or widened; empty otherwise.</param>
public sealed record FlaggedResult(ResultFlag Flag, Interval? Range, Interval? Critical, string Unit, string Note)
{
    /// <summary>The mark and word of the flag, as screens write it: <c>▲▲ Critical high</c>.</summary>
    public string Text => Flag switch
    {
        ResultFlag.Normal => "normal",
        ResultFlag.Low => "▼ Low",
        ResultFlag.High => "▲ High",
        ResultFlag.CriticalLow => "▼▼ Critical low",
        ResultFlag.CriticalHigh => "▲▲ Critical high",
        ResultFlag.Abnormal => "▲ Abnormal",
        _ => "",
    };

    public bool IsCritical => Flag is ResultFlag.CriticalLow or ResultFlag.CriticalHigh;
}

/// <summary>Whether a value can be true, and what was likely meant when it cannot.</summary>
/// <param name="Likely">Null when no simple slip explains the value.</param>
public sealed record PlausibilityVerdict(bool Possible, decimal? Likely)
{
    internal static PlausibilityVerdict Of(decimal value, Interval plausible, int decimals)
    {
        if (plausible.Holds(value))
        {
            return new PlausibilityVerdict(true, null);
        }

        // A forgotten or misplaced decimal point explains most slips; the smallest shift is the likeliest.
        foreach (var factor in (ReadOnlySpan<decimal>)[0.1m, 10m, 0.01m, 100m, 0.001m, 1000m])
        {
            if (decimal.MaxValue / 1000m <= Math.Abs(value))
            {
                break;
            }

            var likely = value * factor;
            if (plausible.Holds(likely) && decimal.Round(likely, decimals) == likely)
            {
                return new PlausibilityVerdict(false, likely);
            }
        }

        return new PlausibilityVerdict(false, null);
    }
}
