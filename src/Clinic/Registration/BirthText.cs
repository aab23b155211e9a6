using System.Globalization;
using System.Text.RegularExpressions;
using Mangrove.Kernel;

namespace Mangrove.Clinic.Registration;

/// <summary>
/// Reads a birth date or an age as people say it at the desk: <c>14-Mar-1967</c>, <c>Mar-1967</c>, <c>1967</c>,
/// <c>est. 1967</c>, ISO dates, <c>59 y</c>, <c>7 m</c>, <c>3 w</c>, <c>10 d</c>. An age gives an estimate, known as far as
/// the unit goes. Figures with slashes are refused: nobody can tell the day from the month in 03/04/1967.
/// </summary>
public static partial class BirthText
{
    private const int OldestYears = 130;
    private const int DaysInWeek = 7;

    private static readonly Error Unreadable = new("registration.birth-date", "Write the birth date as 14-Mar-1967, Mar-1967 or 1967, or an age as 59 y, 7 m or 10 d.");

    private static readonly string[] Full = ["d-MMM-yyyy", "d-MMMM-yyyy", "yyyy-MM-dd"];
    private static readonly string[] Month = ["MMM-yyyy", "MMMM-yyyy", "yyyy-MM"];

    /// <summary>Both fields of the form; each may be empty. Null when nothing is known.</summary>
    public static Result<PartialDate?> Read(string? born, string? age, DateOnly today)
    {
        var date = One(born, today);
        if (date.Error is not null || string.IsNullOrWhiteSpace(age))
        {
            return date;
        }

        var text = age.Trim();
        var years = One(text.All(char.IsAsciiDigit) ? text + " y" : text, today);
        if (years.Error is not null || date.Value is not { } known)
        {
            return years;
        }

        // A year apart is what a partial date and a birthday to come can make.
        return Math.Abs(known.AgeOn(today) - (years.Value?.AgeOn(today) ?? 0)) <= 1
            ? date
            : new Error("registration.age-differs", "Birth date and age do not fit each other. Correct one of them, or leave one empty.");
    }

    private static Result<PartialDate?> One(string? typed, DateOnly today)
    {
        if (string.IsNullOrWhiteSpace(typed))
        {
            return (PartialDate?)null;
        }

        var text = typed.Trim();
        if (Age().Match(text) is { Success: true } match)
        {
            return FromAge(int.Parse(match.Groups["n"].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture), char.ToLowerInvariant(match.Groups["unit"].ValueSpan[0]), today);
        }

        var estimated = Estimate().Match(text);
        var body = Separators().Replace(text[estimated.Length..], "-");
        if (body.Length == 4 && int.TryParse(body, NumberStyles.None, CultureInfo.InvariantCulture, out var year) && year > 0)
        {
            return (PartialDate?)PartialDate.From(year, 0, estimated.Success);
        }

        if (DateOnly.TryParseExact(body, Full, CultureInfo.InvariantCulture, DateTimeStyles.None, out var day))
        {
            return (PartialDate?)PartialDate.From(day, estimated.Success);
        }

        return DateOnly.TryParseExact(body, Month, CultureInfo.InvariantCulture, DateTimeStyles.None, out var month)
            ? (PartialDate?)PartialDate.From(month.Year, month.Month, estimated.Success)
            : Unreadable;
    }

    private static Result<PartialDate?> FromAge(int number, char unit, DateOnly today)
    {
        switch (unit)
        {
            case 'y' when number <= OldestYears:
                return (PartialDate?)PartialDate.From(today.Year - number, 0, estimated: true);
            case 'm' when number <= OldestYears * 12:
                var month = today.AddMonths(-number);
                return (PartialDate?)PartialDate.From(month.Year, month.Month, estimated: true);
            case 'w' when number <= OldestYears * 52:
                return (PartialDate?)PartialDate.From(today.AddDays(-number * DaysInWeek), estimated: true);
            case 'd' when number <= OldestYears * 365:
                return (PartialDate?)PartialDate.From(today.AddDays(-number), estimated: true);
            default:
                return new Error("registration.birth-date", "The birth date lies in the future or more than 130 years back. Check the year.");
        }
    }

    [GeneratedRegex(@"^(?<n>\d{1,5})\s*(?<unit>y|m|w|d)(ears?|rs?|onths?|o|eeks?|ays?)?( old)?$", RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Age();

    [GeneratedRegex(@"^(~|est\.?|about|abt\.?|circa|c\.)\s*", RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Estimate();

    [GeneratedRegex(@"[\s\-–.]+", RegexOptions.None, 1000)]
    private static partial Regex Separators();
}
