using System.Text.Json;

namespace Mangrove.Tests.Architecture;

/// <summary>
/// What hospitals install is built from lock files of its own, because packages for one system are resolved beside the rest. It is the
/// same packages, to the byte, that everything was tested with: whoever changes one of a project's two files changes the other.
/// </summary>
public class LockFileTests
{
    // Of the SDK itself, for a program of one file. Nothing of it is in the program.
    private const string OfTheSdk = "Microsoft.NET.ILLink.Tasks";

    // Of the migration tool, which no hospital gets.
    private const string DesignTime = "Microsoft.EntityFrameworkCore.Design";

    public static TheoryData<string> Projects => [.. House.Rooms.Select(room => $"src/{room}/")];

    [Theory]
    [MemberData(nameof(Projects))]
    public void What_is_installed_is_what_was_tested(string project)
    {
        var tested = Read(House.Read(project + "packages.lock.json"));
        var installed = Read(House.Read(project + "packages.dist.lock.json"));
        House.None(Differences(tested, installed).Select(difference => $"{project}packages.dist.lock.json: {difference}"));
    }

    [Fact]
    public void Another_version_other_bytes_and_a_package_too_many_or_too_few_are_found()
    {
        const string One = """{"dependencies":{"net10.0":{"A":{"type":"Direct","resolved":"1.0.0","contentHash":"a","dependencies":{"B":"2.0.0"}},"B":{"type":"Transitive","resolved":"2.0.0","contentHash":"b"}}}}""";
        Assert.Empty(Differences(Read(One), Read(One)));
        foreach (var (from, to, found) in ((string, string, string)[])[
            ("\"resolved\":\"2.0.0\"", "\"resolved\":\"2.0.1\"", "B is 2.0.1, tested was 2.0.0"),
            ("\"contentHash\":\"b\"", "\"contentHash\":\"c\"", "B has other bytes than what was tested"),
            ("\"Transitive\"", "\"Direct\"", "B is Direct, tested was Transitive"),
            ("\"B\":{", "\"C\":{", "C was not tested")])
        {
            Assert.Contains(found, Differences(Read(One), Read(One.Replace(from, to, StringComparison.Ordinal))));
        }

        Assert.Contains("B is missing", Differences(Read(One), Read(One.Replace("\"B\":{", "\"C\":{", StringComparison.Ordinal))));
    }

    private static IEnumerable<string> Differences(List<(string Framework, string Name, Locked Package)> tested, List<(string Framework, string Name, Locked Package)> installed)
    {
        var known = tested.ToDictionary(one => one.Name, one => one.Package, StringComparer.Ordinal);
        foreach (var (framework, name, package) in installed.Where(one => one.Name != OfTheSdk))
        {
            if (!known.TryGetValue(name, out var before))
            {
                yield return $"{name} was not tested";
            }
            else if (package.Version != before.Version)
            {
                yield return $"{name} is {package.Version}, tested was {before.Version}";
            }
            else if (package.Hash != before.Hash)
            {
                yield return $"{name} has other bytes than what was tested";
            }
            else if (package.Kind != before.Kind && !framework.Contains('/', StringComparison.Ordinal))
            {
                yield return $"{name} is {package.Kind}, tested was {before.Kind}";
            }
        }

        var there = installed.Select(one => one.Name).ToHashSet(StringComparer.Ordinal);
        var needed = Reached(known, known.Keys.Where(name => known[name].Kind is "Direct" or "Project" && name != DesignTime));
        foreach (var name in needed.Where(name => !there.Contains(name)).Order(StringComparer.Ordinal))
        {
            yield return $"{name} is missing";
        }
    }

    /// <summary>Everything that these lead to, themselves included.</summary>
    private static HashSet<string> Reached(Dictionary<string, Locked> known, IEnumerable<string> from)
    {
        var reached = new HashSet<string>(StringComparer.Ordinal);
        var waiting = new Stack<string>(from);
        while (waiting.TryPop(out var name))
        {
            if (known.TryGetValue(name, out var package) && reached.Add(name))
            {
                foreach (var next in package.Needs)
                {
                    waiting.Push(next);
                }
            }
        }

        return reached;
    }

    private static List<(string Framework, string Name, Locked Package)> Read(string json)
    {
        using var file = JsonDocument.Parse(json);
        return
        [
            .. from framework in file.RootElement.GetProperty("dependencies").EnumerateObject()
               from package in framework.Value.EnumerateObject()
               select (framework.Name, package.Name, new Locked(
                   package.Value.GetProperty("type").GetString()!,
                   Text(package.Value, "resolved"),
                   Text(package.Value, "contentHash"),
                   package.Value.TryGetProperty("dependencies", out var needs) ? [.. needs.EnumerateObject().Select(need => need.Name)] : [])),
        ];
    }

    private static string? Text(JsonElement package, string name) => package.TryGetProperty(name, out var value) ? value.GetString() : null;

    /// <param name="Kind">Direct, Transitive, CentralTransitive or Project.</param>
    /// <param name="Version">Null for a project.</param>
    /// <param name="Hash">Of the package's bytes; null for a project.</param>
    /// <param name="Needs">What it leads to.</param>
    private sealed record Locked(string Kind, string? Version, string? Hash, IReadOnlyList<string> Needs);
}
