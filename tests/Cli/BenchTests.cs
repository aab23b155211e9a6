using System.Text.Json;

namespace Mangrove.Tests.Cli;

/// <summary>One quick run of every bench, which the tests of the class look at: a run for each would make its hospital anew.</summary>
public sealed class QuickBench : IAsyncLifetime
{
    private readonly Folder folder = new();

    internal Ran Ran { get; private set; } = null!;

    internal IReadOnlyList<JsonElement> Rows { get; private set; } = [];

    internal byte[] Written { get; private set; } = [];

    /// <summary>What the run left in its place.</summary>
    internal IReadOnlyList<string> Left { get; private set; } = [];

    public async ValueTask InitializeAsync()
    {
        Directory.CreateDirectory(folder["work"]);
        Ran = await Executable.Run("bench", "--quick", "--work", folder["work"], "--json-out", folder["rows.json"], "--json");
        Assert.True(Ran.Exit == 0, Ran.Error);
        Rows = [.. Ran.Json.EnumerateArray()];
        Written = await File.ReadAllBytesAsync(folder["rows.json"]);
        Left = [.. Directory.EnumerateFileSystemEntries(folder["work"])];
    }

    public ValueTask DisposeAsync()
    {
        folder.Dispose();
        return ValueTask.CompletedTask;
    }
}

public sealed class BenchTests(QuickBench bench) : IClassFixture<QuickBench>
{
    private static readonly string[] Members = ["name", "value", "unit", "reference", "ratio", "target", "judged", "met", "n", "p50", "p95", "p99", "note", "machine"];

    [Fact]
    public void Every_bench_runs_and_leaves_nothing_behind()
    {
        Assert.Equal(
            [
                "append", "backup", "backup-load", "bulk", "export", "http.chart", "http.fhir-read", "http.queue", "import", "index", "memory.empty", "memory.patients", "open", "renew", "restore",
                "search.fuzzy", "search.phonetic", "search.prefix", "start.empty", "start.log", "start.patients", "verify", "verify.offline",
            ],
            bench.Rows.Select(row => row.GetProperty("name").GetString()).Order(StringComparer.Ordinal));
        Assert.Empty(bench.Left);
        Assert.Contains("append:", bench.Ran.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_row_has_every_member()
    {
        Assert.All(bench.Rows, row =>
        {
            Assert.Equal(Members, row.EnumerateObject().Select(member => member.Name));
            Assert.True(row.GetProperty("value").GetDouble() > 0);
            Assert.True(row.GetProperty("target").GetDouble() > 0);
            Assert.NotEqual("", row.GetProperty("unit").GetString());
            Assert.Contains("flush", row.GetProperty("machine").GetString(), StringComparison.Ordinal);
        });
        Assert.Equal(bench.Ran.Json.GetRawText(), JsonSerializer.Serialize(JsonDocument.Parse(bench.Written).RootElement));
    }

    [Fact]
    public void A_ratio_is_that_of_its_figure_and_its_reference()
    {
        var judged = bench.Rows.Where(row => row.GetProperty("judged").GetString() == "ratio").ToArray();
        Assert.Equal(12, judged.Length);
        Assert.All(judged, row =>
        {
            Assert.True(row.GetProperty("n").GetInt64() > 0);
            var ratio = row.GetProperty("value").GetDouble() / row.GetProperty("reference").GetDouble();
            Assert.InRange(row.GetProperty("ratio").GetDouble(), ratio - 0.001, ratio + 0.001);
            Assert.Equal(row.GetProperty("ratio").GetDouble() >= row.GetProperty("target").GetDouble(), row.GetProperty("met").GetBoolean());
        });
    }

    [Fact]
    public void Percentiles_are_in_order()
    {
        var spread = bench.Rows.Where(row => row.GetProperty("p50").ValueKind == JsonValueKind.Number).ToArray();
        Assert.True(spread.Length >= 8, $"Only {spread.Length} rows have percentiles.");
        Assert.All(spread, row => Assert.True(row.GetProperty("p99").GetDouble() >= row.GetProperty("p95").GetDouble() && row.GetProperty("p95").GetDouble() >= row.GetProperty("p50").GetDouble()));
    }

    [Fact]
    public async Task What_it_cannot_do_it_says_before_it_begins()
    {
        using var folder = new Folder();
        foreach (var (arguments, code) in new (string[], string)[]
        {
            (["--only", "append,dance"], "bench.unknown"),
            (["--quick", "--full"], "bench.sizes"),
            (["--patients", "3"], "bench.patients"),
            (["--synthea", folder["nowhere"]], "bench.synthea"),
        })
        {
            var refused = await Executable.Run(["bench", "--work", folder.Path, "--json", .. arguments]);
            Assert.Equal((2, code), (refused.Exit, refused.Code));
        }

        Assert.Empty(Directory.EnumerateFileSystemEntries(folder.Path));
    }
}
