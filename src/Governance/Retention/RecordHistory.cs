using System.Globalization;
using Mangrove.Kernel;

namespace Mangrove.Governance.Retention;

/// <summary>What the calculation needs to know of a record: local days of the hospital, and the dates of the person.</summary>
public sealed record RecordHistory
{
    /// <summary>The first day on which the hospital had to do with the patient.</summary>
    public required DateOnly First { get; init; }

    /// <summary>The last one, of any kind of record.</summary>
    public required DateOnly Last { get; init; }

    /// <summary>The last order, result or report of the laboratory.</summary>
    public DateOnly? Laboratory { get; init; }

    /// <summary>The last prescription, or when something was last dispensed.</summary>
    public DateOnly? Prescription { get; init; }

    /// <summary>The last charge or payment.</summary>
    public DateOnly? Billing { get; init; }

    /// <summary>Whether a visit is open.</summary>
    public bool InCare { get; init; }

    /// <summary>Null where it is not known.</summary>
    public PartialDate? Born { get; init; }

    public bool Dead { get; init; }

    /// <summary>As FHIR wrote it, a date or a time; null where it is not known.</summary>
    public string? Died { get; init; }

    /// <summary>The last day on which the person can have died; null where it is not known.</summary>
    internal DateOnly? DiedBy
    {
        get
        {
            if (Died is not { Length: > 0 } text)
            {
                return null;
            }

            // A time has a zone, so its day may be the next one here.
            var timed = text.Length > 10;
            return PartialDate.TryParse(timed ? text[..10] : text, out var date)
                ? RetentionDays.LatestOf(date) is var day && timed && day < DateOnly.MaxValue ? day.AddDays(1) : day
                : null;
        }
    }

    /// <summary>Nothing: PHI never reaches a log by accident.</summary>
    public override string ToString() => nameof(RecordHistory);
}

/// <summary>Days of retention. Wherever two days could be meant, the later one.</summary>
public static class RetentionDays
{
    /// <summary>
    /// The same day so many years later. Of 29 February in a year that has none it is 1 March: the day of before would be a day
    /// too early.
    /// </summary>
    /// <returns>The last day that there is, where the years go beyond it.</returns>
    public static DateOnly Later(DateOnly day, int years)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(years);
        var year = day.Year + years;
        return year > DateOnly.MaxValue.Year ? DateOnly.MaxValue
            : day is { Month: 2, Day: 29 } && !DateTime.IsLeapYear(year) ? new DateOnly(year, 3, 1)
            : new DateOnly(year, day.Month, day.Day);
    }

    /// <summary>The latest day that fits a date that is known to the year or the month.</summary>
    public static DateOnly LatestOf(PartialDate date) => date switch
    {
        { Month: 0 } => new DateOnly(date.Year, 12, 31),
        { Day: 0 } => new DateOnly(date.Year, date.Month, DateTime.DaysInMonth(date.Year, date.Month)),
        _ => new DateOnly(date.Year, date.Month, date.Day),
    };

    /// <summary>A day as reports write it.</summary>
    internal static string Iso(DateOnly day) => day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
}
