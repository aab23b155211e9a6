using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Mangrove.Cli.Bench;

/// <summary>The rows as people and as scripts read them.</summary>
internal static class BenchTable
{
    private static readonly string[] Heads = ["bench", "figure", "unit", "reference", "ratio", "target", "", "n", "p50/p95/p99 ms"];
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    public static JsonElement Json(IEnumerable<BenchRow> rows, string machine) => JsonSerializer.SerializeToElement(rows.Select(row => new
    {
        name = row.Name,
        value = Round(row.Value),
        unit = row.Unit,
        reference = Round(row.Reference),
        ratio = Round(row.Ratio),
        target = Round(row.Target),
        judged = row.Judged == Judged.ByRatio ? "ratio" : "value",
        met = row.Met,
        n = row.N,
        p50 = Round(row.Spread?.P50),
        p95 = Round(row.Spread?.P95),
        p99 = Round(row.Spread?.P99),
        note = row.Note,
        machine,
    }));

    public static byte[] File(JsonElement rows) => [.. JsonSerializer.SerializeToUtf8Bytes(rows, Indented), (byte)'\n'];

    public static string Text(IReadOnlyCollection<BenchRow> rows, string machine)
    {
        string[][] cells = [Heads, .. rows.Select(Cells)];
        var widths = Enumerable.Range(0, Heads.Length).Select(column => cells.Max(line => line[column].Length)).ToArray();
        var text = new StringBuilder();
        foreach (var line in cells)
        {
            var words = line.Select((cell, column) => column is 0 or 2 or 6 or 8 ? cell.PadRight(widths[column]) : cell.PadLeft(widths[column]));
            text.Append(string.Join("  ", words).TrimEnd()).Append('\n');
        }

        text.Append('\n');
        foreach (var row in rows)
        {
            text.Append(CultureInfo.InvariantCulture, $"{row.Name}: {row.Note}\n");
        }

        return text.Append(CultureInfo.InvariantCulture, $"\n{machine}\n{rows.Count(row => row.Met)} of {rows.Count} targets met").ToString();
    }

    /// <summary>One row in a few words, for whoever waits.</summary>
    public static string Line(BenchRow row) => string.Join(' ', Cells(row).Where((cell, column) => column is not (3 or 7 or 8) && cell != "-"));

    private static string[] Cells(BenchRow row) =>
    [
        row.Name,
        Figure(row.Value),
        row.Unit,
        row.Reference is { } reference ? Figure(reference) : "-",
        row.Ratio is { } ratio ? ratio.ToString("0.00", CultureInfo.InvariantCulture) : "-",
        row.Judged == Judged.ByRatio ? $"ratio >= {Figure(row.Target)}" : $"<= {Figure(row.Target)} {row.Unit}",
        row.Met ? "met" : "missed",
        row.N.ToString("#,##0", CultureInfo.InvariantCulture),
        row.Spread is { } spread ? $"{Figure(spread.P50)} / {Figure(spread.P95)} / {Figure(spread.P99)}" : "",
    ];

    private static string Figure(double value) => value.ToString(value switch { >= 100 => "#,##0", >= 10 => "0.0", >= 0.1 => "0.00", _ => "0.000" }, CultureInfo.InvariantCulture);

    private static double? Round(double? value) => value is { } present ? Math.Round(present, 4) : null;
}
