using System.Text.RegularExpressions;

namespace Mangrove.Tests.Architecture;

/// <summary>The threat model names tests as its proof, so it must not name one that is gone.</summary>
public partial class ThreatModelTests
{
    [Fact]
    public void Every_test_that_the_threat_model_names_exists()
    {
        var named = Name().Matches(House.Read("docs/threat-model.md")).Select(match => match.Value).Distinct(StringComparer.Ordinal).ToList();
        Assert.True(named.Count > 10, "The threat model names hardly any test.");
        var sources = House.Sources("tests/", ".cs").Select(House.Read).ToList();
        House.None(named.Where(name => name.Split('.') is [var type, var method]
            && !sources.Any(source => source.Contains($"class {type}", StringComparison.Ordinal) && source.Contains($" {method}(", StringComparison.Ordinal))));
    }

    [Fact]
    public void A_row_that_is_held_names_its_test()
    {
        House.None(House.Read("docs/threat-model.md").Split('\n')
            .Where(line => line.StartsWith('|') && line.Contains("| held", StringComparison.Ordinal) && !Name().IsMatch(line)));
    }

    [GeneratedRegex(@"\b[A-Z][A-Za-z]+Tests\.[A-Z][A-Za-z_0-9]+", RegexOptions.ExplicitCapture, 10_000)]
    private static partial Regex Name();
}
