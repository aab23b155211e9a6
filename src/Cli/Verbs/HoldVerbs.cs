using System.CommandLine;
using System.Globalization;
using Mangrove.Cli.CommandLine;
using Mangrove.Governance.Retention;
using Mangrove.Kernel;
using Mangrove.Vault.Holds;
using Mangrove.Vault.Identity;

namespace Mangrove.Cli.Verbs;

/// <summary>What the verbs about legal holds share.</summary>
internal abstract class HoldVerb(string verb, string description) : HospitalVerb(verb, description, "hold", actsAsSomebody: true)
{
    protected static object Shown(LegalHold hold) => new
    {
        hold = hold.Number,
        scope = hold.Scope.ToString().ToLowerInvariant(),
        patient = hold.Patient?.Mrn,
        first = hold.First,
        last = hold.Last,
        placed = hold.Placed,
        placedBy = hold.PlacedBy.ToString(),
        released = hold.Released,
        releasedBy = hold.ReleasedBy?.ToString(),
        reference = hold.Reference,
        reason = hold.Reason,
        releaseReason = hold.ReleaseReason,
    };

    protected static string On(LegalHold hold) => hold.Scope switch
    {
        HoldScope.Patient => hold.Patient?.Mrn ?? "",
        HoldScope.Hospital => "every record",
        _ => string.Create(CultureInfo.InvariantCulture, $"log {hold.First:yyyy-MM-dd} to {hold.Last:yyyy-MM-dd}"),
    };
}

/// <summary>A verb that changes a hold: the words come from a file, and the code of the person who sits there.</summary>
internal abstract class HoldChangeVerb : HoldVerb
{
    private const string StandardInput = "-";

    private readonly Option<string> reason = new("--reason-file") { Description = "A file with the reason, 20 to 2,000 characters. Words that may speak of a patient never stand on a command line.", HelpName = "FILE", Required = true };
    private readonly Option<string?> code = new("--code-file") { Description = "A file whose first line is that user's one-time or recovery code; - for standard input; asked for when left out.", HelpName = "FILE" };

    protected HoldChangeVerb(string verb, string description)
        : base(verb, description) => Add(reason, code);

    /// <summary>More files whose first line goes with the reason and the code.</summary>
    protected virtual IReadOnlyList<Option<string>> Lines => [];

    public override IReadOnlyList<string> AskHere(ParseResult arguments)
    {
        var words = new string(CommandLine.Typed.Whole(Path.GetFullPath(arguments.GetValue(reason)!))).Trim();
        var lines = Lines.Select(line => new string(CommandLine.Typed.FirstLine(Path.GetFullPath(arguments.GetValue(line)!)))).ToList();
        var shown = arguments.GetValue(code) switch
        {
            null when CommandLine.Typed.Possible => new string(CommandLine.Typed.Ask("Code from the phone (or a recovery code): ")),
            null => throw new RefusedInput("secret.needed", "This asks for the user's second factor. Run it by hand, or name a file with the code with --code-file."),
            StandardInput => Console.In.ReadLine() ?? "",
            var file => new string(CommandLine.Typed.FirstLine(Path.GetFullPath(file))),
        };
        return [words, shown, .. lines];
    }

    protected static (string Reason, FactorProof Proof, string Line) Given(Call call) => call.Typed is [var words, var shown, ..] ? (words, new FactorProof(shown), call.Typed.Count > 2 ? call.Typed[2] : "") : ("", default, "");
}

/// <summary>Places a legal hold.</summary>
internal sealed class HoldAddVerb : HoldChangeVerb
{
    private readonly Option<string?> patient = new("--patient") { Description = "Hold the record of this patient.", HelpName = "MRN" };
    private readonly Option<bool> hospital = new("--hospital") { Description = "Hold every record of the hospital." };
    private readonly Option<string?> first = new("--log-from") { Description = "Hold the audit log from this day (ISO 8601).", HelpName = "DAY" };
    private readonly Option<string?> last = new("--log-to") { Description = "Its last day, included.", HelpName = "DAY" };
    private readonly Option<string> reference = new("--reference-file") { Description = "A file whose first line is the number of the case.", HelpName = "FILE", Required = true };

    public HoldAddVerb()
        : base("add", "Place a legal hold on a patient, on every record, or on days of the log: nothing of it is destroyed until another person releases it.") => Add(patient, hospital, first, last, reference);

    protected override IReadOnlyList<Option<string>> Lines => [reference];

    public override async Task<Answer> Run(Hospital hospital, ParseResult arguments, Call call, CancellationToken cancel)
    {
        var days = arguments.GetValue(first) is not null || arguments.GetValue(last) is not null;
        string?[] scopes = [arguments.GetValue(patient) is null ? null : "patient", arguments.GetValue(this.hospital) ? "hospital" : null, days ? "log" : null];
        if (scopes.Count(scope => scope is not null) != 1)
        {
            throw new RefusedInput("hold.scope", "Say what is held: --patient MRN, --hospital, or --log-from DAY with --log-to DAY; one of them.");
        }

        var actor = await Actor(hospital, arguments, call, cancel);
        var (reason, proof, line) = Given(call);
        var form = new PlaceHold.Form(scopes.First(scope => scope is not null), arguments.GetValue(patient), arguments.GetValue(first), arguments.GetValue(last), line, reason);
        var hold = (await new PlaceHold(hospital.Clinics, hospital.Vault.Holds).Run(form, actor, proof, cancel)).Value;
        return Answer.Of(Shown(hold), $"Hold {hold.Number} on {On(hold)} is placed. Another administrator or privacy officer releases it: mangrove hold release --hold {hold.Number}");
    }
}

/// <summary>Every hold with its words.</summary>
internal sealed class HoldListVerb() : HoldVerb("list", "Every legal hold with its case and reason, those that hold first. The look is an entry that names the patients.")
{
    public override async Task<Answer> Run(Hospital hospital, ParseResult arguments, Call call, CancellationToken cancel)
    {
        var actor = await Actor(hospital, arguments, call, cancel);
        var holds = await hospital.Vault.Holds.List(actor, cancel);
        return Answer.Of(
            holds.Select(Shown).ToArray(),
            holds.Count == 0 ? "Nothing is held." : string.Join('\n', holds.Select(hold => string.Create(CultureInfo.InvariantCulture, $"{hold.Number}  {(hold.Released is null ? "holds   " : "released")}  {On(hold),-28} {hold.Placed:yyyy-MM-dd}  {hold.Reference}"))));
    }
}

/// <summary>Releases a hold that somebody else placed.</summary>
internal sealed class HoldReleaseVerb : HoldChangeVerb
{
    private readonly Option<string> hold = new("--hold") { Description = "Its number, as 'hold list' shows it.", HelpName = "NUMBER", Required = true };

    public HoldReleaseVerb()
        : base("release", "Release a legal hold that somebody else placed.") => Add(hold);

    public override async Task<Answer> Run(Hospital hospital, ParseResult arguments, Call call, CancellationToken cancel)
    {
        var actor = await Actor(hospital, arguments, call, cancel);
        var (reason, proof, _) = Given(call);
        var released = (await hospital.Vault.Holds.Release(actor, arguments.GetValue(hold), reason, proof, cancel)).Value;
        return Answer.Of(new { hold = released.Number, released = released.Released, releasedBy = released.ReleasedBy?.ToString() }, $"Hold {released.Number} on {On(released)} is released.");
    }
}
