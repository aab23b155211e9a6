namespace Mangrove.Web.Parts;

/// <summary>A value of a plot over time.</summary>
public readonly record struct TimedValue(DateTimeOffset At, double Value);

/// <summary>A line of a plot.</summary>
/// <param name="Name">What it is called at its end; empty where it is the only one.</param>
/// <param name="Points">The oldest first, in the unit of the plot.</param>
public sealed record PlotLine(string Name, IReadOnlyList<TimedValue> Points);
