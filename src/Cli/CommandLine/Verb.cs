using System.CommandLine;
using Mangrove.Vault.Identity;

namespace Mangrove.Cli.CommandLine;

/// <summary>One verb of the command line: its words and options, and what it does.</summary>
internal abstract class Verb
{
    protected Verb(string name, string description, string? group = null)
    {
        Command = new Command(name, description);
        Group = group;
        Command.Options.Add(Common.Json);
        Command.Options.Add(Common.Data);
    }

    public Command Command { get; }

    /// <summary>The words before the verb, such as <c>audit</c> of <c>audit verify</c>; null for a verb of one word.</summary>
    public string? Group { get; }

    public string Name => Group is null ? Command.Name : $"{Group} {Command.Name}";

    protected void Add(params ReadOnlySpan<Option> options)
    {
        foreach (var option in options)
        {
            Command.Options.Add(option);
        }
    }
}

/// <summary>A verb that does its own opening, or needs no hospital: it runs where it was typed.</summary>
internal abstract class OwnVerb(string name, string description, string? group = null) : Verb(name, description, group)
{
    public abstract Task<Answer> Run(ParseResult arguments, Call call, TimeProvider clock, CancellationToken cancel);
}

/// <summary>
/// A verb that works on an open hospital. When a server owns the folder, the server runs it; otherwise this process opens
/// the hospital for as long as the verb takes. The code is the same.
/// </summary>
internal abstract class HospitalVerb : Verb
{
    protected HospitalVerb(string name, string description, string? group = null, bool actsAsSomebody = false)
        : base(name, description, group)
    {
        Common.AddUnsealing(Command);
        ActsAsSomebody = actsAsSomebody;
        if (actsAsSomebody)
        {
            Command.Options.Add(Common.As);
            Command.Options.Add(Common.PasswordFile);
        }
    }

    /// <summary>Whether the verb touches protected information or the log, and so acts as a member of staff.</summary>
    public bool ActsAsSomebody { get; }

    /// <summary>
    /// Runs where the command was typed, before anything is asked of the hospital: refuses a place that will not do, and
    /// asks the person there for what never stands on a command line. The answer is <see cref="Call.Typed"/>.
    /// </summary>
    /// <exception cref="Mangrove.Kernel.RefusedInput">Nothing is asked of the hospital then.</exception>
    public virtual IReadOnlyList<string> AskHere(ParseResult arguments) => [];

    /// <summary>Whether this call needs no hospital, such as a verification of a file elsewhere.</summary>
    /// <exception cref="Mangrove.Kernel.RefusedInput">The options do not go together.</exception>
    public virtual bool IsAlone(ParseResult arguments) => false;

    /// <summary>Runs a call that needs no hospital.</summary>
    public virtual Task<Answer> RunAlone(ParseResult arguments, Call call, TimeProvider clock, CancellationToken cancel) =>
        throw new InvalidOperationException("This verb has nothing that it does without a hospital.");

    public abstract Task<Answer> Run(Hospital hospital, ParseResult arguments, Call call, CancellationToken cancel);

    /// <summary>The member of staff for whom the verb acts. The sign-in is an entry; a session in a browser stays as it is.</summary>
    /// <exception cref="Mangrove.Kernel.RefusedInput">A <c>signin.</c> code.</exception>
    protected static async Task<Actor> Actor(Hospital hospital, ParseResult arguments, Call call, CancellationToken cancel) =>
        (await hospital.Vault.Identity.SignIn.CommandLine(arguments.GetValue(Common.As), call.Password, cancel)).Value;
}
