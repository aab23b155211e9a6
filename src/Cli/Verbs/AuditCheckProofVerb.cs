using System.CommandLine;
using System.Globalization;
using System.Text;
using Mangrove.Cli.CommandLine;
using Mangrove.Verifier;

namespace Mangrove.Cli.Verbs;

/// <summary>Checks the proof of one entry. Needs no hospital and no log, only the public key.</summary>
internal sealed class AuditCheckProofVerb : OwnVerb
{
    private readonly Argument<string> proof = new("proof") { Description = "The file that 'mangrove audit prove' wrote.", HelpName = "FILE" };
    private readonly Option<string> key = new("--key") { Description = "The log's public key, as 'mangrove audit key' wrote it.", HelpName = "FILE", Required = true };
    private readonly Option<string?> witness = new("--witness") { Description = "Public keys of witnesses; one of them must have cosigned the root.", HelpName = "FILE" };

    public AuditCheckProofVerb()
        : base("check-proof", "Check the proof of one entry with the log's public key, without the log and the hospital.", "audit")
    {
        Command.Arguments.Add(proof);
        Add(key, witness);
    }

    public override async Task<Answer> Run(ParseResult arguments, Call call, TimeProvider clock, CancellationToken cancel)
    {
        var read = EntryProof.Read(await OutsideFiles.Bytes(call, arguments.GetValue(proof)!, cancel));
        var keys = NoteKey.ReadAll(await OutsideFiles.Text(call, arguments.GetValue(key)!, cancel));
        IReadOnlyList<NoteKey> witnesses = arguments.GetValue(witness) is { } file ? NoteKey.ReadAll(await OutsideFiles.Text(call, file, cancel)) : [];
        var findings = read.Check(keys, witnesses);
        var entry = findings.Count == 0 ? read.Entry() : null;
        return Answer.Of(
            new { ok = entry is not null, log = read.Note.Origin, size = read.Note.Size, entry, problems = findings.Select(finding => new { code = finding.Code, seq = finding.Seq, message = finding.Message }) },
            Words(read, entry, findings),
            entry is not null ? ExitCode.Success : ExitCode.Wrong);
    }

    private static string Words(EntryProof proof, ProvenEntry? entry, IReadOnlyList<Finding> findings)
    {
        var text = new StringBuilder();
        foreach (var finding in findings)
        {
            text.Append(CultureInfo.InvariantCulture, $"{finding.Code}: {finding.Message}\n");
        }

        if (entry is null)
        {
            return text.Append("THE PROOF DOES NOT HOLD. Believe nothing of what the file says.").ToString();
        }

        text.Append(CultureInfo.InvariantCulture, $"entry {entry.Seq}, {entry.Timestamp.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss.fff'Z'}\n{entry.Actor} {entry.StaffId}: {entry.Action} {entry.Resource} {entry.Outcome}\n");
        text.Append(CultureInfo.InvariantCulture, $"fields {string.Join(", ", entry.FieldsAccessed)}\ndevice {entry.Device}, purpose {entry.Purpose}, reason {entry.Reason}\n");
        return text.Append(CultureInfo.InvariantCulture, $"The log {proof.Note.Origin} had this entry when it had {proof.Note.Size:#,##0} of them.").ToString();
    }
}
