using System.Globalization;

namespace Mangrove.Clinic.Terminology;

/// <summary>A vital sign.</summary>
public enum Vital
{
    RespiratoryRate = 1,
    OxygenSaturation = 2,
    Systolic = 3,
    Diastolic = 4,
    Pulse = 5,
    Temperature = 6,
    Weight = 7,
    Height = 8,
    Glucose = 9,
    Pain = 10,
}

/// <summary>Age bands of vital signs; children change faster here than in the laboratory.</summary>
public enum VitalBand
{
    Newborn = 0,
    Infant = 1,
    Toddler = 2,
    Preschool = 3,
    School = 4,
    Adolescent = 5,
    Adult = 6,
}

/// <summary>A vital sign with its unit, its codes and its normal bands.</summary>
/// <param name="Possible">What a living person can have.</param>
public sealed record VitalSign(Vital Vital, string Name, string Loinc, string Ucum, string DisplayUnit, int Decimals, Interval Possible, IReadOnlyDictionary<VitalBand, Interval> Normal);

/// <summary>Normal bands for drawing, and the catch of values that cannot be.</summary>
public sealed class VitalRanges
{
    private static readonly Lazy<VitalRanges> Shipped = new(() => new VitalRanges());

    private readonly Dictionary<Vital, VitalSign> signs;

    private VitalRanges()
    {
        var table = DataTable.Read("vital-ranges.txt");
        SourceNote = table.SourceNote;
        signs = table.Rows.Select(row => new VitalSign(
            Enum.Parse<Vital>(row["vital"]),
            row["name"],
            row["loinc"],
            row["ucum"],
            row["display"],
            int.Parse(row["decimals"], CultureInfo.InvariantCulture),
            Interval.Parse(row["possible"]),
            Enum.GetValues<VitalBand>()
                .Select(band => (band, text: row[band.ToString().ToLowerInvariant()]))
                .Where(pair => pair.text.Length != 0)
                .ToDictionary(pair => pair.band, pair => Interval.Parse(pair.text)))).ToDictionary(sign => sign.Vital);
    }

    public string SourceNote { get; }

    public IReadOnlyCollection<VitalSign> All => signs.Values;

    public static VitalRanges Load() => Shipped.Value;

    public static VitalBand BandOf(Age age) => age switch
    {
        { Days: < 28 } => VitalBand.Newborn,
        { Years: < 1 } => VitalBand.Infant,
        { Years: < 3 } => VitalBand.Toddler,
        { Years: < 6 } => VitalBand.Preschool,
        { Years: < 12 } => VitalBand.School,
        { Years: < 16 } => VitalBand.Adolescent,
        _ => VitalBand.Adult,
    };

    /// <summary>The youngest age of a band: what is judged by the band comes out the same as by the person's own age.</summary>
    public static Age Youngest(VitalBand band) => band switch
    {
        VitalBand.Newborn => Age.OfDays(0),
        VitalBand.Infant => Age.OfDays(28),
        VitalBand.Toddler => Age.OfYears(1),
        VitalBand.Preschool => Age.OfYears(3),
        VitalBand.School => Age.OfYears(6),
        VitalBand.Adolescent => Age.OfYears(12),
        _ => Age.OfYears(16),
    };

    public VitalSign Of(Vital vital) => signs[vital];

    /// <summary>The normal band for an age; null where there is none (the weight of an adult).</summary>
    public Interval? Normal(Vital vital, Age age) => signs[vital].Normal.TryGetValue(BandOf(age), out var interval) ? interval : null;

    /// <summary>Low, normal or high; <see cref="ResultFlag.None"/> where there is no band.</summary>
    public ResultFlag Judge(Vital vital, decimal value, Age age) => Normal(vital, age) switch
    {
        null => ResultFlag.None,
        { } interval when value < interval.Low => ResultFlag.Low,
        { } interval when value > interval.High => ResultFlag.High,
        _ => ResultFlag.Normal,
    };

    /// <summary>Whether the value can be true, and what was likely meant: 370 is 37, glucose 128 is 12.8.</summary>
    public PlausibilityVerdict Plausible(Vital vital, decimal value)
    {
        var sign = signs[vital];
        return PlausibilityVerdict.Of(value, sign.Possible, sign.Decimals);
    }
}
