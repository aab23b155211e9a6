using System.CommandLine;
using System.Globalization;
using System.Text;
using Mangrove.Cli.CommandLine;

namespace Mangrove.Cli.Verbs;

/// <summary>Writes docs/operations/commands.md from the options themselves, so that the page cannot say anything else.</summary>
internal sealed class HelpPageVerb : OwnVerb
{
    public HelpPageVerb()
        : base("help-page", "Write the page of all commands, as it stands in docs/operations/commands.md.") =>
        Command.Hidden = true;

    /// <summary>Every verb; set by the shell that has them.</summary>
    public Func<IEnumerable<Verb>> All { get; set; } = () => [];

    public override Task<Answer> Run(ParseResult arguments, Call call, TimeProvider clock, CancellationToken cancel)
    {
        var page = Page();
        return Task.FromResult(Answer.Of(new { page }, page.TrimEnd('\n')));
    }

    private string Page()
    {
        var text = new StringBuilder(
            """
            # Commands

            Every command answers in words, or with `--json` by one JSON value on standard output and nothing else there. Messages
            and progress go to standard error. Exit code 0 is success, 1 that a check found something wrong, 2 bad usage or
            refused input, 3 a fault of the program itself; a refusal names a stable code. Commands work while the server runs,
            which then runs them itself, and while it does not. Passwords and passphrases are read from a file or asked for, never
            from the command line.

            """.ReplaceLineEndings("\n"));
        foreach (var verb in All().Where(verb => verb is not (HelpPageVerb or AccessPageVerb)))
        {
            text.Append(CultureInfo.InvariantCulture, $"\n## mangrove {verb.Name}{string.Concat(verb.Command.Arguments.Select(argument => $" {argument.HelpName}"))}\n\n{verb.Command.Description}\n\n| option | meaning |\n|---|---|\n");
            foreach (var option in verb.Command.Options.Where(option => option.Name.StartsWith("--", StringComparison.Ordinal) && option.Name is not ("--help" or "--version")))
            {
                var value = option.HelpName is { } help ? $" {help.Replace("|", "\\|", StringComparison.Ordinal)}" : "";
                text.Append(CultureInfo.InvariantCulture, $"| `{option.Name}{value}` | {option.Description}{(option.Required ? " Needed." : "")}{Default(option)} |\n");
            }
        }

        return text.ToString();
    }

    private static string Default(Option option) => option.HasDefaultValue && option.ValueType != typeof(bool) && option.GetDefaultValue() is { } value
        ? $" Default: `{string.Create(CultureInfo.InvariantCulture, $"{value}").ToLowerInvariant()}`."
        : "";
}
