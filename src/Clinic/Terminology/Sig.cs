using System.Globalization;
using Mangrove.Kernel;

namespace Mangrove.Clinic.Terminology;

/// <summary>How often a medicine is taken, in words.</summary>
/// <param name="PerDay">Doses a day; null for once, and for when needed without a limit.</param>
public sealed record Frequency(string Code, string Text, decimal? PerDay, int? Hours, bool AsNeeded)
{
    private static readonly Lazy<(Frequency[] All, string Note)> Shipped = new(() =>
    {
        var table = DataTable.Read("frequencies.txt");
        return ([.. table.Rows.Select(row => new Frequency(
            row["code"],
            row["text"],
            row["perday"].Length == 0 ? null : decimal.Parse(row["perday"], CultureInfo.InvariantCulture),
            row["hours"].Length == 0 ? null : int.Parse(row["hours"], CultureInfo.InvariantCulture),
            row["asneeded"] == "y"))], table.SourceNote);
    });

    /// <summary>The common frequencies, in the order of a pick list.</summary>
    public static IReadOnlyList<Frequency> All => Shipped.Value.All;

    public static string SourceNote => Shipped.Value.Note;

    /// <summary>By its words, as a signed line keeps it.</summary>
    public static Frequency? Worded(string text) => All.FirstOrDefault(one => one.Text == text);

    public static Frequency? Find(string code) => All.FirstOrDefault(one => one.Code.Equals(code.Trim(), StringComparison.OrdinalIgnoreCase));
}

/// <summary>By which way a medicine enters the body.</summary>
/// <param name="Text">As directions say it: <c>by mouth</c>.</param>
public sealed record Route(string Code, string Name, string Text)
{
    private static readonly Lazy<(Route[] All, string Note)> Shipped = new(() =>
    {
        var table = DataTable.Read("routes.txt");
        return ([.. table.Rows.Select(row => new Route(row["code"], row["name"], row["text"]))], table.SourceNote);
    });

    public static IReadOnlyList<Route> All => Shipped.Value.All;

    public static string SourceNote => Shipped.Value.Note;

    public static Route? Find(string code) => All.FirstOrDefault(one => one.Code.Equals(code.Trim(), StringComparison.OrdinalIgnoreCase));
}

/// <summary>
/// The directions of a prescription, as data and as a sentence: <c>1 tablet twice daily by mouth for 5 days</c>. Valid
/// when made.
/// </summary>
public sealed record Sig
{
    private Sig(decimal quantity, string unit, Frequency frequency, Route route, int? days)
    {
        Quantity = quantity;
        Unit = unit;
        Frequency = frequency;
        Route = route;
        Days = days;
    }

    /// <summary>How much at each dose, in <see cref="Unit"/>.</summary>
    public decimal Quantity { get; }

    /// <summary>A countable form (tablet, puff) in the singular, or a measure (mL, mg).</summary>
    public string Unit { get; }

    public Frequency Frequency { get; }

    public Route Route { get; }

    public int? Days { get; }

    public string Text
    {
        get
        {
            var days = Days switch
            {
                null => "",
                1 => " for 1 day",
                { } many => string.Create(CultureInfo.InvariantCulture, $" for {many:#,##0} days"),
            };
            return $"{Amount(Quantity, Unit)} {Frequency.Text} {Route.Text}{days}";
        }
    }

    /// <summary>How many units the whole course takes, rounded up; null when it cannot be known (no days, only when needed).</summary>
    public decimal? Supply => Frequency switch
    {
        { Code: "once" or "at-once" } => Quantity,
        { PerDay: { } perDay } when Days is { } days => decimal.Ceiling(decimal.Round(Quantity * perDay * days, 6)),
        _ => null,
    };

    public static Result<Sig> Make(decimal quantity, string unit, Frequency frequency, Route route, int? days)
    {
        if (quantity is <= 0 or > 10_000)
        {
            return new Error("prescription.quantity", "Give how much to take at each dose, above 0.");
        }

        if (string.IsNullOrWhiteSpace(unit) || unit.Length > 40)
        {
            return new Error("prescription.unit", "Give the unit of the dose, such as tablet or mL.");
        }

        if (days is < 1 or > 730)
        {
            return new Error("prescription.days", "Give the length of the course in days, 1 to 730.");
        }

        return new Sig(quantity, unit.Trim(), frequency, route, days);
    }

    private static string Amount(decimal quantity, string unit)
    {
        var counted = unit.Length > 3 && unit.All(letter => char.IsAsciiLetterLower(letter) || letter is ' ' or '-');
        return (quantity, counted) switch
        {
            (_, false) => DrugLine.Dose(quantity, unit),
            (0.5m, true) => $"half a {unit}",
            ( <= 1m, true) => $"{DrugLine.Number(quantity)} {unit}",
            _ => $"{DrugLine.Number(quantity)} {Plural(unit)}",
        };
    }

    private static string Plural(string unit) => unit switch
    {
        "suppository" => "suppositories",
        "pessary" => "pessaries",
        "patch" => "patches",
        _ when unit.EndsWith('s') => unit,
        _ => unit + "s",
    };
}
