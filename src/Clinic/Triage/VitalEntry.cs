using System.Globalization;
using Mangrove.Clinic.Terminology;
using Mangrove.Kernel;

namespace Mangrove.Clinic.Triage;

/// <summary>
/// What was typed into the row of vital signs, and what follows from it: numbers, flags, the score, and what is
/// impossible. Pure: it opens and stores nothing.
/// </summary>
public sealed class VitalEntry
{
    private readonly Dictionary<Vital, Reading> readings = [];
    private readonly Func<string, string?> field;

    private VitalEntry(Func<string, string?> field, Age? age, bool pregnant)
    {
        this.field = field;
        Age = age;
        Pregnant = pregnant;
    }

    /// <summary>The vital signs of the row, in its order.</summary>
    public static IReadOnlyList<Vital> Asked { get; } =
        [Vital.RespiratoryRate, Vital.OxygenSaturation, Vital.Systolic, Vital.Diastolic, Vital.Pulse, Vital.Temperature, Vital.Weight, Vital.Height, Vital.Glucose];

    public Age? Age { get; }

    public bool Pregnant { get; }

    public bool? OnOxygen { get; private set; }

    public Alertness? Alertness { get; private set; }

    public OxygenScale Scale { get; private set; } = OxygenScale.One;

    public int? Pain { get; private set; }

    public IReadOnlyDictionary<Vital, Reading> Readings => readings;

    /// <summary>Whether any value cannot be; the form stays shut until it is corrected.</summary>
    public IEnumerable<Vital> Impossible => readings.Where(entry => entry.Value.Wrong is not null).Select(entry => entry.Key);

    public bool IsEmpty => readings.Values.All(reading => reading.Value is null && reading.Wrong is null) && OnOxygen is null && Alertness is null;

    /// <summary>The score, or why there is none: another chart applies, or the age is not known.</summary>
    public Result<News2Score> Score => Age is { } age
        ? News2.Score(
            new News2Observations(
                Number(Vital.RespiratoryRate),
                Number(Vital.OxygenSaturation),
                OnOxygen,
                Number(Vital.Systolic),
                Number(Vital.Pulse),
                Alertness,
                Number(Vital.Temperature),
                Scale),
            age,
            Pregnant)
        : new Error("news2.age", "The age is not known. Ask for it or estimate it; NEWS2 is for 16 years and over.");

    /// <summary>Reads the form's fields, named like the vital signs in lower case.</summary>
    public static VitalEntry Read(Func<string, string?> field, Age? age)
    {
        var entry = new VitalEntry(field, age, field("pregnant") is "on" or "true")
        {
            OnOxygen = field("oxygen") switch { "oxygen" => true, "air" => false, _ => null },
            Alertness = Enum.TryParse<Alertness>(field("alertness"), ignoreCase: true, out var alert) && Enum.IsDefined(alert) ? alert : null,
            Scale = field("scale") == "2" ? OxygenScale.Two : OxygenScale.One,
            Pain = int.TryParse(field("pain"), NumberStyles.None, CultureInfo.InvariantCulture, out var pain) && pain <= 10 ? pain : null,
        };
        foreach (var vital in Asked)
        {
            if (field(NameOf(vital)) is { } text && text.Trim().Length > 0)
            {
                entry.readings[vital] = Reading.Of(vital, text.Trim(), age);
            }
        }

        // A diastolic at or above the systolic is two numbers in the wrong fields.
        if (entry.Number(Vital.Systolic) is { } systolic && entry.Number(Vital.Diastolic) is { } diastolic && diastolic >= systolic)
        {
            entry.readings[Vital.Diastolic] = entry.readings[Vital.Diastolic] with { Wrong = "Not below the systolic." };
        }

        return entry;
    }

    /// <summary>The same fields judged by another age.</summary>
    public VitalEntry At(Age? age) => Read(field, age);

    public static string NameOf(Vital vital) => vital.ToString().ToLowerInvariant();

    public decimal? Number(Vital vital) => readings.TryGetValue(vital, out var reading) && reading.Wrong is null ? reading.Value : null;

    /// <summary>NEWS2 points of one parameter, or null when it does not score.</summary>
    public int? Points(News2Parameter parameter) => Score is { Ok: true, Value: { } score } ? score.Lines.FirstOrDefault(line => line.Parameter == parameter)?.Points : null;

    /// <param name="Text">As typed.</param>
    /// <param name="Value">The number, or null when it is none.</param>
    /// <param name="Flag">Against the range of the age.</param>
    /// <param name="Wrong">Why it cannot be, or null.</param>
    /// <param name="Likely">What was probably meant.</param>
    public sealed record Reading(string Text, decimal? Value, ResultFlag Flag, string? Wrong, decimal? Likely)
    {
        internal static Reading Of(Vital vital, string text, Age? age)
        {
            // A comma is the decimal point of many keyboards; a thousands separator has no place in a vital sign.
            if (!decimal.TryParse(text.Replace(',', '.'), NumberStyles.AllowDecimalPoint | NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value))
            {
                return new Reading(text, null, ResultFlag.None, "Write a number.", null);
            }

            var ranges = VitalRanges.Load();
            var verdict = ranges.Plausible(vital, value);
            if (!verdict.Possible)
            {
                return new Reading(text, value, ResultFlag.None, verdict.Likely is { } likely ? $"Meant {likely.ToString("0.###", CultureInfo.InvariantCulture)}?" : "Measure again.", verdict.Likely);
            }

            return new Reading(text, value, age is { } known ? ranges.Judge(vital, value, known) : ResultFlag.None, null, null);
        }

        /// <summary>Nothing: PHI never reaches a log by accident.</summary>
        public override string ToString() => nameof(Reading);
    }
}
