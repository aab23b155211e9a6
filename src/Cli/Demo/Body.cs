using Mangrove.Clinic.Terminology;

namespace Mangrove.Cli.Demo;

/// <summary>
/// What a made-up person's conditions make of a test: those that stay, with how often each was reviewed, beside the one of
/// today. The condition that moves a test furthest decides, so that a kidney that fails does so at every visit, whatever the
/// visit is for, and no result contradicts a diagnosis on the same page.
/// </summary>
internal sealed class Body
{
    public const string Haemoglobin = "L-0101";
    public const string Creatinine = "L-0206";
    public const string Filtration = "L-0207";

    // A treatment helps, and then holds.
    private const int MostRounds = 4;

    private readonly Dictionary<string, (Condition Condition, int Rounds)> standing = new(StringComparer.Ordinal);

    /// <summary>Conditions that stay, as met so far.</summary>
    public IReadOnlyCollection<Condition> Standing => [.. standing.Values.Select(one => one.Condition)];

    /// <summary>Takes note of a visit. Gives how often the person came for this condition before; 0 for one that does not stay.</summary>
    public int Meet(Condition condition)
    {
        if (!condition.Chronic)
        {
            return 0;
        }

        var rounds = standing.TryGetValue(condition.Icd10, out var before) ? before.Rounds + 1 : 0;
        standing[condition.Icd10] = (condition, rounds);
        return rounds;
    }

    /// <summary>A number that fits the person, in the laboratory's unit.</summary>
    public decimal Number(LaboratoryTest test, UsualTest usual, Condition today, Sex sex, Age age, Draw draw)
    {
        var range = LaboratoryCatalogue.Judge(test, 0, sex, age).Range;
        var (ordinary, spread) = Ordinary(range);
        var (chosen, rounds) = standing.Values
            .SelectMany(one => one.Condition.Tests, (one, its) => (Test: its, one.Rounds))
            .Append((usual, standing.TryGetValue(today.Icd10, out var known) ? known.Rounds : 0))
            .Where(one => one.Item1.Code == test.Code && one.Item1.Mean is not null)
            .OrderByDescending(one => Math.Abs(one.Item1.Mean!.Value - ordinary) / spread)
            .FirstOrDefault();
        var (mean, deviation) = chosen?.Mean is { } moved ? (moved + (chosen.Trend * Math.Min(rounds, MostRounds)), chosen.Deviation * 0.5) : (ordinary, spread);
        var number = draw.Around(mean, Math.Max(deviation, 0.001), test.Decimals, (double)(test.Plausible.Low ?? 0), (double)(test.Plausible.High ?? 1_000_000));
        if (test.Code == Creatinine && Failing is { } kidney)
        {
            // One kidney, one finding: the creatinine is the one that this filtration rate is worked out from.
            var rate = Math.Clamp(draw.Around(kidney.Mean!.Value, kidney.Deviation * 0.5), (double)kidney.Least!.Value, (double)kidney.Most!.Value);
            number = Math.Round((decimal)CreatinineFor(rate, sex, age), test.Decimals);
        }

        return chosen is null ? number : Math.Clamp(number, chosen.Least ?? decimal.MinValue, chosen.Most ?? decimal.MaxValue);
    }

    /// <summary>The creatinine in µmol/L from which CKD-EPI 2021 works out this filtration rate.</summary>
    internal static double CreatinineFor(double rate, Sex sex, Age age)
    {
        var (least, factor) = sex == Sex.Female ? (0.7, 1.012) : (0.9, 1.0);
        var healthy = 142 * Math.Pow(0.9938, age.Years) * factor;
        return least * Math.Pow(Math.Min(1, rate / healthy), -1 / 1.2) * 88.4;
    }

    private UsualTest? Failing => standing.Values.SelectMany(one => one.Condition.Tests).FirstOrDefault(test => test is { Code: Filtration, Mean: not null, Least: not null, Most: not null });

    // Three deviations stay inside the range of a well person.
    private static (double Mean, double Spread) Ordinary(Interval? range) => range switch
    {
        { Low: { } low, High: { } high } => ((double)(low + high) / 2, (double)(high - low) / 8),
        { High: { } high } => ((double)high * 0.6, (double)high * 0.12),
        { Low: { } low } => ((double)low * 1.2, (double)low * 0.05),
        _ => (1, 0.1),
    };
}
