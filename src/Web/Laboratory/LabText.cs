using System.Globalization;
using Mangrove.Clinic.Laboratory;
using Mangrove.Clinic.Terminology;
using Mangrove.Kernel;
using Mangrove.Web.Parts;

namespace Mangrove.Web.Laboratory;

/// <summary>Words and figures of the laboratory's pages.</summary>
internal static class LabText
{
    private const int MostPoints = 8;

    public static Finding Finding(ResultFlag flag) => flag switch
    {
        ResultFlag.Normal => Parts.Finding.Normal,
        ResultFlag.Low => Parts.Finding.Low,
        ResultFlag.High => Parts.Finding.High,
        ResultFlag.CriticalLow => Parts.Finding.CriticalLow,
        ResultFlag.CriticalHigh => Parts.Finding.CriticalHigh,
        ResultFlag.Abnormal => Parts.Finding.Abnormal,
        _ => Parts.Finding.None,
    };

    public static Finding Finding(string? flag) => Enum.TryParse<ResultFlag>(flag, out var known) ? Finding(known) : Parts.Finding.None;

    /// <summary>A result as the list of released ones shows it, in the laboratory's figures.</summary>
    public static string Value(Clinic.Records.ObservedValue value) => value.Number is { } number ? $"{Svg.Figure(number)} {value.Unit}".Trim() : value.Text ?? "";

    public static string Before(TestRow row) => row.Before switch
    {
        null => "",
        { Number: { } number } => Figure(row, number),
        { Text: var text } => text ?? "",
    };

    public static string Figure(TestRow row, decimal number) => row.Test is { } test ? LaboratoryCatalogue.Figure(test, number) : Svg.Figure(number);

    /// <summary>The move since the last value: a sign, the figure, and the word of the check.</summary>
    public static string Change(TestRow row, ResultChange change)
    {
        var sign = change.Difference switch { > 0 => "+", < 0 => "−", _ => "±" };
        var figure = $"{sign}{Figure(row, Math.Abs(change.Difference))}";
        return change.Large ? $"{(change.Difference > 0 ? "▲" : "▼")} {figure} check" : figure;
    }

    public static int Minutes(DateTimeOffset since, DateTimeOffset now) => Math.Max(0, (int)(now - since).TotalMinutes);

    /// <summary>Minutes up to two hours, hours up to two days, days beyond.</summary>
    public static string Waited(DateTimeOffset since, DateTimeOffset now) => Minutes(since, now) switch
    {
        var minutes and <= 120 => Number(minutes, "min"),
        var minutes and <= 2880 => Number(minutes / 60, "h"),
        var minutes => Number(minutes / 1440, "d"),
    };

    /// <summary>Earlier values and the one that is being entered.</summary>
    public static IReadOnlyList<PlotPoint> Trend(TestRow row, ResultJudgement? typed)
    {
        var points = row.Earlier.Where(earlier => earlier.Number is not null)
            .Select(earlier => new PlotPoint(ClinicalTime.DayMonth(earlier.At.ToLocalTime()), earlier.Number!.Value, Finding(earlier.Flag)))
            .TakeLast(MostPoints - 1)
            .ToList();
        if (typed is { Number: { } number, Flag: { } flag })
        {
            points.Add(new PlotPoint("now", number, Finding(flag.Flag)));
        }
        else if (row.Reported?.Value is { Number: { } reported } value)
        {
            points.Add(new PlotPoint("this", reported, Finding(value.Flag)));
        }

        return points;
    }

    private static string Number(int number, string unit) => string.Create(CultureInfo.InvariantCulture, $"{number} {unit}");
}
