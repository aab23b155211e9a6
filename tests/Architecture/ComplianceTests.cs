using System.Globalization;
using System.Text.RegularExpressions;

namespace Mangrove.Tests.Architecture;

/// <summary>
/// The table of OWASP ASVS 5.0.0 (docs/compliance): every requirement once, with a state, and what is said to be held names a
/// test or a file that a reader can open.
/// </summary>
public partial class ComplianceTests
{
    private const string Folder = "docs/compliance/asvs/";
    private const string Index = "docs/compliance/asvs-5.0.md";

    // Of version 5.0.0: requirements of level 1, 2 and 3, and of each chapter.
    private static readonly int[] Levels = [70, 183, 92];
    private static readonly int[] Chapters = [30, 13, 31, 16, 13, 47, 19, 13, 7, 36, 24, 12, 21, 13, 21, 17, 12];

    private static readonly Lazy<IReadOnlyList<Row>> Rows = new(() => [.. House.Sources(Folder, ".md").SelectMany(file => Read(file, House.Read(file)))]);

    private static readonly Lazy<IReadOnlyDictionary<string, string>> Tests = new(() =>
        House.Sources("tests/", ".cs").ToDictionary(file => file, House.Read, StringComparer.Ordinal));

    [Fact]
    public void Every_requirement_stands_once_in_the_file_of_its_chapter()
    {
        var rows = Rows.Value;
        House.None(rows.Where(row => !Id().IsMatch(row.Id) || row.File != string.Create(CultureInfo.InvariantCulture, $"{Folder}V{row.Chapter:00}.md")).Select(row => $"{row.File}: {row.Id}"));
        House.None(rows.GroupBy(row => row.Id, StringComparer.Ordinal).Where(same => same.Count() > 1).Select(same => same.Key));
        House.None(Gaps(rows));
        Assert.Equal(Chapters, Enumerable.Range(1, Chapters.Length).Select(chapter => rows.Count(row => row.Chapter == chapter)));
    }

    [Fact]
    public void Each_level_has_as_many_as_the_standard_says() =>
        Assert.Equal(Levels, Enumerable.Range(1, 3).Select(level => Rows.Value.Count(row => row.Level == level)));

    [Fact]
    public void Every_row_has_a_state_and_what_stands_behind_it() => House.None(Rows.Value.SelectMany(Offences));

    [Fact]
    public void The_counts_of_the_index_are_those_of_the_rows()
    {
        var written = House.Read(Index);
        foreach (var level in Enumerable.Range(1, 3))
        {
            int Count(string state) => Rows.Value.Count(row => row.Level == level && row.State == state);
            var line = string.Create(CultureInfo.InvariantCulture, $"| {level} | {Levels[level - 1]} | {Count("held")} | {Count("open")} | {Count("not applicable")} |");
            Assert.True(written.Contains(line, StringComparison.Ordinal), $"{Index} lacks the line: {line}");
        }
    }

    [Theory]
    [InlineData("| V1.2.3 | 1 | asks something of it | held | NoTests.That_is_not_there |", "names no test: NoTests.That_is_not_there")]
    [InlineData("| V1.2.3 | 1 | asks something of it | held | src/Nowhere/None.cs |", "names no file: src/Nowhere/None.cs")]
    [InlineData("| V1.2.3 | 1 | asks something of it | held | by good will alone |", "names neither a test nor a file")]
    [InlineData("| V1.2.3 | 1 | asks something of it | open | later |", "gives no reason")]
    [InlineData("| V1.2.3 | 1 | asks something of it | not applicable | |", "gives no reason")]
    [InlineData("| V1.2.3 | 1 | asks something of it | perhaps | a reason of four words |", "has no state")]
    [InlineData("| V1.2.3 | 4 | asks something of it | open | a reason of four words |", "has no level")]
    public void A_row_that_claims_too_much_is_found(string line, string fault) => Assert.Contains(fault, Offences(Assert.Single(Read(Folder, line))).Select(offence => offence["V1.2.3 ".Length..]));

    private static IEnumerable<string> Offences(Row row)
    {
        if (row.Level is < 1 or > 3)
        {
            yield return $"{row.Id} has no level";
        }

        if (row.State is not ("held" or "open" or "not applicable"))
        {
            yield return $"{row.Id} has no state";
        }

        if (Words(row.Asks) < 3)
        {
            yield return $"{row.Id} does not say what it asks";
        }

        var tests = Test().Matches(row.By).Select(match => match.Value).ToList();
        var files = Source().Matches(row.By).Select(match => match.Value.TrimEnd('.')).ToList();
        foreach (var test in tests.Where(test => !IsThere(test)))
        {
            yield return $"{row.Id} names no test: {test}";
        }

        foreach (var file in files.Where(file => !House.Files.Contains(file)))
        {
            yield return $"{row.Id} names no file: {file}";
        }

        if (row.State == "held" && tests.Count + files.Count == 0)
        {
            yield return $"{row.Id} names neither a test nor a file";
        }

        if (row.State is "open" or "not applicable" && Words(row.By) < 4)
        {
            yield return $"{row.Id} gives no reason";
        }
    }

    /// <summary>A test of that name, in a file that has the class.</summary>
    private static bool IsThere(string test) => test.Split('.') is [var type, var method] && Tests.Value.Values.Any(source =>
        source.Contains($"class {type}", StringComparison.Ordinal) && source.Contains($" {method}(", StringComparison.Ordinal));

    /// <summary>Numbers that are missing between those that stand there: a requirement left out.</summary>
    private static IEnumerable<string> Gaps(IReadOnlyList<Row> rows)
    {
        foreach (var section in rows.GroupBy(row => row.Id[..row.Id.LastIndexOf('.')], StringComparer.Ordinal))
        {
            var numbers = section.Select(row => int.Parse(row.Id[(row.Id.LastIndexOf('.') + 1)..], CultureInfo.InvariantCulture)).ToHashSet();
            foreach (var missing in Enumerable.Range(1, numbers.Max()).Where(number => !numbers.Contains(number)))
            {
                yield return $"{section.Key}.{missing} is missing";
            }
        }
    }

    private static IEnumerable<Row> Read(string file, string text) => text.Split('\n')
        .Where(line => line.StartsWith("| V", StringComparison.Ordinal))
        .Select(line => line.Split('|').Select(cell => cell.Trim()).ToArray())
        .Select(cells => cells.Length == 7 && int.TryParse(cells[2], CultureInfo.InvariantCulture, out var level)
            ? new Row(file, cells[1], level, cells[3], cells[4], cells[5])
            : new Row(file, cells[1], 0, "", "", ""));

    private static int Words(string text) => text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Length;

    [GeneratedRegex(@"\AV([1-9]|1[0-7])\.[1-9]\.[1-9]\d?\z", RegexOptions.ExplicitCapture, 10_000)]
    private static partial Regex Id();

    [GeneratedRegex(@"\b[A-Z][A-Za-z0-9]+Tests?\.[A-Z][A-Za-z_0-9]+", RegexOptions.ExplicitCapture, 10_000)]
    private static partial Regex Test();

    [GeneratedRegex(@"(?<![\w/])((src|tests|docs|build)/[\w./-]+|(SECURITY|ARCHITECTURE|CONTRIBUTING)\.md|Directory\.[\w.]+props|BannedSymbols\.txt)", RegexOptions.ExplicitCapture, 10_000)]
    private static partial Regex Source();

    private sealed record Row(string File, string Id, int Level, string Asks, string State, string By)
    {
        public int Chapter => int.TryParse(Id.TrimStart('V').Split('.')[0], CultureInfo.InvariantCulture, out var chapter) ? chapter : 0;
    }
}
