namespace Mangrove.Clinic;

/// <summary>The hospital's own day, which begins at midnight of its clock and not of UTC.</summary>
public static class LocalDay
{
    /// <summary>Midnight before now, as an instant.</summary>
    public static DateTimeOffset StartOfLocalDay(this TimeProvider clock) => clock.StartOf(clock.LocalToday());

    /// <summary>Midnight at which a day begins here, as an instant.</summary>
    public static DateTimeOffset StartOf(this TimeProvider clock, DateOnly day)
    {
        var midnight = day.ToDateTime(TimeOnly.MinValue);
        return new DateTimeOffset(midnight, clock.LocalTimeZone.GetUtcOffset(midnight));
    }

    public static DateOnly LocalToday(this TimeProvider clock) => DateOnly.FromDateTime(clock.GetLocalNow().DateTime);
}
