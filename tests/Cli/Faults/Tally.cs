using System.Globalization;
using System.Text.RegularExpressions;

namespace Mangrove.Tests.Cli.Faults;

/// <summary>What a campaign of faults came to, in numbers.</summary>
internal sealed partial class Tally
{
    private readonly SortedDictionary<string, int> failed = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, int> answers = new(StringComparer.Ordinal);

    /// <summary>Acts in which at least one call on the hospital's files was failed.</summary>
    public int Points { get; private set; }

    public int Refused => answers.Where(answer => answer.Key.Contains('.', StringComparison.Ordinal)).Sum(answer => answer.Value);

    /// <summary>How often the server had to be started anew.</summary>
    public int Restarts { get; set; }

    public static bool Full { get; } = string.Equals(Environment.GetEnvironmentVariable("MANGROVE_FULL"), "1", StringComparison.Ordinal);

    /// <summary>Counts a point where the tracer says that it failed something; false when the act made no such call this time.</summary>
    public bool Count(IReadOnlyList<Traced> calls)
    {
        var injected = calls.Where(call => call.Injected).ToList();
        foreach (var call in injected)
        {
            var name = $"{call.Name} {Name().Match(call.Line).Groups["name"].Value}";
            failed[name] = failed.GetValueOrDefault(name) + 1;
        }

        Points += injected.Count > 0 ? 1 : 0;
        return injected.Count > 0;
    }

    public void Answer(string answer) => answers[answer] = answers.GetValueOrDefault(answer) + 1;

    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{Points} points, {failed.Values.Sum()} calls failed ({List(failed)}); answers: {List(answers)}; {Restarts} restarts");

    private static string List(SortedDictionary<string, int> numbers) => string.Join(", ", numbers.Select(number => $"{number.Key} {number.Value}"));

    // Digits and the hexadecimal of ids are left out: what is counted is the kind of file.
    [GeneratedRegex("/(?<name>[a-z]+(\\.[a-z]+)+(-[a-z]+)?|data|[^/>\"]*\\.(data|keys|manifest)(\\.part)?)[>\"]", RegexOptions.ExplicitCapture, 5_000)]
    private static partial Regex Name();
}
