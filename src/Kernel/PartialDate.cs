using System.Globalization;

namespace Mangrove.Kernel;

/// <summary>
/// A date known to the year, the month or the day, as FHIR's <c>date</c> allows, with a mark for an estimate.
/// Ordering and age use the earliest day that fits.
/// </summary>
public readonly record struct PartialDate : IComparable<PartialDate>
{
    private static readonly string[] Months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

    private PartialDate(int year, int month, int day, bool estimated)
    {
        Year = year;
        Month = month;
        Day = day;
        Estimated = estimated;
    }

    public int Year { get; }

    /// <summary>1 to 12, or 0 when only the year is known.</summary>
    public int Month { get; }

    /// <summary>1 to 31, or 0 when the day is not known.</summary>
    public int Day { get; }

    public bool Estimated { get; }

    public bool IsFull => Day != 0;

    /// <summary>The earliest day that fits.</summary>
    public DateOnly Earliest => new(Year, Month == 0 ? 1 : Month, Day == 0 ? 1 : Day);

    public static bool operator <(PartialDate left, PartialDate right) => left.CompareTo(right) < 0;

    public static bool operator >(PartialDate left, PartialDate right) => left.CompareTo(right) > 0;

    public static bool operator <=(PartialDate left, PartialDate right) => left.CompareTo(right) <= 0;

    public static bool operator >=(PartialDate left, PartialDate right) => left.CompareTo(right) >= 0;

    public static PartialDate From(DateOnly date, bool estimated = false) => new(date.Year, date.Month, date.Day, estimated);

    public static PartialDate From(int year, int month = 0, bool estimated = false) => new(year, month, 0, estimated);

    /// <summary>Reads ISO 8601 as FHIR writes it (<c>1967</c>, <c>1967-03</c>, <c>1967-03-14</c>); a leading <c>~</c> marks an estimate.</summary>
    public static bool TryParse(string? text, out PartialDate date)
    {
        date = default;
        if (string.IsNullOrWhiteSpace(text))
        {
            return false;
        }

        var estimated = text.StartsWith('~');
        var body = estimated ? text[1..] : text;
        if (body.Length == 4 && int.TryParse(body, NumberStyles.None, CultureInfo.InvariantCulture, out var year) && year > 0)
        {
            date = new PartialDate(year, 0, 0, estimated);
            return true;
        }

        if (body.Length == 7 && DateOnly.TryParseExact(body, "yyyy-MM", CultureInfo.InvariantCulture, DateTimeStyles.None, out var month))
        {
            date = new PartialDate(month.Year, month.Month, 0, estimated);
            return true;
        }

        if (body.Length == 10 && DateOnly.TryParseExact(body, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day))
        {
            date = new PartialDate(day.Year, day.Month, day.Day, estimated);
            return true;
        }

        return false;
    }

    /// <summary>FHIR form, without the mark of an estimate.</summary>
    public string ToIso() => this switch
    {
        { Month: 0 } => Year.ToString("0000", CultureInfo.InvariantCulture),
        { Day: 0 } => string.Create(CultureInfo.InvariantCulture, $"{Year:0000}-{Month:00}"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{Year:0000}-{Month:00}-{Day:00}"),
    };

    /// <summary>Storage form: FHIR form, an estimate with a leading <c>~</c>.</summary>
    public override string ToString() => Estimated ? "~" + ToIso() : ToIso();

    /// <summary>As treatment screens show it: <c>14-Mar-1967</c>, <c>Mar-1967</c>, <c>1967</c>; an estimate as <c>est. 1967</c>.</summary>
    public string Display()
    {
        var text = this switch
        {
            { Month: 0 } => Year.ToString("0000", CultureInfo.InvariantCulture),
            { Day: 0 } => string.Create(CultureInfo.InvariantCulture, $"{Months[Month - 1]}-{Year:0000}"),
            _ => string.Create(CultureInfo.InvariantCulture, $"{Day:00}-{Months[Month - 1]}-{Year:0000}"),
        };
        return Estimated ? "est. " + text : text;
    }

    /// <summary>Completed years on <paramref name="today"/>; never below zero.</summary>
    public int AgeOn(DateOnly today)
    {
        var born = Earliest;
        var years = today.Year - born.Year;
        if (born.AddYears(years) > today)
        {
            years--;
        }

        return Math.Max(0, years);
    }

    public int CompareTo(PartialDate other) => Earliest.CompareTo(other.Earliest);
}

/// <summary>Dates and times as treatment screens write them (clinic rule: DD-MMM-YYYY).</summary>
public static class ClinicalTime
{
    private static readonly CultureInfo English = CultureInfo.GetCultureInfo("en-GB");

    public static string Day(DateOnly date) => PartialDate.From(date).Display();

    public static string Day(DateTimeOffset time) => Day(DateOnly.FromDateTime(time.DateTime));

    public static string DayMonth(DateTimeOffset time) => Day(time)[..6];

    public static string Minute(DateTimeOffset time) => time.ToString("HH:mm", English);
}
