using System.CommandLine;
using System.Globalization;
using Mangrove.Cli.CommandLine;
using Mangrove.Kernel;
using Mangrove.Verifier;

namespace Mangrove.Cli.Verbs;

/// <summary>
/// A witness of somebody else's log: runs on a machine of its own, needs no hospital, and cosigns a root only when the log
/// is proven to have grown from the one that it cosigned last.
/// </summary>
internal sealed class AuditWitnessVerb : OwnVerb
{
    private const int ShortestPassphrase = 12;

    private readonly Option<string> state = new("--state") { Description = "The witness's own file: its key under the passphrase, and what it cosigned last. Made when it is not there.", HelpName = "FILE", Required = true };
    private readonly Option<string> request = new("--request") { Description = "What the log asks, as 'mangrove audit anchor --since' wrote it.", HelpName = "FILE", Required = true };
    private readonly Option<string> output = new("--out") { Description = "Where to write the cosigned root, which is an anchor; the file must not be there yet.", HelpName = "FILE", Required = true };
    private readonly Option<string?> key = new("--key") { Description = "The log's public key; needed the first time, and kept.", HelpName = "FILE" };
    private readonly Option<string?> name = new("--name") { Description = "Name of a new witness, such as witness.north-hospital.example.", HelpName = "NAME" };
    private readonly Option<string?> passphrase = new("--passphrase-file") { Description = "A file whose first line is the witness's passphrase; asked for when left out.", HelpName = "FILE" };

    public AuditWitnessVerb()
        : base("witness", "Cosign the root of another hospital's log, if it grew from the one known, on a machine of one's own.", "audit") =>
        Add(state, request, output, key, name, passphrase);

    public override async Task<Answer> Run(ParseResult arguments, Call call, TimeProvider clock, CancellationToken cancel)
    {
        var asked = WitnessRequest.Read(await OutsideFiles.Bytes(call, arguments.GetValue(request)!, cancel));
        IReadOnlyList<NoteKey> keys = arguments.GetValue(key) is { } keyFile ? NoteKey.ReadAll(await OutsideFiles.Text(call, keyFile, cancel)) : [];
        var path = call.Full(arguments.GetValue(state)!);
        if (File.Exists(call.Full(arguments.GetValue(output)!)))
        {
            throw new RefusedInput("audit.out-file", "The file for the cosigned root is there already and is not replaced. Name another one.");
        }

        using var file = WitnessFile.Hold(path);
        using var witness = await Open(path, file.Exists, arguments, call, cancel);
        Note cosigned;
        try
        {
            cosigned = witness.Cosign(asked, keys, clock);
        }
        catch (VerifierRefusal refusal) when (refusal.Code is "witness.fork" or "witness.inconsistent")
        {
            file.Keep(witness.State());
            return Answer.Of(new { ok = false, error = new { code = refusal.Code, message = refusal.Message }, forks = witness.Forks.Count }, $"{refusal.Code}: {refusal.Message}", ExitCode.Wrong);
        }

        // What was cosigned is known before anybody has it: after a crash between the two the request is simply made anew.
        file.Keep(witness.State());
        await OutsideFiles.Write(call, arguments.GetValue(output)!, cosigned.ToString(), cancel);
        return Answer.Of(
            new { ok = true, log = cosigned.Origin, size = cosigned.Size, witness = witness.Key.ToString(), path = call.Full(arguments.GetValue(output)!) },
            string.Create(CultureInfo.InvariantCulture, $"{cosigned.Origin} at {cosigned.Size:#,##0} entries was cosigned.\nPublic key of this witness: {witness.Key}"));
    }

    private async Task<Witness> Open(string path, bool exists, ParseResult arguments, Call call, CancellationToken cancel)
    {
        var secret = arguments.GetValue(passphrase) is { } file ? Typed.FirstLine(call.Full(file))
            : Typed.Possible ? Typed.Ask("Passphrase of the witness: ")
            : throw new RefusedInput("secret.needed", "Give the witness's passphrase with --passphrase-file; there is nobody to ask.");
        try
        {
            if (exists)
            {
                return Witness.Open(await OutsideFiles.Bytes(call, path, cancel), secret);
            }

            var named = arguments.GetValue(name) ?? throw new RefusedInput("witness.state-missing", "There is no witness in this file yet. To make one, give it a name with --name; otherwise name its file.");
            return secret.Length >= ShortestPassphrase
                ? Witness.Create(named, secret)
                : throw new RefusedInput("witness.passphrase-short", "The passphrase of a witness has 12 characters at least. Choose a longer one.");
        }
        finally
        {
            Array.Clear(secret);
        }
    }
}
