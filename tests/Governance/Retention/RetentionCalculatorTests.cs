using Mangrove.Governance.Retention;
using Mangrove.Kernel;
using Mangrove.Vault.Holds;

namespace Mangrove.Tests.Governance.Retention;

/// <summary>The calculation of retention against a slow plain one that walks day by day (threats D5).</summary>
public class RetentionCalculatorTests
{
    private const int Histories = 4_000;

    [Fact]
    public void Thousands_of_histories_are_kept_as_long_as_the_longest_rule_says_walked_day_by_day()
    {
        var draw = new Draw(20_261_123);
        var byRule = new HashSet<RecordKind?>();
        for (var at = 0; at < Histories; at++)
        {
            var (history, policy) = (draw.History(), draw.Policy());
            var until = RetentionCalculator.Until(history, policy);
            Assert.Equal(Plain(history, policy), until.Day);
            byRule.Add(until.Because);
        }

        // Each rule, and the floor, was the longest of somebody.
        Assert.Equal(Enum.GetValues<RecordKind>().Length + 1, byRule.Count);
    }

    [Fact]
    public void Nothing_is_due_before_the_floor_and_a_longer_rule_a_later_contact_or_less_knowledge_never_makes_it_earlier()
    {
        var draw = new Draw(7);
        for (var at = 0; at < Histories; at++)
        {
            var (history, policy) = (draw.History(), draw.Policy());
            var until = RetentionCalculator.Until(history, policy).Day;
            Assert.True(until >= RetentionDays.Later(history.Last, policy.FloorYears));

            var longer = policy with { Rules = [.. policy.Rules.Select(rule => rule with { Years = rule.Years + draw.Upto(5) })], MajorityAge = policy.MajorityAge + draw.Upto(3), FloorYears = policy.FloorYears + draw.Upto(3) };
            Assert.True(RetentionCalculator.Until(history, longer).Day >= until);
            Assert.True(RetentionCalculator.Until(history with { Last = history.Last.AddDays(draw.Upto(4_000)) }, policy).Day >= until);

            // Nobody's birth was after the first contact, so not to know it is the most careful.
            if (history.Born is not { } born || RetentionDays.LatestOf(born) <= history.First)
            {
                Assert.True(RetentionCalculator.Until(history with { Born = null }, policy).Day >= until);
            }

            Assert.True(RetentionCalculator.Until(history with { Dead = true }, policy).Day >= RetentionCalculator.Until(history with { Dead = false }, policy).Day);
        }
    }

    [Theory]
    [InlineData("2024-02-29", 1, "2025-03-01")]
    [InlineData("2024-02-29", 4, "2028-02-29")]
    [InlineData("2096-02-29", 4, "2100-03-01")]
    [InlineData("2023-02-28", 1, "2024-02-28")]
    [InlineData("2024-12-31", 7, "2031-12-31")]
    [InlineData("9990-01-01", 100, "9999-12-31")]
    public void Years_end_on_the_same_day_and_those_of_a_leap_day_on_the_day_after(string from, int years, string until) =>
        Assert.Equal(Day(until), RetentionDays.Later(Day(from), years));

    [Fact]
    public void Seven_years_are_seven_years_and_a_minors_record_waits_for_majority()
    {
        var seven = new RetentionPolicy("own", 18, [], 7);
        var visit = new RecordHistory { First = Day("2020-05-04"), Last = Day("2020-05-04"), Born = Born("1967-03-14") };
        Assert.Equal(Day("2027-05-04"), RetentionCalculator.Until(visit, seven).Day);

        // NHS: until the 26th birthday; a birth known to the year is taken as its last day, an estimate as up to five years later.
        var nhs = RetentionTable.Of("gb")!.Rules;
        var british = new RetentionPolicy(nhs.Country, nhs.MajorityAge, nhs.Rules, 7);
        Assert.Equal(new KeptUntil(Day("2044-06-30"), RecordKind.Minor), RetentionCalculator.Until(visit with { Born = Born("2018-06-30") }, british));
        Assert.Equal(Day("2044-12-31"), RetentionCalculator.Until(visit with { Born = Born("2018") }, british).Day);
        Assert.Equal(Day("2046-05-04"), RetentionCalculator.Until(visit with { Born = Born("~2018") }, british).Day);
        Assert.Equal(Day("2046-05-04"), RetentionCalculator.Until(visit with { Born = null }, british).Day);
        Assert.Equal(Day("2028-05-04"), RetentionCalculator.Until(visit with { Born = Born("~1967") }, british).Day);

        // Of age on the very day of the first contact; a day younger is a minor.
        Assert.Equal(RecordKind.Chart, RetentionCalculator.Until(visit with { Born = Born("2002-05-04") }, british).Because);
        Assert.Equal(Day("2028-05-05"), RetentionCalculator.Until(visit with { Born = Born("2002-05-05") }, british).Day);

        // Who died is kept from then, also when all that is known is the year, or a time somewhere.
        Assert.Equal(new KeptUntil(Day("2031-02-01"), RecordKind.Deceased), RetentionCalculator.Until(visit with { Dead = true, Died = "2023-02-01" }, british));
        Assert.Equal(Day("2031-02-02"), RetentionCalculator.Until(visit with { Dead = true, Died = "2023-02-01T23:30:00-10:00" }, british).Day);
        Assert.Equal(Day("2031-12-31"), RetentionCalculator.Until(visit with { Dead = true, Died = "2023" }, british).Day);
        Assert.Equal(Day("2028-05-04"), RetentionCalculator.Until(visit with { Dead = true, Died = "some day" }, british).Day);
    }

    [Fact]
    public void Every_rule_that_can_be_adopted_names_its_source_and_is_adopted_once()
    {
        Assert.All(RetentionTable.All.SelectMany(country => country.Rules.Rules), rule => Assert.True(rule.Source.Length > 20));
        Assert.All(RetentionTable.All, country => Assert.Equal(country.Rules.Rules.Count, country.Rules.Rules.Select(rule => rule.Kind).Distinct().Count()));
        Assert.Null(RetentionTable.Of("xx"));
    }

    // The plain one: walks from each day until it has come again so many times.
    private static DateOnly Plain(RecordHistory history, RetentionPolicy policy)
    {
        var ends = new List<DateOnly> { Walk(history.Last, policy.FloorYears) };
        foreach (var rule in policy.Rules)
        {
            switch (rule.Kind)
            {
                case RecordKind.Chart:
                    ends.Add(Walk(history.Last, rule.Years));
                    break;
                case RecordKind.Minor:
                    var born = history.Born is null ? history.First : LastThatFits(history.Born.Value);
                    if (history.Born is { Estimated: true })
                    {
                        var off = Walk(born, RetentionCalculator.EstimateYears);
                        var seen = history.First > born ? history.First : born;
                        born = off < seen ? off : seen;
                    }

                    var majority = Walk(born, policy.MajorityAge);
                    if (majority > history.First)
                    {
                        ends.Add(Walk(majority, rule.Years));
                    }

                    break;
                case RecordKind.Deceased when history.Dead:
                    var died = history.Died is { } text && PartialDate.TryParse(text, out var date) ? LastThatFits(date) : history.Last;
                    ends.Add(Walk(died > history.Last ? died : history.Last, rule.Years));
                    break;
                case RecordKind.Laboratory when history.Laboratory is { } day:
                    ends.Add(Walk(day, rule.Years));
                    break;
                case RecordKind.Prescriptions when history.Prescription is { } day:
                    ends.Add(Walk(day, rule.Years));
                    break;
                case RecordKind.Billing when history.Billing is { } day:
                    ends.Add(Walk(day, rule.Years));
                    break;
            }
        }

        return ends.Max();
    }

    private static DateOnly Walk(DateOnly from, int years)
    {
        var day = from;
        for (var left = years; left > 0;)
        {
            day = day.AddDays(1);
            var again = day.Month == from.Month && day.Day == from.Day;
            var instead = from is { Month: 2, Day: 29 } && day is { Month: 3, Day: 1 } && !DateTime.IsLeapYear(day.Year);
            left -= again || instead ? 1 : 0;
        }

        return day;
    }

    private static DateOnly LastThatFits(PartialDate date)
    {
        var day = date.Earliest;
        while (PartialDate.From(day.AddDays(1)) is var next && next.Year == date.Year && (date.Month == 0 || next.Month == date.Month) && (date.Day == 0 || next.Day == date.Day))
        {
            day = day.AddDays(1);
        }

        return day;
    }

    private static DateOnly Day(string text) => DateOnly.ParseExact(text, "yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture);

    private static PartialDate Born(string text) => PartialDate.TryParse(text, out var date) ? date : throw new ArgumentException(text, nameof(text));

    /// <summary>The same histories in every run.</summary>
    private sealed class Draw(ulong seed)
    {
        private ulong state = seed;

        public int Upto(int most)
        {
            // splitmix64
            var mixed = state = unchecked(state + 0x9E3779B97F4A7C15);
            mixed = unchecked((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9);
            mixed = unchecked((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB);
            return (int)((mixed ^ (mixed >> 31)) % (ulong)(most + 1));
        }

        public RecordHistory History()
        {
            var first = SomeDay(1950);
            var last = first.AddDays(Upto(3) == 0 ? 0 : Upto(8_000));
            return new RecordHistory
            {
                First = first,
                Last = last,
                Laboratory = Upto(1) == 0 ? null : Between(first, last),
                Prescription = Upto(1) == 0 ? null : Between(first, last),
                Billing = Upto(1) == 0 ? null : Between(first, last).AddDays(Upto(400)),
                Born = SomeBirth(first),
                Dead = Upto(2) == 0,
                Died = Upto(3) switch { 0 => null, 1 => last.AddDays(Upto(2_000)).ToString("yyyy", System.Globalization.CultureInfo.InvariantCulture), 2 => "unknown", _ => last.AddDays(Upto(2_000)).ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture) },
            };
        }

        public RetentionPolicy Policy() => new(
            "own",
            15 + Upto(10),
            [.. Enum.GetValues<RecordKind>().Where(_ => Upto(3) > 0).Select(kind => new RetentionRule(kind, Upto(40), "a law"))],
            6 + Upto(10));

        // Every fourth one around the end of February, where the mistakes are.
        private DateOnly SomeDay(int year) => Upto(3) == 0
            ? new DateOnly(year + (Upto(20) * 4) + (year % 4 == 0 ? 0 : 4 - (year % 4)), 2, 28).AddDays(Upto(2))
            : new DateOnly(year, 1, 1).AddDays(Upto(30_000));

        private DateOnly Between(DateOnly first, DateOnly last) => first.AddDays(Upto(last.DayNumber - first.DayNumber));

        private PartialDate? SomeBirth(DateOnly first)
        {
            var born = first.AddDays(-Upto(Upto(1) == 0 ? 9_000 : 30_000));
            return Upto(5) switch
            {
                0 => null,
                1 => PartialDate.From(born.Year),
                2 => PartialDate.From(born.Year, born.Month),
                3 => PartialDate.From(born.Year, 0, estimated: true),
                _ => PartialDate.From(born),
            };
        }
    }
}
