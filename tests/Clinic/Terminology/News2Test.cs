using System.Globalization;
using Mangrove.Clinic.Terminology;
using Mangrove.Tests.Shared;

namespace Mangrove.Tests.Clinic.Terminology;

public sealed class News2Test
{
    private static readonly Age Adult = Age.OfYears(59);
    private static readonly News2Observations Well = new(16, 98, false, 120, 70, Alertness.Alert, 37.0m);

    public static TheoryData<News2Parameter, decimal, int> Boundaries()
    {
        var data = new TheoryData<News2Parameter, decimal, int>();
        void Row(News2Parameter parameter, params (decimal Value, int Points)[] values)
        {
            foreach (var (value, points) in values)
            {
                data.Add(parameter, value, points);
            }
        }

        Row(News2Parameter.Breaths, (0, 3), (8, 3), (9, 1), (11, 1), (12, 0), (20, 0), (21, 2), (24, 2), (25, 3), (60, 3));
        Row(News2Parameter.Saturation, (50, 3), (91, 3), (92, 2), (93, 2), (94, 1), (95, 1), (96, 0), (100, 0));
        Row(News2Parameter.Systolic, (50, 3), (90, 3), (91, 2), (100, 2), (101, 1), (110, 1), (111, 0), (219, 0), (220, 3), (260, 3));
        Row(News2Parameter.Pulse, (20, 3), (40, 3), (41, 1), (50, 1), (51, 0), (90, 0), (91, 1), (110, 1), (111, 2), (130, 2), (131, 3), (200, 3));
        Row(News2Parameter.Temperature, (30, 3), (35.0m, 3), (35.1m, 1), (36.0m, 1), (36.1m, 0), (38.0m, 0), (38.1m, 1), (39.0m, 1), (39.1m, 2), (42, 2));
        return data;
    }

    [Theory]
    [MemberData(nameof(Boundaries))]
    public void Every_boundary_of_the_chart_gives_its_points(News2Parameter parameter, decimal value, int points) =>
        Assert.Equal(points, Points(With(parameter, value), parameter));

    [Theory]
    [InlineData(83, false, 3)]
    [InlineData(84, false, 2)]
    [InlineData(85, false, 2)]
    [InlineData(86, false, 1)]
    [InlineData(87, false, 1)]
    [InlineData(88, false, 0)]
    [InlineData(92, false, 0)]
    [InlineData(93, false, 0)]
    [InlineData(100, false, 0)]
    [InlineData(83, true, 3)]
    [InlineData(85, true, 2)]
    [InlineData(87, true, 1)]
    [InlineData(88, true, 0)]
    [InlineData(92, true, 0)]
    [InlineData(93, true, 1)]
    [InlineData(94, true, 1)]
    [InlineData(95, true, 2)]
    [InlineData(96, true, 2)]
    [InlineData(97, true, 3)]
    [InlineData(100, true, 3)]
    public void Scale_2_counts_oxygen_above_its_target(int saturation, bool oxygen, int points) =>
        Assert.Equal(points, Points(Well with { Saturation = saturation, OnOxygen = oxygen, Scale = OxygenScale.Two }, News2Parameter.Saturation));

    [Fact]
    public void The_shared_table_agrees_for_every_value_in_range()
    {
        var rows = File.ReadAllLines(SharedData.Require("data/terminology/news2/news2-score.csv")).Skip(1).Select(line => line.Split(',')).ToList();
        var compared = 0;
        foreach (var row in rows.Where(row => row[4].Length != 0 && row[0] is not ("air_or_oxygen" or "consciousness")))
        {
            var step = row[0] == "temperature_celsius" ? 0.1m : 1m;
            var low = row[2].Length == 0 ? Limit(row[3]) - (30 * step) : Limit(row[2]);
            var high = row[3].Length == 0 ? Limit(row[2]) + (30 * step) : Limit(row[3]);
            for (var value = low; value <= high; value += step)
            {
                var (parameter, observed) = row[0] switch
                {
                    "respiratory_rate_per_min" => (News2Parameter.Breaths, Well with { Breaths = value }),
                    "spo2_scale1_pct" => (News2Parameter.Saturation, Well with { Saturation = value }),
                    "spo2_scale2_pct" => (News2Parameter.Saturation, Well with { Saturation = value, Scale = OxygenScale.Two, OnOxygen = row[1] == "on_oxygen" }),
                    "systolic_bp_mmhg" => (News2Parameter.Systolic, Well with { Systolic = value }),
                    "pulse_per_min" => (News2Parameter.Pulse, Well with { Pulse = value }),
                    "temperature_celsius" => (News2Parameter.Temperature, Well with { Temperature = value }),
                    _ => throw new InvalidOperationException(row[0]),
                };
                Assert.Equal(int.Parse(row[4], CultureInfo.InvariantCulture), Points(observed, parameter));
                compared++;
            }
        }

        Assert.True(compared > 500, $"{compared}");
        static decimal Limit(string text) => decimal.Parse(text, CultureInfo.InvariantCulture);
    }

    [Theory]
    [InlineData(Alertness.Alert, 0)]
    [InlineData(Alertness.Confused, 3)]
    [InlineData(Alertness.Voice, 3)]
    [InlineData(Alertness.Pain, 3)]
    [InlineData(Alertness.Unresponsive, 3)]
    public void Anything_but_alert_is_three(Alertness alertness, int points) =>
        Assert.Equal(points, Points(Well with { Alertness = alertness }, News2Parameter.Alertness));

    [Fact]
    public void The_patient_of_the_picture_scores_six_with_the_reasons_shown_there()
    {
        var score = News2.Score(new News2Observations(22, 94, false, 104, 104, Alertness.Alert, 38.6m), Adult, false).Value;
        Assert.Equal(6, score.Total);
        Assert.Equal("Medium: urgent review", score.Headline);
        Assert.Equal("Clinician to review · re-check at least hourly", score.Response);
        Assert.Equal(60, score.RecheckMinutes);
        Assert.True(score.Complete);
        Assert.Equal(["21 to 24", "94 to 95", "air", "101 to 110", "91 to 110", "alert", "38.1 to 39"], score.Lines.Select(line => line.Interval));
        Assert.Equal(["22 /min", "94 %", "air", "104 mmHg", "104 /min", "alert", "38.6 °C"], score.Lines.Select(line => line.Value));
        Assert.Equal(3, TriageCategory.Propose(score).Number);
    }

    [Theory]
    [InlineData(16, false, News2Band.Low, 0)]
    [InlineData(25, false, News2Band.LowMedium, 3)]
    [InlineData(25, true, News2Band.Medium, 5)]
    [InlineData(22, true, News2Band.Low, 4)]
    public void A_single_three_lifts_a_low_total(int breaths, bool oxygen, News2Band band, int total)
    {
        var score = News2.Score(Well with { Breaths = breaths, OnOxygen = oxygen }, Adult, false).Value;
        Assert.Equal((band, total), (score.Band, score.Total));
    }

    [Fact]
    public void Seven_is_high_and_watched_continuously()
    {
        var score = News2.Score(Well with { Breaths = 25, OnOxygen = true, Temperature = 39.1m }, Adult, false).Value;
        Assert.Equal((7, News2Band.High, 0), (score.Total, score.Band, score.RecheckMinutes));
        Assert.Equal(2, TriageCategory.Propose(score).Number);
    }

    [Fact]
    public void The_worst_of_everything_is_twenty() =>
        Assert.Equal(20, News2.Score(new News2Observations(40, 80, true, 70, 150, Alertness.Unresponsive, 34), Adult, false).Value.Total);

    [Fact]
    public void Fractions_from_machines_are_rounded_as_the_chart_has_them()
    {
        Assert.Equal(0, Points(Well with { Breaths = 20.4m }, News2Parameter.Breaths));
        Assert.Equal(2, Points(Well with { Breaths = 20.5m }, News2Parameter.Breaths));
        Assert.Equal(1, Points(Well with { Temperature = 38.05m }, News2Parameter.Temperature));
    }

    [Fact]
    public void What_is_not_measured_is_named_and_the_score_is_a_floor()
    {
        var score = News2.Score(new News2Observations(25, null, null, null, null, null, null), Adult, false).Value;
        Assert.False(score.Complete);
        Assert.Equal(3, score.Total);
        Assert.Equal(6, score.Missing.Count);
        Assert.Equal("Low so far: not complete", News2.Score(new News2Observations(16, null, null, null, null, null, null), Adult, false).Value.Headline);
    }

    [Fact]
    public void Scale_2_above_its_target_waits_until_oxygen_is_known()
    {
        var score = News2.Score(Well with { Saturation = 96, Scale = OxygenScale.Two, OnOxygen = null }, Adult, false).Value;
        Assert.Contains(News2Parameter.Saturation, score.Missing);
        Assert.Contains(News2Parameter.Oxygen, score.Missing);
    }

    [Fact]
    public void Under_16_and_pregnancy_are_refused_by_naming_the_chart()
    {
        var child = News2.Score(Well, Age.OfYears(15), false).Error;
        Assert.Equal("news2.under-16", child?.Code);
        Assert.Contains("paediatric", child?.Message, StringComparison.Ordinal);
        var pregnant = News2.Score(Well, Age.OfYears(28), true).Error;
        Assert.Equal("news2.pregnant", pregnant?.Code);
        Assert.Contains("maternity", pregnant?.Message, StringComparison.Ordinal);
        Assert.Null(News2.Score(Well, Age.OfYears(16), false).Error);
    }

    [Theory]
    [InlineData(1, 0)]
    [InlineData(2, 10)]
    [InlineData(3, 60)]
    [InlineData(4, 120)]
    [InlineData(5, 240)]
    public void Categories_have_their_targets(int number, int minutes) => Assert.Equal(minutes, TriageCategory.Of(number).TargetMinutes);

    [Fact]
    public void Categories_follow_the_score()
    {
        Assert.Equal(5, TriageCategory.Propose(News2.Score(Well, Adult, false).Value).Number);
        Assert.Equal(4, TriageCategory.Propose(News2.Score(Well with { Pulse = 95 }, Adult, false).Value).Number);
        Assert.Equal(3, TriageCategory.Propose(News2.Score(Well with { Alertness = Alertness.Confused }, Adult, false).Value).Number);
        Assert.Equal(1, TriageCategory.Propose(News2.Score(Well with { Alertness = Alertness.Unresponsive }, Adult, false).Value).Number);
        Assert.Throws<ArgumentOutOfRangeException>(() => TriageCategory.Of(6));
    }

    private static News2Observations With(News2Parameter parameter, decimal value) => parameter switch
    {
        News2Parameter.Breaths => Well with { Breaths = value },
        News2Parameter.Saturation => Well with { Saturation = value },
        News2Parameter.Systolic => Well with { Systolic = value },
        News2Parameter.Pulse => Well with { Pulse = value },
        _ => Well with { Temperature = value },
    };

    private static int Points(News2Observations observed, News2Parameter parameter) =>
        News2.Score(observed, Adult, false).Value.Lines.Single(line => line.Parameter == parameter).Points;
}

public sealed class VitalRangesTest
{
    private static readonly VitalRanges Vitals = VitalRanges.Load();

    [Theory]
    [InlineData(Vital.Temperature, "370", "37")]
    [InlineData(Vital.Temperature, "3.7", "37")]
    [InlineData(Vital.Glucose, "128", "12.8")]
    [InlineData(Vital.Pulse, "1040", "104")]
    [InlineData(Vital.Weight, "715", "71.5")]
    public void An_impossible_value_names_the_likely_one(Vital vital, string typed, string likely)
    {
        var verdict = Vitals.Plausible(vital, decimal.Parse(typed, CultureInfo.InvariantCulture));
        Assert.False(verdict.Possible);
        Assert.Equal(decimal.Parse(likely, CultureInfo.InvariantCulture), verdict.Likely);
    }

    [Fact]
    public void A_possible_value_is_left_alone_and_a_hopeless_one_has_no_guess()
    {
        Assert.Equal(new PlausibilityVerdict(true, null), Vitals.Plausible(Vital.Temperature, 41.2m));
        Assert.Equal(new PlausibilityVerdict(false, null), Vitals.Plausible(Vital.OxygenSaturation, 0m));
        Assert.Equal(new PlausibilityVerdict(false, null), Vitals.Plausible(Vital.Pulse, decimal.MaxValue));
        Assert.False(Vitals.Plausible(Vital.Pulse, -70m).Possible);
    }

    [Theory]
    [InlineData(27, 150, ResultFlag.Normal)]
    [InlineData(28, 190, ResultFlag.High)]
    public void Bands_change_with_age_in_days(int days, int pulse, ResultFlag flag) => Assert.Equal(flag, Vitals.Judge(Vital.Pulse, pulse, Age.OfDays(days)));

    [Fact]
    public void A_pulse_of_130_is_normal_for_a_toddler_and_high_for_an_adult()
    {
        Assert.Equal(ResultFlag.Normal, Vitals.Judge(Vital.Pulse, 130, Age.OfYears(2)));
        Assert.Equal(ResultFlag.High, Vitals.Judge(Vital.Pulse, 130, Age.OfYears(40)));
        Assert.Equal(ResultFlag.None, Vitals.Judge(Vital.Weight, 80, Age.OfYears(40)));
    }

    [Fact]
    public void Every_normal_band_lies_inside_what_is_possible() =>
        Assert.All(Vitals.All, sign => Assert.All(sign.Normal.Values, band =>
        {
            Assert.True(band.Low < band.High);
            Assert.True(band.Low >= sign.Possible.Low && band.High <= sign.Possible.High);
        }));

    [Fact]
    public void Adult_bands_are_the_zero_rows_of_the_score()
    {
        Assert.Equal(new Interval(12, 20), Vitals.Normal(Vital.RespiratoryRate, Age.OfYears(40)));
        Assert.Equal(new Interval(111, 219), Vitals.Normal(Vital.Systolic, Age.OfYears(40)));
        Assert.Equal(new Interval(51, 90), Vitals.Normal(Vital.Pulse, Age.OfYears(40)));
    }
}
