using System.Globalization;
using Mangrove.Clinic.Terminology;

namespace Mangrove.Clinic.Laboratory;

/// <summary>A typed result, read and judged: what it would be reported as, or why it cannot be.</summary>
/// <param name="Typed">As typed.</param>
/// <param name="Number">The value of a test with a number.</param>
/// <param name="Text">The answer of a test in words.</param>
/// <param name="Flag">Null while there is no value.</param>
/// <param name="Change">Against the last result, where there is one.</param>
/// <param name="Error">What is wrong and what to do.</param>
/// <param name="Likely">The value that was probably meant.</param>
public sealed record ResultJudgement(string Typed, decimal? Number, string? Text, FlaggedResult? Flag, ResultChange? Change, string? Error = null, decimal? Likely = null)
{
    /// <summary>Who has no birth date is judged as an adult, and the sheet says so: no flag at all would hide a critical value.</summary>
    public const int AgeWithoutBirthDate = 30;

    public const string NoBirthDate = "Birth date not known: judged as an adult.";

    private const int LongestAnswer = 200;

    public bool Blank => Typed.Length == 0;

    public bool Critical => Flag is { IsCritical: true };

    /// <summary>Whether somebody must look at it again before it goes out.</summary>
    public bool NeedsCheck => Critical || Change is { Large: true };

    /// <summary>Nothing: PHI never reaches a log by accident.</summary>
    public override string ToString() => nameof(ResultJudgement);

    public static ResultJudgement Of(TestRow row, Sex sex, Age? age, DateTimeOffset at, string? typed)
    {
        var text = typed?.Trim() ?? "";
        if (text.Length == 0)
        {
            return new ResultJudgement("", null, null, null, null);
        }

        if (row.Test is not { } test)
        {
            return text.Length > LongestAnswer
                ? Wrong(text, "The answer is longer than 200 letters. Shorten it.")
                : new ResultJudgement(text, null, text, new FlaggedResult(ResultFlag.None, null, null, "", "This test is not in the laboratory's list: not judged."), null);
        }

        if (!test.IsNumeric)
        {
            var answer = LaboratoryCatalogue.Accept(test, text);
            return answer.Error is { } refused
                ? Wrong(text, refused.Message)
                : new ResultJudgement(text, null, answer.Value, LaboratoryCatalogue.Judge(test, answer.Value), null);
        }

        if (text.Length > 20 || !decimal.TryParse(text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number))
        {
            return Wrong(text, "Write a number with a point, such as 6.4.");
        }

        var plausible = LaboratoryCatalogue.Plausible(test, number);
        if (!plausible.Possible)
        {
            return Wrong(text, plausible.Likely is { } meant ? $"Not possible. Meant {Shown(meant)}?" : $"Not possible: {test.Plausible.Text} {test.DisplayUnit}. Read it again.", plausible.Likely);
        }

        var flag = LaboratoryCatalogue.Judge(test, number, sex, age ?? Terminology.Age.OfYears(AgeWithoutBirthDate));
        var change = row.Earlier.LastOrDefault(result => result.Number is not null) is { Number: { } before } earlier
            ? ResultChange.Between(before, earlier.At, number, at, flag.Range)
            : null;
        return new ResultJudgement(text, number, null, flag, change);
    }

    /// <summary>As a field holds it: exact, without thousands commas.</summary>
    public static string Shown(decimal value) => value.ToString("0.############", CultureInfo.InvariantCulture);

    private static ResultJudgement Wrong(string typed, string error, decimal? likely = null) => new(typed, null, null, null, null, error, likely);
}

/// <summary>
/// How a result moved since the last one (delta check). A move of three quarters of the reference range within three
/// months, or by half where the range has one end only, is large: a mixed-up or spoilt specimen looks like that.
/// </summary>
/// <param name="Difference">New less old, in the laboratory's unit.</param>
/// <param name="Large">Whether the specimen is to be checked before release.</param>
public sealed record ResultChange(decimal Difference, bool Large)
{
    private static readonly TimeSpan Compared = TimeSpan.FromDays(90);

    public static ResultChange Between(decimal before, DateTimeOffset beforeAt, decimal now, DateTimeOffset nowAt, Interval? range)
    {
        var difference = now - before;
        var size = Math.Abs(difference);
        var large = nowAt - beforeAt <= Compared && range switch
        {
            { Low: { } low, High: { } high } => size >= (high - low) * 0.75m,
            _ => before != 0 && size >= Math.Abs(before) * 0.5m,
        };
        return new ResultChange(difference, large && size > 0);
    }
}
