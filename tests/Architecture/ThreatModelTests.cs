using System.Text.RegularExpressions;

namespace Mangrove.Tests.Architecture;

/// <summary>The threat model and the page of HIPAA name tests as their proof, so they must not name one that is gone.</summary>
public partial class ThreatModelTests
{
    [Theory, InlineData("docs/threat-model.md"), InlineData("docs/compliance/hipaa.md")]
    public void Every_test_that_the_threat_model_names_exists(string page)
    {
        var named = Name().Matches(House.Read(page)).Select(match => match.Value).Distinct(StringComparer.Ordinal).ToList();
        Assert.True(named.Count > 10, $"{page} names hardly any test.");
        var sources = House.Sources("tests/", ".cs").Select(House.Read).ToList();
        House.None(named.Where(name => name.Split('.') is [var type, var method]
            && !sources.Any(source => source.Contains($"class {type}", StringComparison.Ordinal) && source.Contains($" {method}(", StringComparison.Ordinal))));
    }

    [Theory, InlineData("docs/threat-model.md"), InlineData("docs/compliance/hipaa.md")]
    public void A_row_that_is_held_names_its_test(string page)
    {
        House.None(House.Read(page).Split('\n')
            .Where(line => line.StartsWith('|') && line.Contains("| held", StringComparison.Ordinal) && !Name().IsMatch(line)));
    }

    [GeneratedRegex(@"\b[A-Z][A-Za-z]+Tests\.[A-Z][A-Za-z_0-9]+", RegexOptions.ExplicitCapture, 10_000)]
    private static partial Regex Name();
}
