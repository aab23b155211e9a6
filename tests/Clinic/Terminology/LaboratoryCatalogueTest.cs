using System.Globalization;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Mangrove.Clinic.Terminology;
using Mangrove.Kernel;
using Mangrove.Tests.Shared;

namespace Mangrove.Tests.Clinic.Terminology;

public sealed class LaboratoryCatalogueTest
{
    private static readonly LaboratoryCatalogue Laboratory = LaboratoryCatalogue.Load();
    private static readonly Age Adult = Age.OfYears(40);

    [Fact]
    public void There_are_at_least_120_tests_each_with_its_own_codes_and_a_price()
    {
        Assert.True(Laboratory.All.Count >= 120, $"{Laboratory.All.Count}");
        Assert.Equal(Laboratory.All.Count, Laboratory.All.Select(test => test.Code).Distinct(StringComparer.Ordinal).Count());
        var loincs = Laboratory.All.SelectMany(test => test.Loincs).ToList();
        Assert.Equal(loincs.Count, loincs.Distinct(StringComparer.Ordinal).Count());
        Assert.All(Laboratory.All, test => Assert.NotNull(PriceList.Load().Find(test.Code)));
        Assert.All(Laboratory.All, test => Assert.NotEmpty(test.Specimen));
        Assert.Contains("must review", Laboratory.SourceNote, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_LOINC_code_has_its_check_digit() =>
        Assert.DoesNotContain(Laboratory.All.SelectMany(test => test.Loincs), loinc => !HasLoincCheckDigit(loinc));

    [Fact]
    public void The_check_digit_test_itself_refuses_a_wrong_digit()
    {
        Assert.True(HasLoincCheckDigit("2823-3"));
        Assert.False(HasLoincCheckDigit("2823-4"));
        Assert.False(HasLoincCheckDigit("2832-3"));
    }

    [Fact]
    public void Every_unit_is_UCUM()
    {
        var ucum = new Ucum(SharedData.Require("data/terminology/ucum/ucum-essence.xml"));
        Assert.False(ucum.IsValid("mmoles/litre"));
        Assert.False(ucum.IsValid("[foo]/L"));
        string[] units = [.. Laboratory.All.Where(test => test.IsNumeric).SelectMany(test => test.AlternativeUnits.Select(unit => unit.Ucum).Prepend(test.Unit)).Distinct(StringComparer.Ordinal)];
        Assert.DoesNotContain(units, unit => !ucum.IsValid(unit));
    }

    [Fact]
    public void Every_numeric_test_of_the_imported_histories_has_a_place_and_a_unit()
    {
        var rows = File.ReadAllLines(SharedData.Require("data/terminology/code-subsets/loinc-used-in-dev-synthea.csv")).Skip(1).Select(line => line.Split(',')).ToList();
        var offenders = rows
            .Where(row => Laboratory.ByLoinc(row[0]) is { IsNumeric: true } && row.Length == 8)
            .Where(row => LaboratoryCatalogue.ToMainUnit(Laboratory.ByLoinc(row[0])!, 1m, row[3]) is null)
            .Select(row => row[0]);
        Assert.Empty(offenders);
        Assert.All(["2339-0", "6299-2", "38483-4", "718-7", "2093-3", "4548-4", "33914-3"], loinc => Assert.NotNull(Laboratory.ByLoinc(loinc)));
    }

    [Fact]
    public void Ranges_are_ordered_critical_limits_lie_outside_and_all_lie_inside_what_is_possible()
    {
        var offenders = new List<string>();
        foreach (var test in Laboratory.All.Where(test => test.IsNumeric))
        {
            foreach (var sex in (Sex[])[Sex.Female, Sex.Male, Sex.Unknown])
            {
                foreach (var age in (Age[])[Age.OfDays(1), Age.OfDays(100), Age.OfYears(5), Age.OfYears(15), Age.OfYears(40), Age.OfYears(80)])
                {
                    foreach (var pregnant in (bool[])[false, true])
                    {
                        var judged = LaboratoryCatalogue.Judge(test, 1m, sex, age, null, pregnant);
                        var where = $"{test.Code} {test.Name} {sex} {age.Band} {pregnant}";
                        if (judged.Range is { } range && !(range.Low is null || range.High is null || range.Low < range.High))
                        {
                            offenders.Add(where + " range not ordered");
                        }

                        if (judged.Critical is { } critical && judged.Range is { } normal
                            && (critical.Low >= (normal.Low ?? normal.High) || critical.High <= (normal.High ?? normal.Low)))
                        {
                            offenders.Add(where + " critical inside the range");
                        }

                        foreach (var limit in (decimal?[])[judged.Range?.Low, judged.Range?.High, judged.Critical?.Low, judged.Critical?.High])
                        {
                            if (limit is { } known && !test.Plausible.Holds(known))
                            {
                                offenders.Add(where + " limit is impossible");
                            }
                        }
                    }
                }
            }
        }

        Assert.Equal("", string.Join(", ", offenders.Distinct(StringComparer.Ordinal).Take(40)));
    }

    [Fact]
    public void No_band_of_a_test_is_given_twice() =>
        Assert.All(Laboratory.All.SelectMany(test => (IReadOnlyList<ReferenceRange>[])[test.Ranges, test.Criticals]), ranges =>
            Assert.Equal(ranges.Count, ranges.DistinctBy(range => (range.From, range.Sex, range.Pregnancy)).Count()));

    [Fact]
    public void No_age_from_birth_falls_between_two_ranges()
    {
        // A range that begins at birth must answer for every later age.
        foreach (var test in Laboratory.All.Where(test => test.Ranges.Any(range => range.From == AgeBand.Newborn && range.Sex is null)))
        {
            for (var years = 0; years < 110; years++)
            {
                Assert.NotNull(LaboratoryCatalogue.Judge(test, 1m, Sex.Female, Age.OfYears(years)).Range);
                Assert.NotNull(LaboratoryCatalogue.Judge(test, 1m, Sex.Male, Age.OfYears(years)).Range);
            }
        }
    }

    [Theory]
    [InlineData("2.5", ResultFlag.CriticalLow, "▼▼ Critical low")]
    [InlineData("3.4", ResultFlag.Low, "▼ Low")]
    [InlineData("3.5", ResultFlag.Normal, "normal")]
    [InlineData("5.1", ResultFlag.Normal, "normal")]
    [InlineData("5.2", ResultFlag.High, "▲ High")]
    [InlineData("6.0", ResultFlag.CriticalHigh, "▲▲ Critical high")]
    [InlineData("6.4", ResultFlag.CriticalHigh, "▲▲ Critical high")]
    public void Potassium_is_flagged_at_its_limits(string value, ResultFlag flag, string text)
    {
        var judged = LaboratoryCatalogue.Judge(Test("L-0202"), Number(value), Sex.Male, Age.OfYears(68));
        Assert.Equal((flag, text), (judged.Flag, judged.Text));
        Assert.Equal("3.5 – 5.1", judged.Range?.Text);
    }

    [Fact]
    public void Ranges_follow_sex_age_and_pregnancy()
    {
        var haemoglobin = Test("L-0101");
        Assert.Equal(ResultFlag.Normal, LaboratoryCatalogue.Judge(haemoglobin, 125, Sex.Female, Adult).Flag);
        Assert.Equal(ResultFlag.Low, LaboratoryCatalogue.Judge(haemoglobin, 125, Sex.Male, Adult).Flag);
        Assert.Equal(ResultFlag.Low, LaboratoryCatalogue.Judge(haemoglobin, 112, Sex.Female, Adult).Flag);
        Assert.Equal(ResultFlag.Normal, LaboratoryCatalogue.Judge(haemoglobin, 112, Sex.Female, Adult, pregnant: true).Flag);
        Assert.Equal(ResultFlag.Low, LaboratoryCatalogue.Judge(haemoglobin, 125, Sex.Female, Age.OfDays(3)).Flag);
        var unknown = LaboratoryCatalogue.Judge(haemoglobin, 125, Sex.Unknown, Adult);
        Assert.Equal((ResultFlag.Normal, new Interval(120, 175)), (unknown.Flag, unknown.Range!.Value));
        Assert.Contains("Sex not known", unknown.Note, StringComparison.Ordinal);
        Assert.Equal("59 – 104", LaboratoryCatalogue.Judge(Test("L-0206"), 154, Sex.Male, Age.OfYears(68)).Range?.Text);
    }

    [Theory]
    [InlineData("2339-0", "126", "mg/dL", ResultFlag.Normal, "70 – 141")]
    [InlineData("2339-0", "60", "mg/dL", ResultFlag.Low, "70 – 141")]
    [InlineData("718-7", "14.4", "g/dL", ResultFlag.Normal, "13 – 17.5")]
    [InlineData("38483-4", "3.3", "mg/dL", ResultFlag.High, "0.67 – 1.18")]
    [InlineData("2093-3", "180.804", "mg/dL", ResultFlag.Normal, "up to 201")]
    [InlineData("2093-3", "230", "mg/dl", ResultFlag.High, "up to 201")]
    [InlineData("6690-2", "6.9", "10*3/uL", ResultFlag.Normal, "4 – 11")]
    [InlineData("4548-4", "6.05", "%", ResultFlag.High, "4 – 6")]
    public void A_result_in_another_unit_is_judged_and_shown_in_that_unit(string loinc, string value, string unit, ResultFlag flag, string range)
    {
        var judged = LaboratoryCatalogue.Judge(Laboratory.ByLoinc(loinc)!, Number(value), Sex.Male, Adult, unit);
        Assert.Equal((flag, range), (judged.Flag, judged.Range?.Text));
    }

    [Theory]
    [InlineData("L-0208", "180", "mg/dL", "9.99")]
    [InlineData("L-0101", "14.4", "g/dL", "144")]
    [InlineData("L-0206", "1", "mg/dL", "88.4")]
    [InlineData("L-0320", "200", "mg/dL", "5.17")]
    [InlineData("L-0210", "53", "mmol/mol", "7")]
    [InlineData("L-0104", "42", "%", "0.42")]
    public void Units_are_converted(string code, string value, string unit, string main) =>
        Assert.Equal(Number(main), decimal.Round(LaboratoryCatalogue.ToMainUnit(Test(code), Number(value), unit)!.Value, 2));

    [Fact]
    public void A_foreign_unit_is_not_judged()
    {
        var judged = LaboratoryCatalogue.Judge(Test("L-0202"), 4m, Sex.Male, Adult, "mg/dL");
        Assert.Equal(ResultFlag.None, judged.Flag);
        Assert.Contains("unit", judged.Note, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("L-0202", "64", null, "6.4")]
    [InlineData("L-0208", "128", null, "12.8")]
    [InlineData("L-0201", "1380", null, "138")]
    [InlineData("L-0101", "1440", null, "144")]
    public void An_absurd_result_names_the_likely_one(string code, string value, string? unit, string likely) =>
        Assert.Equal(new PlausibilityVerdict(false, Number(likely)), LaboratoryCatalogue.Plausible(Test(code), Number(value), unit));

    [Fact]
    public void A_protein_of_70_labelled_grams_per_decilitre_is_not_plausible_but_7_is()
    {
        var protein = Laboratory.ByLoinc("2885-2")!;
        Assert.False(LaboratoryCatalogue.Plausible(protein, 70m, "g/dL").Possible);
        Assert.True(LaboratoryCatalogue.Plausible(protein, 7m, "g/dL").Possible);
    }

    [Fact]
    public void Answers_in_words_are_limited_and_judged()
    {
        var nitrite = Test("L-0406");
        Assert.Equal("Positive", LaboratoryCatalogue.Accept(nitrite, " positive ").Value);
        Assert.Equal("laboratory.answer-not-allowed", LaboratoryCatalogue.Accept(nitrite, "maybe").Error?.Code);
        Assert.Equal(ResultFlag.Normal, LaboratoryCatalogue.Judge(nitrite, "Negative").Flag);
        Assert.Equal(ResultFlag.Abnormal, LaboratoryCatalogue.Judge(nitrite, "positive").Flag);
        Assert.Equal("1+", LaboratoryCatalogue.Accept(Test("L-0402"), "1+").Value);
        Assert.Equal(ResultFlag.None, LaboratoryCatalogue.Judge(Test("L-0124"), "AB").Flag);
    }

    [Fact]
    public void Every_panel_has_tests_and_every_test_names_a_known_panel()
    {
        Assert.All(Laboratory.Panels, panel => Assert.NotEmpty(panel.Tests));
        Assert.All(Laboratory.All.SelectMany(test => test.Panels), code => Assert.NotNull(Laboratory.Panel(code)));
        Assert.Contains(Laboratory.Panel("UE")!.Tests, test => test.Code == "L-0202");
    }

    [Theory]
    [InlineData("hb", "L-0101")]
    [InlineData("hemoglobin", "L-0101")]
    [InlineData("potasium", "L-0202")]
    [InlineData("blood sugar", "L-0208")]
    [InlineData("tsh", "L-0340")]
    public void Tests_are_found_by_what_people_call_them(string typed, string code) =>
        Assert.Contains(code, Laboratory.Search(typed, 5).Select(test => test.Code));

    [Fact]
    public void Ages_count_days_for_the_newborn_and_birthdays_after()
    {
        Assert.Equal(AgeBand.Newborn, Age.On(PartialDate.From(new DateOnly(2026, 11, 1)), new DateOnly(2026, 11, 28)).Band);
        Assert.Equal(AgeBand.Infant, Age.On(PartialDate.From(new DateOnly(2026, 11, 1)), new DateOnly(2026, 11, 29)).Band);
        Assert.Equal(AgeBand.Adolescent, Age.On(PartialDate.From(new DateOnly(2008, 11, 23)), new DateOnly(2026, 11, 22)).Band);
        Assert.Equal(AgeBand.Adult, Age.On(PartialDate.From(new DateOnly(2008, 11, 22)), new DateOnly(2026, 11, 22)).Band);
        Assert.Equal(AgeBand.Elderly, Age.OfYears(65).Band);
    }

    private static LaboratoryTest Test(string code) => Laboratory.Find(code) ?? throw new InvalidOperationException(code);

    private static decimal Number(string text) => decimal.Parse(text, CultureInfo.InvariantCulture);

    // LOINC Users' Guide, appendix: mod-10 over the digits, every second from the right doubled.
    private static bool HasLoincCheckDigit(string loinc)
    {
        var parts = loinc.Split('-');
        var sum = 0;
        for (var at = 0; at < parts[0].Length; at++)
        {
            var digit = parts[0][^(at + 1)] - '0';
            var weighed = at % 2 == 0 ? digit * 2 : digit;
            sum += (weighed / 10) + (weighed % 10);
        }

        return parts.Length == 2 && (10 - (sum % 10)) % 10 == int.Parse(parts[1], CultureInfo.InvariantCulture);
    }

    /// <summary>Enough of UCUM's grammar to judge the units of this table against the official atoms and prefixes.</summary>
    private sealed class Ucum
    {
        private readonly HashSet<string> prefixes;
        private readonly HashSet<string> atoms;
        private readonly HashSet<string> metric;

        public Ucum(string path)
        {
            var root = XDocument.Load(path).Root!;
            var space = root.Name.Namespace;
            prefixes = [.. root.Elements(space + "prefix").Select(one => one.Attribute("Code")!.Value)];
            metric = [.. root.Elements(space + "base-unit").Select(one => one.Attribute("Code")!.Value),
                .. root.Elements(space + "unit").Where(one => one.Attribute("isMetric")?.Value == "yes").Select(one => one.Attribute("Code")!.Value)];
            atoms = [.. metric, .. root.Elements(space + "unit").Select(one => one.Attribute("Code")!.Value)];
        }

        public bool IsValid(string unit) => Regex.Replace(unit, @"\{[^{}]*\}", "", RegexOptions.None, TimeSpan.FromSeconds(1))
            .Split('/', '.')
            .All(part => part.Length == 0 || part == "1" || Atom(part));

        private bool Atom(string part)
        {
            if (part.StartsWith("10*", StringComparison.Ordinal))
            {
                return part.Length == 3 || int.TryParse(part[3..], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _);
            }

            var body = part.TrimEnd('0', '1', '2', '3', '4', '5', '6', '7', '8', '9');
            return atoms.Contains(body) || prefixes.Any(prefix => body.StartsWith(prefix, StringComparison.Ordinal) && metric.Contains(body[prefix.Length..]));
        }
    }
}
