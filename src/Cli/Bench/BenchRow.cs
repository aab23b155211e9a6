namespace Mangrove.Cli.Bench;

/// <summary>How a figure is held against its target.</summary>
internal enum Judged
{
    /// <summary>The figure divided by its reference must reach the target; so another machine does not change the verdict.</summary>
    ByRatio = 1,

    /// <summary>The figure itself must not pass the target.</summary>
    AtMost = 2,
}

/// <summary>One line of the table.</summary>
internal sealed record BenchRow
{
    /// <summary>Bench and part, such as <c>http.chart</c>.</summary>
    public required string Name { get; init; }

    public required double Value { get; init; }

    public required string Unit { get; init; }

    /// <summary>What the figure is held against, measured in the same run and the same unit; null where there is none.</summary>
    public double? Reference { get; init; }

    public required Judged Judged { get; init; }

    /// <summary>The least ratio or the most of the unit, by <see cref="Judged"/>.</summary>
    public required double Target { get; init; }

    /// <summary>How many of what the bench worked on.</summary>
    public required long N { get; init; }

    /// <summary>What N counts and what the reference was.</summary>
    public required string Note { get; init; }

    /// <summary>Spread over single acts, where each was timed.</summary>
    public Spread? Spread { get; init; }

    public double? Ratio => Reference is > 0 and { } reference ? Value / reference : null;

    public bool Met => Judged == Judged.ByRatio ? Ratio >= Target : Value <= Target;

    public static BenchRow ByRatio(string name, double value, string unit, double reference, double target, long n, string note, Spread? spread = null) =>
        new() { Name = name, Value = value, Unit = unit, Reference = reference, Judged = Judged.ByRatio, Target = target, N = n, Note = note, Spread = spread };

    public static BenchRow AtMost(string name, double value, string unit, double target, long n, string note, double? reference = null, Spread? spread = null) =>
        new() { Name = name, Value = value, Unit = unit, Reference = reference, Judged = Judged.AtMost, Target = target, N = n, Note = note, Spread = spread };
}

/// <summary>Times of single acts, in milliseconds.</summary>
internal sealed record Spread(double P50, double P95, double P99)
{
    /// <summary>Of the times given, which are sorted on the way.</summary>
    public static Spread Of(List<TimeSpan> times)
    {
        times.Sort();
        double At(double share) => times.Count == 0 ? 0 : times[Math.Min(times.Count - 1, (int)(times.Count * share))].TotalMilliseconds;
        return new Spread(At(0.50), At(0.95), At(0.99));
    }
}
