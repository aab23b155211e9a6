using System.Text.RegularExpressions;

namespace Mangrove.Tests.Architecture;

/// <summary>Rules about the tree itself. Each lists its offenders by name.</summary>
public partial class HouseRuleTests
{
    private const int LongestFile = 500;

    private static readonly string[] Code = [".cs", ".razor", ".js", ".mjs", ".sh", ".css"];

    [Fact]
    public void No_source_file_holds_more_than_one_idea_can_need()
    {
        House.None(House.Files
            .Where(file => (file.EndsWith(".cs", StringComparison.Ordinal) || file.EndsWith(".razor", StringComparison.Ordinal))
                && !file.Contains("/Migrations/", StringComparison.Ordinal))
            .Select(file => (file, Lines: House.Read(file).AsSpan().Count('\n')))
            .Where(found => found.Lines > LongestFile)
            .Select(found => $"{found.file}: {found.Lines} lines"));
    }

    [Fact]
    public void Nothing_is_left_for_later_in_the_code()
    {
        House.None(Matches(LeftForLater(), House.Files.Where(file => Code.Any(ending => file.EndsWith(ending, StringComparison.Ordinal)))));
    }

    [Fact]
    public void No_task_is_waited_for_by_blocking_its_thread()
    {
        House.None(Matches(Blocking(), House.Sources("src/", ".cs", ".razor")));
    }

    [Fact]
    public void No_file_names_a_package_registry()
    {
        House.None(Matches(Registry(), Text()));
    }

    [Fact]
    public void No_file_names_a_place_on_somebodys_machine()
    {
        // A clone's own folder, and the folder around it unless that is one which every machine has.
        string[] common = ["/", "/tmp", "/opt", "/srv", "/home", "/mnt", "/var", "/usr/src", "/usr/local/src"];
        var around = Path.GetDirectoryName(House.Root);
        string[] own = around is null || common.Contains(around) ? [House.Root] : [House.Root, around + Path.DirectorySeparatorChar];
        var places = new Regex(string.Join('|', own.Select(Regex.Escape).Append(Homes().ToString())), RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(10));
        House.None(Matches(places, Text()));
    }

    [Fact]
    public void Nothing_built_or_fetched_is_committed()
    {
        string[] built = ["bin", "obj", "artifacts", "node_modules", "TestResults"];
        House.None(House.Files.Where(file =>
            file.Split('/').Any(part => built.Contains(part, StringComparer.Ordinal))
            || file.StartsWith("data/", StringComparison.Ordinal)
            || file.StartsWith("src/Web/wwwroot/lib/", StringComparison.Ordinal)));
    }

    [Fact]
    public void Lock_files_of_npm_name_no_address()
    {
        House.None(House.Files.Where(file =>
            Path.GetFileName(file) == "package-lock.json" && House.Read(file).Contains("\"resolved\"", StringComparison.Ordinal)));
    }

    [Fact]
    public void Every_project_has_its_lock_file()
    {
        House.None(House.Files
            .Where(file => file.EndsWith(".csproj", StringComparison.Ordinal))
            .Select(file => $"{file[..file.LastIndexOf('/')]}/packages.lock.json")
            .Where(file => !House.Files.Contains(file)));
    }

    [Fact]
    public void Every_line_ends_the_same_way()
    {
        House.None(Text().Where(file => !file.EndsWith(".cmd", StringComparison.Ordinal) && House.Read(file).Contains('\r', StringComparison.Ordinal)));
    }

    private static IEnumerable<string> Text() => House.Files.Where(file =>
        Path.GetExtension(file) is not (".png" or ".woff2" or ".ico" or ".jpg" or ".gz" or ".zip"));

    private static IEnumerable<string> Matches(Regex rule, IEnumerable<string> files) =>
        from file in files
        from line in House.Read(file).Split('\n').Select((text, index) => (text, number: index + 1))
        where rule.IsMatch(line.text)
        select $"{file}:{line.number}: {line.text.Trim()}";

    // The patterns are written so that they do not match themselves.
    [GeneratedRegex(@"\b(TO[D]O|FIX[M]E|HAC[K]|XX[X])\b|throw new NotImplemented[E]xception", RegexOptions.ExplicitCapture, 10_000)]
    private static partial Regex LeftForLater();

    [GeneratedRegex(@"GetAwaiter\(\)\s*\.GetResult[(]\)", RegexOptions.ExplicitCapture, 10_000)]
    private static partial Regex Blocking();

    [GeneratedRegex(@"https?://[^\s""'<>]*(registr[y]|npmj[s]|artifactor[y]|nexu[s]|api\.nuge[t])", RegexOptions.ExplicitCapture | RegexOptions.IgnoreCase, 10_000)]
    private static partial Regex Registry();

    [GeneratedRegex(@"(?<![\w.])/roo[t]/|/home[/][a-z][\w-]*/|/User[s]/[a-z][\w-]*/|[A-Z]:\\User[s]\\", RegexOptions.ExplicitCapture, 10_000)]
    private static partial Regex Homes();
}
