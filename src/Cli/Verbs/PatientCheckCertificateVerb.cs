using System.CommandLine;
using System.Globalization;
using System.Text;
using Mangrove.Cli.CommandLine;
using Mangrove.Kernel;
using Mangrove.Vault.Destruction;
using Mangrove.Verifier;

namespace Mangrove.Cli.Verbs;

/// <summary>Checks a certificate of destruction: its signature, and that the log had the entry. Needs no hospital and no log, only the public key.</summary>
internal sealed class PatientCheckCertificateVerb : OwnVerb
{
    private const string DestroyAction = "DESTROY_PATIENTS";

    private readonly Argument<string> certificate = new("certificate") { Description = "The file that 'mangrove patient destroy --certificate' wrote.", HelpName = "FILE" };
    private readonly Option<string> key = new("--key") { Description = "The log's public key, as 'mangrove audit key' wrote it.", HelpName = "FILE", Required = true };
    private readonly Option<string?> number = new("--mrn") { Description = "A hospital number, to learn whether the certificate is about it.", HelpName = "MRN" };
    private readonly Option<string?> witness = new("--witness") { Description = "Public keys of witnesses; one of them must have cosigned the root.", HelpName = "FILE" };

    public PatientCheckCertificateVerb()
        : base("check-certificate", "Check a certificate of destruction with the log's public key, without the log and the hospital.", "patient")
    {
        Command.Arguments.Add(certificate);
        Add(key, number, witness);
    }

    public override async Task<Answer> Run(ParseResult arguments, Call call, TimeProvider clock, CancellationToken cancel)
    {
        var stored = await OutsideFiles.Bytes(call, arguments.GetValue(certificate)!, cancel);
        var keys = NoteKey.ReadAll(await OutsideFiles.Text(call, arguments.GetValue(key)!, cancel));
        IReadOnlyList<NoteKey> witnesses = arguments.GetValue(witness) is { } file ? NoteKey.ReadAll(await OutsideFiles.Text(call, file, cancel)) : [];
        var problems = new List<Error>();
        var read = Signed(stored, keys, problems);
        if (read is not null)
        {
            problems.AddRange(Entered(read, keys, witnesses));
        }

        var wanted = arguments.GetValue(number)?.Trim();
        bool? about = read is null || wanted is null ? null : read.Patients.Any(one => IsOf(one, wanted));
        if (about == false)
        {
            problems.Add(new Error("destruction.certificate-other", "The certificate is not about this hospital number."));
        }

        var ok = problems.Count == 0;
        return Answer.Of(
            new { ok, order = read?.Order, complete = read?.Complete, records = read?.Patients.Count, about, sha256 = DestructionCertificate.DigestOf(stored), certificate = read, problems = problems.Select(one => new { one.Code, one.Message }) },
            Words(read, problems),
            ok ? ExitCode.Success : ExitCode.Wrong);
    }

    private static DestructionCertificate? Signed(byte[] stored, IReadOnlyList<NoteKey> keys, List<Error> problems)
    {
        RefusedInput? last = null;
        foreach (var one in keys.Where(one => !one.OfWitness))
        {
            try
            {
                return DestructionCertificate.Check(stored, one.SubjectPublicKeyInfo.Span);
            }
            catch (RefusedInput refused)
            {
                last = refused;
            }
        }

        problems.Add(last?.Error ?? new Error("destruction.certificate-key", "The file of the key has no key of a log, only of witnesses. Name the one that 'mangrove audit key' wrote."));
        return null;
    }

    // The signature says that the hospital's key made the certificate; the proof, that its log had said so to everybody who keeps its roots.
    private static IEnumerable<Error> Entered(DestructionCertificate read, IReadOnlyList<NoteKey> keys, IReadOnlyList<NoteKey> witnesses)
    {
        EntryProof proof;
        try
        {
            proof = EntryProof.Read(Encoding.UTF8.GetBytes(read.Proof));
        }
        catch (VerifierRefusal refused)
        {
            return [new Error(refused.Code, refused.Message)];
        }

        var findings = proof.Check(keys, witnesses);
        if (findings.Count > 0)
        {
            return findings.Select(finding => new Error(finding.Code, finding.Message));
        }

        var named = read.Patients.Select(one => one.Record.ToString("N")).Order(StringComparer.Ordinal);
        return proof.Entry() is { Action: DestroyAction, Outcome: "allowed" } entry
            && entry.Seq == read.Entry
            && entry.Resource == $"destruction:{read.Order}"
            && entry.Patients.Order(StringComparer.Ordinal).SequenceEqual(named)
            ? []
            : [new Error("destruction.certificate-entry", "The entry of the log that the certificate proves is about something else.")];
    }

    private static bool IsOf(CertifiedPatient patient, string number) =>
        Convert.ToHexStringLower(DestructionPatient.HashOf(Convert.FromHexString(patient.Salt), number)).Equals(patient.MrnSha256, StringComparison.OrdinalIgnoreCase);

    private static string Words(DestructionCertificate? read, List<Error> problems)
    {
        var text = new StringBuilder();
        foreach (var problem in problems)
        {
            text.Append(CultureInfo.InvariantCulture, $"{problem.Code}: {problem.Message}\n");
        }

        if (read is null || problems.Count > 0)
        {
            return text.Append("THE CERTIFICATE DOES NOT HOLD. Believe nothing of what the file says.").ToString();
        }

        text.Append(CultureInfo.InvariantCulture, $"{read.FacilityName}, {read.Order}: {read.Patients.Count} records destroyed, certified {read.Certified.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss'Z'}\n");
        text.Append(CultureInfo.InvariantCulture, $"proposed by {read.ProposedBy}, approved by {read.ApprovedBy}, reason {read.Reason}; {read.Facts.Bundles.Count} key bundles of backups rewritten\n");
        foreach (var target in read.Facts.Outstanding)
        {
            text.Append(CultureInfo.InvariantCulture, $"OUTSTANDING: {target}\n");
        }

        foreach (var limit in read.Limits)
        {
            text.Append(CultureInfo.InvariantCulture, $"- {limit}\n");
        }

        return text.Append(read.Complete ? "The certificate holds." : "The certificate holds, and says that targets are outstanding: ask for the complete one.").ToString();
    }
}
