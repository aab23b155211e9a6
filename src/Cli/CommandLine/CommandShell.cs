using System.CommandLine;
using System.CommandLine.Invocation;
using System.Text.Json;
using Mangrove.Cli.Serving;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Keys;

namespace Mangrove.Cli.CommandLine;

/// <summary>
/// Reads a command line, finds the hospital it means, runs the verb there and says what came of it: one value on
/// standard output, everything else on standard error, and the exit code of the contract.
/// </summary>
internal sealed class CommandShell
{

    private readonly Dictionary<Command, Verb> verbs = [];
    private readonly TimeProvider clock;

    public CommandShell(IReadOnlyCollection<Verb> verbs, TimeProvider clock)
    {
        this.clock = clock;
        Root = new RootCommand("Mangrove, a clinical operating system that a hospital installs itself.");
        var groups = new Dictionary<string, Command>(StringComparer.Ordinal);
        foreach (var verb in verbs)
        {
            this.verbs[verb.Command] = verb;
            if (verb is Verbs.ServeVerb serve)
            {
                serve.Shell = this;
            }
            else if (verb is Verbs.HelpPageVerb page)
            {
                page.All = () => verbs;
            }

            if (verb.Group is not { } name)
            {
                Root.Subcommands.Add(verb.Command);
                continue;
            }

            GroupOf(name, groups).Subcommands.Add(verb.Command);
        }
    }

    /// <summary>The command of a group, made where it is missing; a group of two words stands inside that of its first.</summary>
    private Command GroupOf(string name, Dictionary<string, Command> groups)
    {
        if (groups.TryGetValue(name, out var group))
        {
            return group;
        }

        var space = name.LastIndexOf(' ');
        groups[name] = group = new Command(name[(space + 1)..], GroupDescription(name));
        (space < 0 ? Root : GroupOf(name[..space], groups)).Subcommands.Add(group);
        return group;
    }

    public RootCommand Root { get; }

    /// <summary>Runs one command line in this process or in the server that owns the folder.</summary>
    public async Task<int> Run(string[] arguments)
    {
        using var stop = new CancellationTokenSource();
        Console.CancelKeyPress += (_, pressed) =>
        {
            pressed.Cancel = true;
            stop.Cancel();
        };
        var parsed = Root.Parse(arguments);
        if (parsed.Action is not (null or ParseErrorAction))
        {
            // Help and version: the library answers. A verb has no action of the library.
            return await parsed.InvokeAsync(new InvocationConfiguration { Output = Console.Out, Error = Console.Error }, stop.Token);
        }

        var json = arguments.Contains("--json", StringComparer.Ordinal);
        if (parsed.Errors.Count > 0)
        {
            return Refuse(new Error("usage", string.Join(' ', parsed.Errors.Select(error => error.Message).Append("See --help."))), json);
        }

        try
        {
            var answer = await Dispatch(arguments, parsed, stop.Token);
            Console.Out.WriteLine(json ? answer.Json.GetRawText() : answer.Text);
            return answer.Exit;
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return Refuse(new Error("interrupted", "Interrupted. What was not finished was not done."), json);
        }
        catch (Exception error) when (Explain(error) is { } reason)
        {
            return Refuse(reason, json);
        }
        catch (Exception bug)
        {
            // Left alone, the runtime would write the exception's text, which may quote a record.
            foreach (var line in FaultLines.Whole(bug))
            {
                Say(line);
            }

            Refuse(new Error("mangrove.broken", "The command failed by a fault of the program. What it did before is in the audit log. Report the lines above; they hold no data of patients."), json);
            return ExitCode.Broken;
        }
    }

    /// <summary>Runs a verb on a hospital that this process has open, as the local socket asks for it.</summary>
    public async Task<Answer> Serve(Hospital hospital, string[] arguments, Call call, CancellationToken cancel)
    {
        var parsed = Root.Parse(arguments);
        return parsed.Errors.Count == 0 && verbs.GetValueOrDefault(parsed.CommandResult.Command) is HospitalVerb verb
            ? await verb.Run(hospital, parsed, call, cancel)
            : throw new RefusedInput("usage", "The server does not know this command. Is it of another version?");
    }

    /// <summary>The reason of a failure that a person can do something about; null for a bug.</summary>
    internal static Error? Explain(Exception error) => error switch
    {
        RefusedInput refused => refused.Error,
        Verifier.VerifierRefusal refused => new Error(refused.Code, refused.Message),
        UnauthorizedAccessException => new Error("data.unwritable", "A file of the hospital may not be read or written by this account. Give the service account that right."),
        _ => StorageFault.Of(error),
    };

    private async Task<Answer> Dispatch(string[] arguments, ParseResult parsed, CancellationToken cancel)
    {
        var verb = verbs[parsed.CommandResult.Command];
        var here = Environment.CurrentDirectory;
        if (verb is OwnVerb own)
        {
            return await own.Run(parsed, new Call(here, null, Say), clock, cancel);
        }

        var acting = (HospitalVerb)verb;
        if (acting.IsAlone(parsed))
        {
            return await acting.RunAlone(parsed, new Call(here, null, Say), clock, cancel);
        }

        var call = new Call(here, acting.ActsAsSomebody ? PasswordOf(parsed, here) : null, Say) { Typed = acting.AskHere(parsed) };
        var folder = Common.FolderOf(parsed, call);
        Founding.RequireFounded(folder);
        if (FolderLock.TryTake(folder) is not { } taken)
        {
            return await LocalSocket.Ask(folder, arguments, call, cancel);
        }

        RootSecret? secret = null;
        try
        {
            secret = Common.SecretOf(parsed, call);
        }
        finally
        {
            if (secret is null)
            {
                taken.Dispose();
            }
        }

        await using var hospital = await Hospital.Open(taken, Common.StorageOf(parsed, call), secret, clock, OlderSchema.Refuse, cancel);
        hospital.StartIndexing();
        hospital.Govern();
        return await acting.Run(hospital, parsed, call, cancel);
    }

    private static string PasswordOf(ParseResult parsed, string here)
    {
        if (parsed.GetValue(Common.PasswordFile) is { } file)
        {
            return new string(Typed.FirstLine(Path.GetFullPath(file, here)));
        }

        return Typed.Possible
            ? new string(Typed.Ask($"Password of {parsed.GetValue(Common.As)}: "))
            : throw new RefusedInput("secret.needed", "Give the password of that user with --password-file; there is nobody to ask.");
    }

    private static int Refuse(Error error, bool json)
    {
        Console.Error.WriteLine($"mangrove: {error.Code}: {error.Message}");
        if (json)
        {
            Console.Out.WriteLine(JsonSerializer.Serialize(new { error = new { code = error.Code, message = error.Message } }));
        }

        return ExitCode.Refused;
    }

    private static void Say(string line) => Console.Error.WriteLine(line);

    private static string GroupDescription(string name) => name switch
    {
        "terminology" => "The lists that clinicians choose from.",
        "audit" => "The audit log.",
        "policy" => "Who may see what, and why.",
        "integration" => "Programs of others that read over FHIR.",
        "keys" => "The hospital's keys.",
        "backup" => "Backups: made, listed, read back, restored, proven.",
        "mail" => "Letters about alarms: the mail server and who gets them.",
        "hold" => "Legal holds: what may not be destroyed.",
        "incident" => "Incidents: read what is worked on at the page.",
        "retention" => "How long records stay: rules, and what is due.",
        "patient" => "Records of patients: their destruction.",
        "downtime" => "After a downtime that was bridged with a read-only copy.",
        "keys shares" => "Printed sheets that recover the hospital's keys.",
        "device" => "The hospital's registered devices.",
        "integration certificate" => "Certificates of programs.",
        "device certificate" => "Certificates of desktop devices.",
        "import" => "Records from elsewhere.",
        "export" => "Records for elsewhere.",
        _ => throw new ArgumentOutOfRangeException(nameof(name)),
    };
}
