using System.CommandLine;
using System.Globalization;
using Mangrove.Cli.CommandLine;
using Mangrove.Kernel;
using Mangrove.Vault.Identity;
using Mangrove.Sealing;
using Mangrove.Vault.Keys;

namespace Mangrove.Cli.Verbs;

/// <summary>What the verbs about recovery sheets share.</summary>
internal abstract class SharesVerb(string verb, string description, bool actsAsSomebody) : HospitalVerb(verb, description, "keys shares", actsAsSomebody)
{
    protected static object? Shown(ShareSet? set) => set is null ? null : new
    {
        set = set.Name,
        threshold = set.Threshold,
        holders = set.Count,
        created = set.Created,
        readBack = set.ReadBack,
        verified = set.Verified,
        retired = set.Retired,
        inForce = set.InForce,
    };

    protected static string Words(ShareSet set) => string.Create(CultureInfo.InvariantCulture, $"set {set.Name}, any {set.Threshold} of {set.Count} sheets, made {set.Created:yyyy-MM-dd}");
}

/// <summary>
/// Makes a set of sheets and shows them on the terminal: nowhere else, because a file or a pipe keeps what nobody may keep.
/// </summary>
internal sealed class SharesCreateVerb : SharesVerb
{
    private readonly Option<int> threshold = new("--threshold") { Description = "How many sheets are needed together, 2 or more.", HelpName = "K", Required = true };
    private readonly Option<int> holders = new("--holders") { Description = "How many sheets are made, up to 16.", HelpName = "N", Required = true };

    public SharesCreateVerb()
        : base("create", "Make a set of recovery sheets and show them on this terminal, once. Asks for that user's one-time code. The set counts when every sheet was typed back ('keys shares verify').", actsAsSomebody: true) => Add(threshold, holders);

    public override IReadOnlyList<string> AskHere(ParseResult arguments) =>
        arguments.GetValue(Common.Json) || Console.IsOutputRedirected || !CommandLine.Typed.Possible
            ? throw new RefusedInput("shares.terminal", "Sheets are shown on a terminal alone, to somebody who sits there: not as JSON, not into a file or a pipe. Run it by hand, or make them on the page Recovery sheets.")
            : [new string(CommandLine.Typed.Ask("Code from the phone (or a recovery code): "))];

    public override async Task<Answer> Run(Hospital hospital, ParseResult arguments, Call call, CancellationToken cancel)
    {
        var actor = await Actor(hospital, arguments, call, cancel);
        var code = call.Typed is [var typed] ? typed : null;
        var made = (await hospital.Vault.Recovery.BeginShares(actor, arguments.GetValue(threshold), arguments.GetValue(holders), new FactorProof(code), cancel)).Value;
        var sheets = made.Sheets.Select(sheet => string.Create(CultureInfo.InvariantCulture, $"""

            {hospital.Vault.FacilityName}: recovery sheet {sheet.Number} of {made.Set.Count}
            {Words(made.Set)}

            {string.Join('\n', sheet.Lines.Select((line, index) => string.Create(CultureInfo.InvariantCulture, $"  {index + 1}  {line}")))}

            """));
        return Answer.Of(
            Shown(made.Set),
            $"{string.Join('\n', sheets)}\nCopy each sheet to paper for its holder, then clear this terminal: the sheets are stored nowhere.\nThe set counts when all of them were typed back: mangrove keys shares verify");
    }
}

/// <summary>The drill: sheets are put together, checked and forgotten.</summary>
internal sealed class SharesVerifyVerb : SharesVerb
{
    private const int LongestSheet = 4096;

    private readonly Option<string[]> file = new("--share-file") { Description = "A file with the lines of one sheet; several may be named. Asked for when left out.", HelpName = "FILE", AllowMultipleArgumentsPerToken = true };

    public SharesVerifyVerb()
        : base("verify", "Try recovery sheets: they must give the key of their set. A new set counts when all its sheets were tried.", actsAsSomebody: true) => Add(file);

    public override IReadOnlyList<string> AskHere(ParseResult arguments)
    {
        if (arguments.GetValue(file) is { Length: > 0 })
        {
            return [];
        }

        if (!CommandLine.Typed.Possible)
        {
            throw new RefusedInput("secret.needed", "Name the files of the sheets with --share-file; there is nobody to ask.");
        }

        Console.Error.WriteLine("Type the five lines of each sheet. An empty line in place of a first line ends it.");
        var sheets = new List<string>();
        while (Sheet(sheets.Count + 1) is { } sheet)
        {
            sheets.Add(sheet);
        }

        return sheets;
    }

    public override async Task<Answer> Run(Hospital hospital, ParseResult arguments, Call call, CancellationToken cancel)
    {
        var actor = await Actor(hospital, arguments, call, cancel);
        var sheets = arguments.GetValue(file) is { Length: > 0 } files ? files.Select(one => Read(call.Full(one))).ToArray() : call.Typed;
        var set = (await hospital.Vault.Recovery.VerifyShares(actor, sheets, cancel)).Value;
        return Answer.Of(Shown(set), set.InForce
            ? $"The sheets give the key: {Words(set)}. They are in force; what was typed is forgotten."
            : $"The sheets give the key: {Words(set)}. The set counts when every sheet was read back: try all {set.Count.ToString(CultureInfo.InvariantCulture)} at once.");
    }

    /// <summary>Asks for a sheet until it is one; null for none. A line that was mistyped is named, and the sheet typed again.</summary>
    private static string? Sheet(int number)
    {
        while (true)
        {
            var lines = new List<string>();
            while (lines.Count < RecoveryShare.Lines)
            {
                Console.Error.Write(string.Create(CultureInfo.InvariantCulture, $"Sheet {number}, line {lines.Count + 1}: "));
                if (Console.In.ReadLine() is not { } line || (lines.Count == 0 && line.Trim().Length == 0))
                {
                    return null;
                }

                lines.Add(line);
            }

            var text = string.Join('\n', lines);
            var read = RecoveryShare.Parse(text, number);
            if (read.Error is not { } wrong)
            {
                read.Value.Dispose();
                return text;
            }

            Console.Error.WriteLine(wrong.Message);
        }
    }

    private static string Read(string path)
    {
        try
        {
            return new FileInfo(path).Length <= LongestSheet ? File.ReadAllText(path) : throw new RefusedInput("shares.file", "A file is too long for a sheet: it holds five lines and nothing else.");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new RefusedInput("shares.file", "The file of a sheet cannot be read. Name readable files, one for each sheet.");
        }
    }
}

/// <summary>What recovery rests on, and when it was last tried. Names sets, never a sheet.</summary>
internal sealed class SharesStatusVerb() : SharesVerb("status", "What opens a backup when the server is lost: the protector, the sheets in force, and when they were last tried.", actsAsSomebody: false)
{
    public override async Task<Answer> Run(Hospital hospital, ParseResult arguments, Call call, CancellationToken cancel)
    {
        var state = await hospital.Vault.Recovery.State(cancel);
        var protector = state.Protector switch
        {
            ProtectorKind.Passphrase => "passphrase",
            ProtectorKind.KeyFile => "key-file",
            _ => null,
        };
        return Answer.Of(
            new { protector, inForce = Shown(state.InForce), begun = Shown(state.Begun), earlier = state.Earlier.Select(Shown).ToArray() },
            string.Join('\n', new[]
            {
                $"protector  {protector ?? "none yet"}",
                state.InForce is { } set ? string.Create(CultureInfo.InvariantCulture, $"in force   {Words(set)}, last tried {set.Verified:yyyy-MM-dd}") : "in force   no sheets",
                state.Begun is { } begun ? $"begun      {Words(begun)}: read back {(begun.ReadBack is null ? "no" : "yes")}, tried {(begun.Verified is null ? "no" : "yes")}" : null,
                state.Earlier.Count > 0 ? string.Create(CultureInfo.InvariantCulture, $"earlier    {state.Earlier.Count}") : null,
            }.Where(line => line is not null)));
    }
}
