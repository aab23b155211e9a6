using System.Text.Json;

namespace Mangrove.Tests.Cli;

public sealed class BenchTests : IDisposable
{
    private static readonly string[] Members = ["name", "value", "unit", "reference", "ratio", "target", "judged", "met", "n", "p50", "p95", "p99", "note", "machine"];

    private readonly Folder folder = new();

    [Fact]
    public async Task Every_row_has_every_member_and_nothing_is_left_behind()
    {
        Directory.CreateDirectory(folder["work"]);
        var ran = await Executable.Run("bench", "--quick", "--only", "append,verify,search", "--work", folder["work"], "--json-out", folder["rows.json"], "--json");
        Assert.True(ran.Exit == 0, ran.Error);
        var rows = ran.Json.EnumerateArray().ToArray();
        Assert.Equal(["append", "verify", "search.prefix", "search.fuzzy", "search.phonetic"], rows.Select(row => row.GetProperty("name").GetString()));
        Assert.All(rows, row =>
        {
            Assert.Equal(Members, row.EnumerateObject().Select(member => member.Name));
            Assert.True(row.GetProperty("value").GetDouble() > 0);
            Assert.True(row.GetProperty("target").GetDouble() > 0);
            Assert.True(row.GetProperty("n").GetInt64() > 0);
            Assert.NotEqual("", row.GetProperty("unit").GetString());
            Assert.Contains("flush", row.GetProperty("machine").GetString(), StringComparison.Ordinal);
        });
        Assert.All(rows.Where(row => row.GetProperty("judged").GetString() == "ratio"), row =>
        {
            var ratio = row.GetProperty("value").GetDouble() / row.GetProperty("reference").GetDouble();
            Assert.InRange(row.GetProperty("ratio").GetDouble(), ratio - 0.001, ratio + 0.001);
            Assert.Equal(row.GetProperty("ratio").GetDouble() >= row.GetProperty("target").GetDouble(), row.GetProperty("met").GetBoolean());
        });
        Assert.Equal(ran.Json.GetRawText(), JsonSerializer.Serialize(JsonDocument.Parse(await File.ReadAllBytesAsync(folder["rows.json"])).RootElement));
        Assert.Empty(Directory.EnumerateFileSystemEntries(folder["work"]));
        Assert.Contains("append:", ran.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_server_is_measured_over_the_wire()
    {
        var rows = await Rows("http");
        Assert.Equal(["http.fhir-read", "http.chart", "http.queue"], rows.Select(row => row.GetProperty("name").GetString()));
        Assert.All(rows, row => Assert.True(row.GetProperty("p99").GetDouble() >= row.GetProperty("p50").GetDouble()));
    }

    [Fact]
    public async Task The_server_is_measured_as_a_process_of_its_own()
    {
        var rows = await Rows("start,memory");
        Assert.Equal(["start.empty", "start.patients", "start.log", "memory.empty", "memory.patients"], rows.Select(row => row.GetProperty("name").GetString()));
        Assert.All(rows, row => Assert.True(row.GetProperty("value").GetDouble() > 0));
    }

    [Fact]
    public async Task Patients_are_opened_registered_indexed_imported_and_exported()
    {
        var rows = await Rows("open,index,import,bulk,export");
        Assert.Equal(["open", "index", "import", "bulk", "export"], rows.Select(row => row.GetProperty("name").GetString()));
        Assert.All(rows, row => Assert.True(row.GetProperty("value").GetDouble() > 0 && row.GetProperty("reference").GetDouble() > 0));
    }

    [Fact]
    public async Task What_it_cannot_do_it_says_before_it_begins()
    {
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

    public void Dispose() => folder.Dispose();

    private async Task<JsonElement[]> Rows(string only)
    {
        var ran = await Executable.Run("bench", "--quick", "--only", only, "--work", folder.Path, "--json");
        Assert.True(ran.Exit == 0, ran.Error);
        Assert.Empty(Directory.EnumerateFileSystemEntries(folder.Path));
        return [.. ran.Json.EnumerateArray()];
    }
}
