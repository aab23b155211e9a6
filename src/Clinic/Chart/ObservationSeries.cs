using Mangrove.Clinic.Records;
using Mangrove.Clinic.Terminology;
using Mangrove.Kernel;
using Mangrove.Vault;

namespace Mangrove.Clinic.Chart;

/// <summary>
/// Gathers observations into series: the last value and its trend, one series a test or sign. A panel observation (blood
/// pressure) is taken apart. Values keep the unit they were recorded in; a trend never mixes units.
/// </summary>
internal sealed class ObservationSeries(PartialDate? born, AdministrativeSex sex)
{
    private readonly Dictionary<string, List<(Observation Row, ObservedValue Value)>> groups = new(StringComparer.OrdinalIgnoreCase);

    // Codes under which outside systems send the same sign.
    private static readonly Dictionary<string, Vital> Signs = VitalRanges.Load().All.Select(sign => (sign.Loinc, sign.Vital))
        .Concat([("2708-6", Vital.OxygenSaturation), ("8331-1", Vital.Temperature), ("3141-9", Vital.Weight)])
        .DistinctBy(pair => pair.Item1)
        .ToDictionary(pair => pair.Item1, pair => pair.Item2, StringComparer.Ordinal);

    public void Add(Observation row, ObservedValue value)
    {
        foreach (var component in value.Components)
        {
            Add(row, component.Flag is null && component.Status == value.Status && value.Recorded is null ? component : component with { Status = value.Status, Recorded = value.Recorded });
        }

        if (value.Number is null && string.IsNullOrWhiteSpace(value.Text))
        {
            return;
        }

        var key = KeyOf(row, value);
        if (!groups.TryGetValue(key, out var list))
        {
            groups[key] = list = [];
        }

        list.Add((row, value));
    }

    /// <summary>The series, the newest first.</summary>
    public IReadOnlyList<ChartSeries> All() =>
        [.. groups.Select(group => Series(group.Key, group.Value)).OrderByDescending(series => series.Last.At).ThenBy(series => series.Name, StringComparer.OrdinalIgnoreCase)];

    private static string KeyOf(Observation row, ObservedValue value) => row.Kind == ObservationKind.Laboratory
        ? TestOf(value)?.Code ?? value.Code ?? value.Display
        : value.Code is { } code && Signs.TryGetValue(code, out var vital) ? vital.ToString() : value.Code ?? value.Display;

    private static LaboratoryTest? TestOf(ObservedValue value)
    {
        var catalogue = LaboratoryCatalogue.Load();
        return value.TestCode is { } own && catalogue.Find(own) is { } test ? test : value.Code is { } loinc ? catalogue.ByLoinc(loinc) : null;
    }

    private ChartSeries Series(string key, List<(Observation Row, ObservedValue Value)> found)
    {
        found.Sort((a, b) => a.Row.TakenAt.CompareTo(b.Row.TakenAt));
        var last = found[^1];
        var unit = last.Value.Unit ?? last.Value.UnitCode ?? "";
        var laboratory = last.Row.Kind == ObservationKind.Laboratory;
        var test = laboratory ? TestOf(last.Value) : null;
        Vital? vital = !laboratory && last.Value.Code is { } code && Signs.TryGetValue(code, out var sign) ? sign : null;
        var name = test?.Name ?? (vital is { } known ? VitalRanges.Load().Of(known).Name : last.Value.Display);
        var points = found
            .Where(one => (one.Value.Unit ?? one.Value.UnitCode ?? "") == unit && one.Value.Number is null == last.Value.Number is null)
            .Select(one => new ChartPoint(one.Row.TakenAt, one.Value.Number, one.Value.Text, Flag(one.Row, one.Value, test, vital), one.Row.OrderId) { Recorded = one.Value.Recorded })
            .ToList();
        return new ChartSeries(key, name, unit, Range(last.Row, last.Value, test, vital), vital, points);
    }

    // What was judged at the time stands; only what came without a judgement is judged now, for the age of then.
    private ResultFlag Flag(Observation row, ObservedValue value, LaboratoryTest? test, Vital? vital)
    {
        if (value.Flag is { } flag && Enum.TryParse<ResultFlag>(flag, out var judged))
        {
            return judged;
        }

        return (test, vital, AgeAt(row.TakenAt)) switch
        {
            ({ } known, _, { } age) when value.Number is { } number => LaboratoryCatalogue.Judge(known, number, (Sex)sex, age, value.UnitCode ?? value.Unit).Flag,
            ({ } known, _, _) when value.Number is null && value.Text is { } answer => LaboratoryCatalogue.Judge(known, answer).Flag,
            (_, { } sign, { } age) when value.Number is { } number => VitalRanges.Load().Judge(sign, number, age),
            _ => ResultFlag.None,
        };
    }

    private Interval? Range(Observation row, ObservedValue value, LaboratoryTest? test, Vital? vital)
    {
        if (value.Low is not null || value.High is not null)
        {
            return new Interval(value.Low, value.High);
        }

        return (test, vital, AgeAt(row.TakenAt)) switch
        {
            ({ } known, _, { } age) when value.Number is { } number => LaboratoryCatalogue.Judge(known, number, (Sex)sex, age, value.UnitCode ?? value.Unit).Range,
            (_, { } sign, { } age) => VitalRanges.Load().Normal(sign, age),
            _ => null,
        };
    }

    private Age? AgeAt(DateTimeOffset time) => born is { } date ? Age.On(date, DateOnly.FromDateTime(time.UtcDateTime)) : null;
}
