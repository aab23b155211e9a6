using Mangrove.Governance.Incidents;

namespace Mangrove.Tests.Governance.Incidents;

/// <summary>The days of the law, by examples from calendars and against an oracle that counts one day after the other.</summary>
public sealed class BreachDeadlinesTests
{
    private static readonly TimeZoneInfo Nairobi = TimeZoneInfo.FindSystemTimeZoneById("Africa/Nairobi");

    [Theory]
    [InlineData("2023-12-31", "2024-02-29")]
    [InlineData("2024-01-01", "2024-03-01")]
    [InlineData("2024-02-29", "2024-04-29")]
    [InlineData("2026-11-02", "2027-01-01")]
    [InlineData("2026-11-01", "2026-12-31")]
    public void Patients_are_told_within_sixty_calendar_days_over_leap_days_and_year_ends(string discovered, string last)
    {
        var owed = BreachDeadlines.Of(At(discovered, 12), new Extent(12, 12), null, BreachLaws.Hipaa, Nairobi);
        Assert.Equal(Day(last), owed.Single(one => one.Duty == NoticeDuty.Individuals).LastDay);
    }

    [Theory]
    [InlineData(2023, "2024-02-29")]
    [InlineData(2024, "2025-03-01")]
    [InlineData(2026, "2027-03-01")]
    [InlineData(2027, "2028-02-29")]
    [InlineData(2099, "2100-03-01")]
    public void The_log_of_a_year_is_handed_in_sixty_days_after_its_end(int year, string last)
    {
        Assert.Equal(Day(last), BreachDeadlines.LastDayOfYearlyLog(year));

        // The year is that of the discovery, to its last minute.
        var owed = BreachDeadlines.Of(new Discovery(new DateTimeOffset(year, 12, 31, 23, 59, 0, TimeSpan.FromHours(3)), null), new Extent(499, 499), null, BreachLaws.Hipaa, Nairobi);
        Assert.Equal(Day(last), owed.Single(one => one.Duty == NoticeDuty.YearlyLog).LastDay);
    }

    [Fact]
    public void From_five_hundred_on_the_Secretary_is_told_with_the_patients_and_above_it_in_one_state_the_media()
    {
        Assert.Equal([NoticeDuty.Individuals, NoticeDuty.YearlyLog], Duties(499, 499));
        Assert.Equal([NoticeDuty.Individuals, NoticeDuty.Secretary], Duties(500, 500));
        Assert.Equal([NoticeDuty.Individuals, NoticeDuty.Secretary, NoticeDuty.Media], Duties(501, 501));
        Assert.Equal([NoticeDuty.Individuals, NoticeDuty.Secretary], Duties(900, 450));
        Assert.Empty(Duties(0, 0));

        static IEnumerable<NoticeDuty> Duties(int patients, int state) => BreachDeadlines.Of(At("2026-05-04", 9), new Extent(patients, state), null, BreachLaws.Hipaa, Nairobi).Select(one => one.Duty);
    }

    [Fact]
    public void What_an_agent_knew_is_what_the_hospital_knew_and_the_day_is_that_of_the_hospitals_own_clock()
    {
        // 21:30 UTC is half past midnight in Nairobi: another day, and another year.
        var late = new DateTimeOffset(2026, 12, 31, 21, 30, 0, TimeSpan.Zero);
        Assert.Equal(new DateOnly(2027, 1, 1), new Discovery(late, null).Day(Nairobi));
        Assert.Equal(new DateOnly(2026, 12, 31), new Discovery(late, null).Day(TimeZoneInfo.Utc));
        Assert.Equal(new DateOnly(2026, 12, 20), new Discovery(late, new DateOnly(2026, 12, 20)).Day(Nairobi));

        // Somebody who is said to have known later than the hospital changes nothing.
        Assert.Equal(new DateOnly(2027, 1, 1), new Discovery(late, new DateOnly(2027, 2, 1)).Day(Nairobi));
        var owed = BreachDeadlines.Of(new Discovery(late, new DateOnly(2026, 12, 20)), new Extent(5, 5), null, BreachLaws.Hipaa, Nairobi);
        Assert.Equal([new DateOnly(2027, 2, 18), new DateOnly(2027, 3, 1)], owed.Select(one => one.LastDay!.Value));
    }

    [Fact]
    public void The_authority_is_told_within_72_hours_of_what_the_hospital_knew_also_over_a_change_of_the_clocks()
    {
        var berlin = TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin");
        var known = new DateTimeOffset(2027, 3, 27, 10, 0, 0, TimeSpan.FromHours(1));
        var owed = Assert.Single(BreachDeadlines.Of(new Discovery(known, new DateOnly(2027, 1, 1)), new Extent(1, 1), new LawEnforcementDelay(new DateOnly(2027, 3, 27), null), BreachLaws.Gdpr, berlin));
        Assert.Equal((NoticeDuty.Authority, known + TimeSpan.FromHours(72), null), (owed.Duty, owed.Due, owed.NotBefore));
        Assert.Equal(new DateTimeOffset(2027, 3, 30, 11, 0, 0, TimeSpan.FromHours(2)), owed.Due);
    }

    [Theory]
    [InlineData("2026-06-01", null, "2026-07-02", "2026-07-31")]
    [InlineData("2026-07-20", null, "2026-08-20", "2026-08-20")]
    [InlineData("2026-06-10", "2026-12-24", "2026-12-25", "2026-12-25")]
    [InlineData("2026-06-10", "2026-06-20", "2026-06-21", "2026-07-31")]
    public void While_law_enforcement_asks_for_it_nobody_is_told_and_afterwards_without_delay(string said, string? until, string first, string last)
    {
        var owed = BreachDeadlines.Of(At("2026-06-01", 12), new Extent(3, 3), new LawEnforcementDelay(Day(said), until is null ? null : Day(until)), BreachLaws.Hipaa, Nairobi);
        var individuals = owed.Single(one => one.Duty == NoticeDuty.Individuals);
        Assert.Equal((Day(first), Day(last)), (individuals.NotBefore!.Value, individuals.LastDay!.Value));
    }

    [Fact]
    public void Every_day_of_thirty_years_agrees_with_an_oracle_that_counts_days_one_by_one()
    {
        var zones = new[] { Nairobi, TimeZoneInfo.Utc, TimeZoneInfo.FindSystemTimeZoneById("America/New_York"), TimeZoneInfo.FindSystemTimeZoneById("Pacific/Apia"), TimeZoneInfo.FindSystemTimeZoneById("Africa/Cairo") };
        var compared = 0;
        for (var day = new DateOnly(2019, 12, 1); day < new DateOnly(2050, 1, 1); day = day.AddDays(1))
        {
            var zone = zones[day.DayNumber % zones.Length];
            var noon = new DateTime(day, new TimeOnly(12, 0));
            var owed = BreachDeadlines.Of(new Discovery(new DateTimeOffset(noon, zone.GetUtcOffset(noon)), null), new Extent(7, 7), null, BreachLaws.Hipaa, zone);
            var individuals = owed.Single(one => one.Duty == NoticeDuty.Individuals);
            var (year, month, date) = Count(day.Year, day.Month, day.Day);
            Assert.Equal(new DateOnly(year, month, date), individuals.LastDay);
            (year, month, date) = Count(day.Year, 12, 31);
            Assert.Equal(new DateOnly(year, month, date), owed.Single(one => one.Duty == NoticeDuty.YearlyLog).LastDay);

            // The last second of the last day is in time, the next is not.
            Assert.Equal(individuals.LastDay, DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(individuals.Due.AddSeconds(-1), zone).DateTime));
            Assert.NotEqual(individuals.LastDay, DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(individuals.Due, zone).DateTime));
            compared++;
        }

        Assert.Equal(10_989, compared);
    }

    // By the lengths of months and the rule of leap years, and nothing of the library.
    private static (int Year, int Month, int Day) Count(int year, int month, int day)
    {
        int[] lengths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
        for (var left = 60; left > 0; left--)
        {
            var leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
            if (++day > lengths[month - 1] + (month == 2 && leap ? 1 : 0))
            {
                (day, month) = (1, month + 1);
            }

            if (month > 12)
            {
                (month, year) = (1, year + 1);
            }
        }

        return (year, month, day);
    }

    private static Discovery At(string day, int hour) => new(new DateTimeOffset(Day(day), new TimeOnly(hour, 0), TimeSpan.FromHours(3)), null);

    private static DateOnly Day(string day) => DateOnly.ParseExact(day, "yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture);
}
