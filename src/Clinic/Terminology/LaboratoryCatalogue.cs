using System.Collections.Frozen;
using System.Globalization;
using Mangrove.Kernel;

namespace Mangrove.Clinic.Terminology;

/// <summary>The laboratory's tests and panels, with the judgement of a result by sex, age and unit. Immutable.</summary>
public sealed class LaboratoryCatalogue
{
    private static readonly Lazy<LaboratoryCatalogue> Shipped = new(() => new LaboratoryCatalogue());

    private readonly LaboratoryTest[] tests;
    private readonly FrozenDictionary<string, LaboratoryTest> byCode;
    private readonly FrozenDictionary<string, LaboratoryTest> byLoinc;
    private readonly WordIndex index;

    private LaboratoryCatalogue()
    {
        var table = DataTable.Read("laboratory-tests.txt");
        tests = [.. table.Rows.Select(Test)];
        byCode = tests.ToFrozenDictionary(test => test.Code, StringComparer.OrdinalIgnoreCase);
        byLoinc = tests.SelectMany(test => test.Loincs, (test, loinc) => (test, loinc)).ToFrozenDictionary(pair => pair.loinc, pair => pair.test, StringComparer.Ordinal);
        var panels = DataTable.Read("laboratory-panels.txt");
        Panels = [.. panels.Rows.Select(row => new LaboratoryPanel(
            row["code"],
            row["name"],
            row["short"],
            [.. tests.Where(test => test.Panels.Contains(row["code"], StringComparer.Ordinal))]))];
        SourceNote = table.SourceNote;
        var builder = new WordIndex.Builder();
        foreach (var test in tests)
        {
            builder.Add(test.Name, test.Synonyms.Append(test.ShortName), common: false);
        }

        index = builder.Build();
    }

    /// <summary>Where the table came from and that the laboratory must review it; screens show it.</summary>
    public string SourceNote { get; }

    public IReadOnlyList<LaboratoryTest> All => tests;

    public IReadOnlyList<LaboratoryPanel> Panels { get; }

    public static LaboratoryCatalogue Load() => Shipped.Value;

    public LaboratoryTest? Find(string code) => byCode.GetValueOrDefault(code.Trim());

    /// <summary>The test under which a LOINC code belongs, including the codes of other units and specimens.</summary>
    public LaboratoryTest? ByLoinc(string loinc) => byLoinc.GetValueOrDefault(loinc.Trim());

    public LaboratoryPanel? Panel(string code) => Panels.FirstOrDefault(panel => panel.Code.Equals(code, StringComparison.OrdinalIgnoreCase));

    public IReadOnlyList<LaboratoryTest> Search(string text, int most) => [.. index.Search(text, most).Select(at => tests[at])];

    /// <summary>
    /// Judges a number against the range for the person, in the unit in which it was recorded. A value on a limit of the
    /// range is normal; one on a critical limit is critical.
    /// </summary>
    /// <param name="test">A test with a number.</param>
    /// <param name="value">In <paramref name="unit"/>.</param>
    /// <param name="sex">Unknown and other join both ranges.</param>
    /// <param name="age">On the day the specimen was taken.</param>
    /// <param name="unit">UCUM code; null for the laboratory's own unit.</param>
    /// <param name="pregnant">Whether ranges of pregnancy hold.</param>
    public static FlaggedResult Judge(LaboratoryTest test, decimal value, Sex sex, Age age, string? unit = null, bool pregnant = false)
    {
        if (!test.IsNumeric)
        {
            return new FlaggedResult(ResultFlag.None, null, null, "", "This test is answered in words.");
        }

        if (UnitOf(test, unit) is not { } recorded)
        {
            return new FlaggedResult(ResultFlag.None, null, null, unit ?? "", "No range: the unit is not one of this test.");
        }

        var range = InUnit(ReferenceRange.For(test.Ranges, sex, age.Band, pregnant), recorded);
        var critical = InUnit(ReferenceRange.For(test.Criticals, sex, age.Band, pregnant), recorded);
        var flag = value switch
        {
            _ when value <= critical?.Low => ResultFlag.CriticalLow,
            _ when value >= critical?.High => ResultFlag.CriticalHigh,
            _ when range is null => ResultFlag.None,
            _ when value < range.Value.Low => ResultFlag.Low,
            _ when value > range.Value.High => ResultFlag.High,
            _ => ResultFlag.Normal,
        };
        var note = range is null
            ? "No range for this age and sex."
            : sex is Sex.Unknown or Sex.Other && test.Ranges.Any(one => one.Sex is not null && !one.Pregnancy) ? "Sex not known: the range of both." : "";
        return new FlaggedResult(flag, range, critical, recorded.Shown, note);
    }

    /// <summary>Judges an answer in words.</summary>
    public static FlaggedResult Judge(LaboratoryTest test, string answer)
    {
        var allowed = test.Answers.FirstOrDefault(one => one.Text.Equals(answer.Trim(), StringComparison.OrdinalIgnoreCase));
        return allowed switch
        {
            null => new FlaggedResult(ResultFlag.None, null, null, "", "Not one of the answers of this test."),
            { Normal: true } => new FlaggedResult(ResultFlag.Normal, null, null, "", ""),
            _ when test.Answers.Any(one => one.Normal) => new FlaggedResult(ResultFlag.Abnormal, null, null, "", ""),
            _ => new FlaggedResult(ResultFlag.None, null, null, "", ""),
        };
    }

    /// <summary>Takes a typed answer in words in its official spelling, or says which are allowed.</summary>
    public static Result<string> Accept(LaboratoryTest test, string answer)
    {
        var allowed = test.Answers.FirstOrDefault(one => one.Text.Equals(answer.Trim(), StringComparison.OrdinalIgnoreCase));
        return allowed is null
            ? new Error("laboratory.answer-not-allowed", $"Choose one of: {string.Join(", ", test.Answers.Select(one => one.Text))}.")
            : allowed.Text;
    }

    /// <summary>Whether a living person can have the value, and which one was likely meant: potassium 64 is 6.4.</summary>
    public static PlausibilityVerdict Plausible(LaboratoryTest test, decimal value, string? unit = null)
    {
        if (!test.IsNumeric || UnitOf(test, unit) is not { } recorded)
        {
            return new PlausibilityVerdict(true, null);
        }

        return PlausibilityVerdict.Of(value, InUnit(test.Plausible, recorded) ?? test.Plausible, Math.Max(recorded.Decimals, recorded.Alternative is null ? test.Decimals : 0));
    }

    /// <summary>The value in the laboratory's own unit; null when the unit is not one of the test.</summary>
    public static decimal? ToMainUnit(LaboratoryTest test, decimal value, string unit) => UnitOf(test, unit) switch
    {
        null => null,
        { Alternative: null } => value,
        { Alternative: { } alternative } => decimal.Round(alternative.ToMain(value), test.Decimals + 2),
    };

    /// <summary>The value rounded as the test is reported, without zeros at the end, with a comma from 1,000.</summary>
    public static string Figure(LaboratoryTest test, decimal value, string? unit = null)
    {
        var decimals = UnitOf(test, unit)?.Decimals ?? 4;
        return Interval.Figure(decimal.Round(value, decimals, MidpointRounding.AwayFromZero));
    }

    private static Interval? InUnit(Interval? main, RecordedUnit unit)
    {
        if (main is not { } interval || unit.Alternative is not { } alternative)
        {
            return main;
        }

        decimal? Turn(decimal? limit) => limit is { } known ? decimal.Round(alternative.FromMain(known), alternative.Decimals, MidpointRounding.AwayFromZero) : null;

        return new Interval(Turn(interval.Low), Turn(interval.High));
    }

    private static RecordedUnit? UnitOf(LaboratoryTest test, string? unit)
    {
        if (unit is null || Same(unit, test.Unit))
        {
            return new RecordedUnit(null, test.Decimals, test.DisplayUnit);
        }

        var alternative = test.AlternativeUnits.FirstOrDefault(one => Same(unit, one.Ucum));
        return alternative is null ? null : new RecordedUnit(alternative, alternative.Decimals, Shown(alternative.Ucum));
    }

    // UCUM allows l and L for litre; units of counts and ratios are written in several ways by other systems.
    private static bool Same(string recorded, string ucum) => Plain(recorded) == Plain(ucum);

    private static string Plain(string unit)
    {
        var trimmed = unit.Trim();
        return trimmed switch
        {
            "{nominal}" or "{ratio}" or "ratio" or "" => "1",
            "pH" or "{pH}" => "[pH]",
            "INR" or "{INR'}" => "{INR}",
            "mmHg" => "mm[Hg]",
            "mIU/L" => "m[IU]/L",
            "IU/L" => "[IU]/L",
            _ => trimmed.Replace("/l", "/L", StringComparison.Ordinal).Replace("/dl", "/dL", StringComparison.Ordinal)
                .Replace("/ml", "/mL", StringComparison.Ordinal).Replace("/ul", "/uL", StringComparison.Ordinal).Replace('µ', 'u'),
        };
    }

    private static string Shown(string ucum) => ucum.Replace("[IU]", "IU", StringComparison.Ordinal)
        .Replace("mm[Hg]", "mmHg", StringComparison.Ordinal)
        .Replace("{FEU}", " FEU", StringComparison.Ordinal)
        .Replace("10*3/uL", "×10³/µL", StringComparison.Ordinal)
        .Replace("10*6/uL", "×10⁶/µL", StringComparison.Ordinal)
        .Replace("10*6/L", "×10⁶/L", StringComparison.Ordinal)
        .Replace("ug", "µg", StringComparison.Ordinal)
        .Replace("/uL", "/µL", StringComparison.Ordinal)
        .Replace("u[", "µ[", StringComparison.Ordinal);

    private static LaboratoryTest Test(DataRow row)
    {
        var answers = row.List("values", ',').Select(text => new AllowedAnswer(text.TrimStart('+'), text.StartsWith('+'))).ToArray();

        // "1+" ends with a plus and is an answer; only a leading plus marks the normal one.
        if (answers.Length == 0 && row["ucum"].Length == 0)
        {
            throw row.Wrong("it has neither a unit nor answers.");
        }

        return new LaboratoryTest(
            row["code"],
            row["name"],
            row["short"],
            row.List("loinc", ','),
            row["ucum"],
            row["display"],
            row["decimals"].Length == 0 ? 0 : int.Parse(row["decimals"], CultureInfo.InvariantCulture),
            row["specimen"],
            row.List("panels", ','),
            ReferenceRange.ParseAll(row["ranges"]),
            ReferenceRange.ParseAll(row["critical"]),
            row["plausible"].Length == 0 ? default : Interval.Parse(row["plausible"]),
            [.. row.List("units", ';').Select(Alternative)],
            answers,
            row.List("synonyms", ';'));
    }

    private static AlternativeUnit Alternative(string text)
    {
        var equals = text.IndexOf('=', StringComparison.Ordinal);
        var colon = text.LastIndexOf(':', equals);
        var sum = text[(equals + 1)..].Split('+');
        return new AlternativeUnit(
            text[..colon],
            int.Parse(text[(colon + 1)..equals], CultureInfo.InvariantCulture),
            decimal.Parse(sum[0], CultureInfo.InvariantCulture),
            sum.Length == 1 ? 0m : decimal.Parse(sum[1], CultureInfo.InvariantCulture));
    }

    private sealed record RecordedUnit(AlternativeUnit? Alternative, int Decimals, string Shown);
}
