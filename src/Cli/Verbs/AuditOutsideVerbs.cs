using System.CommandLine;
using System.Globalization;
using Mangrove.Cli.CommandLine;

namespace Mangrove.Cli.Verbs;

/// <summary>Writes the log's public key, for whoever verifies the log elsewhere.</summary>
internal sealed class AuditKeyVerb : HospitalVerb
{
    private readonly Option<string> output = new("--out") { Description = "The file to write; it must not be there yet.", HelpName = "FILE", Required = true };

    public AuditKeyVerb()
        : base("key", "Write the log's public key, for those who verify the log elsewhere.", "audit") => Add(output);

    public override async Task<Answer> Run(Hospital hospital, ParseResult arguments, Call call, CancellationToken cancel)
    {
        var key = hospital.Vault.Review.PublicKey;
        var path = await OutsideFiles.Write(call, arguments.GetValue(output)!, key + "\n", cancel);
        return Answer.Of(new { key, path }, $"{key}\nCompare it with the hospital by another way than the one that the file takes.");
    }
}

/// <summary>Writes the newest root, signed, to be kept where the hospital's server does not reach.</summary>
internal sealed class AuditAnchorVerb : HospitalVerb
{
    private readonly Option<string> output = new("--out") { Description = "The file to write, such as on a medium that is taken away; it must not be there yet.", HelpName = "FILE", Required = true };
    private readonly Option<long?> since = new("--since") { Description = "Write a request to a witness that knows the log at this size (0 for none), with the proof that it only grew.", HelpName = "SIZE" };

    public AuditAnchorVerb()
        : base("anchor", "Write the newest root of the log, signed, to be kept elsewhere or shown to a witness.", "audit") => Add(output, since);

    public override async Task<Answer> Run(Hospital hospital, ParseResult arguments, Call call, CancellationToken cancel)
    {
        var (text, checkpoint) = arguments.GetValue(since) is { } known
            ? await hospital.Vault.Review.AskWitness(known, cancel)
            : hospital.Vault.Review.Note();
        var path = await OutsideFiles.Write(call, arguments.GetValue(output)!, text, cancel);
        return Answer.Of(
            new { path, size = checkpoint.Size, root = Convert.ToHexStringLower(checkpoint.Root.Span), time = checkpoint.Time.UtcDateTime },
            string.Create(CultureInfo.InvariantCulture, $"{checkpoint.Size:#,##0} entries, root {Convert.ToHexStringLower(checkpoint.Root.Span)}\nKeep the file where nobody who can write to this server can reach it."));
    }
}

/// <summary>Copies the log into one file, while the hospital works and whatever it is stored in.</summary>
internal sealed class AuditCopyVerb : HospitalVerb
{
    private readonly Option<string> output = new("--out") { Description = "The file to write; it must not be there yet. It names staff and acts: handle it as the log.", HelpName = "FILE", Required = true };

    public AuditCopyVerb()
        : base("copy", "Copy the whole log into one file for a verifier elsewhere. The copying is an entry too.", "audit", actsAsSomebody: true) => Add(output);

    public override async Task<Answer> Run(Hospital hospital, ParseResult arguments, Call call, CancellationToken cancel)
    {
        var by = await Actor(hospital, arguments, call, cancel);
        var path = call.Full(arguments.GetValue(output)!);
        var entries = await hospital.Vault.Review.Copy(by, path, cancel);
        return Answer.Of(new { path, entries }, string.Create(CultureInfo.InvariantCulture, $"{entries:#,##0} entries were copied."));
    }
}

/// <summary>Writes one entry with the proof that the log has it.</summary>
internal sealed class AuditProveVerb : HospitalVerb
{
    private readonly Option<long> entry = new("--seq") { Description = "Number of the entry, as 'mangrove audit list' shows it.", HelpName = "N", Required = true };
    private readonly Option<string> output = new("--out") { Description = "The file to write; it must not be there yet. It holds the entry.", HelpName = "FILE", Required = true };

    public AuditProveVerb()
        : base("prove", "Write one entry with the proof that the log has it, for somebody outside. The act is an entry too.", "audit", actsAsSomebody: true) => Add(entry, output);

    public override async Task<Answer> Run(Hospital hospital, ParseResult arguments, Call call, CancellationToken cancel)
    {
        var by = await Actor(hospital, arguments, call, cancel);
        var (proof, checkpoint) = await hospital.Vault.Review.Prove(by, arguments.GetValue(entry), cancel);
        var path = await OutsideFiles.Write(call, arguments.GetValue(output)!, proof, cancel);
        return Answer.Of(new { path, seq = arguments.GetValue(entry), size = checkpoint.Size }, "The proof was written. Whoever has the log's public key checks it with 'mangrove audit check-proof'.");
    }
}
