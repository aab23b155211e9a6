using System.Text.RegularExpressions;

namespace Mangrove.Tests.Architecture;

/// <summary>
/// How the product's code logs: by messages that are declared, with the text parameters that the mask knows, and without
/// the switches that make a framework or a driver write values (threats P10).
/// </summary>
public partial class LogSourceTests
{
    [Fact]
    public void Every_text_parameter_of_a_log_message_stands_in_the_list_of_the_mask()
    {
        var declared = House.Sources("src/", ".cs").SelectMany(file => Texts(House.Read(file))).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToList();
        Assert.True(declared.Count >= 5, "Hardly any message was found.");
        var listed = Listed().Matches(House.Read("src/Cli/Serving/LogMask.cs")).Select(match => $"{match.Groups["source"].Value} {match.Groups["name"].Value}");
        Assert.Equal(declared, listed.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Nothing_is_logged_but_by_a_declared_message() =>
        House.None(House.Sources("src/", ".cs", ".razor").SelectMany(file => Loose().Matches(House.Read(file)).Select(match => $"{file}: {match.Value}")));

    [Fact]
    public void No_switch_that_makes_a_framework_or_a_driver_write_values_is_on() =>
        House.None(House.Sources("src/", ".cs").Where(file => file != "src/Clinic/QuietMapper.cs")
            .SelectMany(file => Loud().Matches(House.Read(file)).Select(match => $"{file}: {match.Value}")));

    [Fact]
    public void What_breaks_these_rules_is_found()
    {
        Assert.Equal(["Some.Where Name"], Texts("namespace Some;\nclass Where { [LoggerMessage(1, LogLevel.Error, \"{Name} {Count}\")]\nstatic partial void It(ILogger logger, string name, int count); }"));
        Assert.Matches(Loose(), "logger.LogError(\"x\")");
        Assert.Matches(Loud(), "options.EnableSensitiveDataLogging()");
        Assert.Matches(Loud(), "new(text) { LogParameters = true }");
        Assert.DoesNotMatch(Loud(), "new(text) { LogParameters = false }");
    }

    /// <summary>Source and parameter of each text in the messages that a file declares.</summary>
    private static IEnumerable<string> Texts(string code)
    {
        var source = $"{Space().Match(code).Groups["name"].Value}.{Owner().Match(code).Groups["name"].Value}";
        return Message().Matches(code).SelectMany(message => Parameter().Matches(message.Groups["parameters"].Value))
            .Where(parameter => parameter.Groups["type"].Value is "string" or "string?" or "object" or "object?")
            .Select(parameter => $"{source} {char.ToUpperInvariant(parameter.Groups["name"].Value[0])}{parameter.Groups["name"].Value[1..]}");
    }

    [GeneratedRegex(@"\[LoggerMessage\([^\]]*\)\]\s*(private|internal|public)?\s*static partial void \w+\((?<parameters>[^)]*)\)", RegexOptions.ExplicitCapture, 10_000)]
    private static partial Regex Message();

    [GeneratedRegex(@"(?<type>[\w?<>\.]+) (?<name>\w+)(,|$)", RegexOptions.ExplicitCapture, 10_000)]
    private static partial Regex Parameter();

    [GeneratedRegex(@"^namespace (?<name>[\w.]+);", RegexOptions.ExplicitCapture | RegexOptions.Multiline, 10_000)]
    private static partial Regex Space();

    [GeneratedRegex(@"^[\w ]*class (?<name>\w+)", RegexOptions.ExplicitCapture | RegexOptions.Multiline, 10_000)]
    private static partial Regex Owner();

    [GeneratedRegex(@"\[\(""(?<source>[\w.]+)"", ""(?<name>\w+)""\)\]", RegexOptions.ExplicitCapture, 10_000)]
    private static partial Regex Listed();

    [GeneratedRegex(@"\.Log(Trace|Debug|Information|Warning|Error|Critical)\(|\.BeginScope\(|\.Log\(LogLevel", RegexOptions.ExplicitCapture, 10_000)]
    private static partial Regex Loose();

    [GeneratedRegex(@"EnableSensitiveDataLogging|EnableDetailedErrors|\.LogTo\(|UseLoggerFactory|AddHttpLogging|UseHttpLogging|AddW3CLogging|UseConnectionLogging|UseDeveloperExceptionPage|NpgsqlLoggingConfiguration|(IncludeErrorDetail|LogParameters|PersistSecurityInfo|ShowPII|LogCompleteSecurityArtifact)\s*=\s*true", RegexOptions.ExplicitCapture, 10_000)]
    private static partial Regex Loud();
}
