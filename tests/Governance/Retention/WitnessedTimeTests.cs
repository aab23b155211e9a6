using Mangrove.Vault.Holds;

namespace Mangrove.Tests.Governance.Retention;

/// <summary>Time counts as far as witnesses saw it pass; a clock that jumps makes nothing due (threats D5).</summary>
public class WitnessedTimeTests
{
    private static readonly DateTimeOffset Start = new(2026, 3, 2, 8, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan Most = WitnessedTime.LongestInLog;

    [Fact]
    public void Marks_that_stand_close_together_witness_all_the_time_between_them()
    {
        var marks = Enumerable.Range(0, 10_000).Select(at => Start.AddHours(6 * at)).ToList();
        Assert.Equal(marks[^1], WitnessedTime.Of(marks, Most));
        Assert.Null(WitnessedTime.Of([], Most));
        Assert.Equal(Start, WitnessedTime.Of([Start], Most));
    }

    [Fact]
    public void A_jump_of_any_length_at_any_place_gains_no_more_than_one_silence()
    {
        for (var at = 1; at < 200; at++)
        {
            foreach (var years in (int[])[1, 7, 100, -3])
            {
                var marks = Enumerable.Range(0, 200).Select(mark => Start.AddHours(6 * mark).AddDays(mark >= at ? 365 * years : 0)).ToList();
                var seen = WitnessedTime.Of(marks, Most)!.Value;
                var really = Start.AddHours(6 * 199);
                Assert.InRange(seen, really - TimeSpan.FromHours(6), really + Most);
            }
        }
    }

    [Fact]
    public void A_clock_that_was_set_right_again_costs_a_silence_at_most_and_a_server_that_was_off_is_late()
    {
        List<DateTimeOffset> jumped = [Start, Start.AddHours(6), Start.AddYears(10), Start.AddHours(12), Start.AddHours(18)];
        Assert.Equal(Start.AddHours(6) + Most + TimeSpan.FromHours(6), WitnessedTime.Of(jumped, Most));

        List<DateTimeOffset> off = [Start, Start.AddHours(6), Start.AddYears(1), Start.AddYears(1).AddHours(6)];
        Assert.Equal(Start.AddHours(12) + Most, WitnessedTime.Of(off, Most));
    }

    [Fact]
    public void All_of_them_have_to_agree_and_a_missing_one_agrees_to_nothing()
    {
        Assert.Null(new WitnessedTime(Start, Start, null).Agreed);
        Assert.Null(new WitnessedTime(Start, null, Start).Agreed);
        var (early, late) = (Start.AddDays(-1), Start.AddDays(1));
        Assert.Equal(early, new WitnessedTime(early, Start, late).Agreed);
        Assert.Equal(early, new WitnessedTime(late, early, Start).Agreed);
        Assert.Equal(early, new WitnessedTime(Start, late, early).Agreed);
    }
}
