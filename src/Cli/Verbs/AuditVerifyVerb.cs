using System.CommandLine;
using System.Globalization;
using System.Text;
using Mangrove.Cli.CommandLine;
using Mangrove.Kernel;
using Mangrove.Verifier;

namespace Mangrove.Cli.Verbs;

/// <summary>
/// Verifies the whole audit log, from its first entry. Reads no protected information, so it acts for nobody. With --offline it needs
/// no hospital: a file, the public key and an anchor, judged by the verifier that shares no code with the log.
/// </summary>
internal sealed class AuditVerifyVerb : HospitalVerb
{
    private readonly Option<bool> offline = new("--offline") { Description = "Verify a file without the hospital, by the stand-alone verifier; needs --log, --key and --anchor." };
    private readonly Option<string?> log = new("--log") { Description = "With --offline: the log's file, audit.db or what 'mangrove audit copy' wrote. It is not changed.", HelpName = "FILE" };
    private readonly Option<string?> key = new("--key") { Description = "With --offline: the log's public key, as 'mangrove audit key' wrote it.", HelpName = "FILE" };
    private readonly Option<string[]> anchor = new("--anchor") { Description = "With --offline: what was kept elsewhere, as 'mangrove audit anchor' or a witness wrote it. Can be given several times.", HelpName = "FILE" };
    private readonly Option<string?> witness = new("--witness") { Description = "With --offline: public keys of witnesses; one of them must have cosigned each anchor.", HelpName = "FILE" };
    private readonly Option<bool> every = new("--every-signature") { Description = "With --offline: check every signature by itself, and not only the first 2,048 and the newest, which vouches for all." };
    private readonly Option<bool> progress = new("--progress") { Description = "With --offline: say on standard error how far it is." };

    public AuditVerifyVerb()
        : base("verify", "Verify the whole log, from its first entry: chain, signatures, tree, anchors.", "audit") =>
        Add(offline, log, key, anchor, witness, every, progress);

    public override bool IsAlone(ParseResult arguments)
    {
        var named = arguments.GetValue(log) ?? arguments.GetValue(key) ?? arguments.GetValue(witness) ?? arguments.GetValue(anchor)?.FirstOrDefault();
        return arguments.GetValue(offline)
            || (named is not null || arguments.GetValue(every) || arguments.GetValue(progress)
                ? throw new RefusedInput("audit.offline-needed", "A log file, keys and anchors are named for a verification without the hospital. Add --offline.")
                : false);
    }

    public override Task<Answer> RunAlone(ParseResult arguments, Call call, TimeProvider clock, CancellationToken cancel) => Offline(arguments, call, clock, cancel);

    public override async Task<Answer> Run(Hospital hospital, ParseResult arguments, Call call, CancellationToken cancel)
    {
        var report = await hospital.Vault.Review.Verify(new Told(call), await hospital.Backups.KeptRoots(cancel), cancel);
        var found = report.Problems.Select(problem => new Finding(problem.Code, problem.Seq, problem.Message)).ToList();
        return Say(new Verdict(report.Entries, report.Head, report.Size, report.Root, report.Checkpoints, 0, report.Anchors, report.Seconds, found), "");
    }

    private async Task<Answer> Offline(ParseResult arguments, Call call, TimeProvider clock, CancellationToken cancel)
    {
        if (arguments.GetValue(log) is not { } file || arguments.GetValue(key) is not { } keyFile || arguments.GetValue(anchor) is not { Length: > 0 } anchorFiles)
        {
            throw new RefusedInput("audit.offline-incomplete", "With --offline, name the log's file with --log, its public key with --key and at least one anchor with --anchor.");
        }

        var keys = NoteKey.ReadAll(await OutsideFiles.Text(call, keyFile, cancel));
        IReadOnlyList<NoteKey> witnesses = arguments.GetValue(witness) is { } witnessFile ? NoteKey.ReadAll(await OutsideFiles.Text(call, witnessFile, cancel)) : [];
        var anchors = new List<Anchor>();
        foreach (var one in anchorFiles)
        {
            anchors.AddRange(Anchor.ReadAll(await OutsideFiles.Bytes(call, one, cancel)));
        }

        var verdict = await LogVerification.Run(
            call.Full(file), keys, anchors, witnesses, arguments.GetValue(every) ? long.MaxValue : LogVerification.SignaturesByDefault, clock,
            arguments.GetValue(progress) ? new Told(call) : null, cancel);
        return Say(verdict, string.Create(CultureInfo.InvariantCulture, $"{verdict.Signatures:#,##0} signatures were checked one by one; the newest vouches for the others\n"));
    }

    private static Answer Say(Verdict verdict, string signatures)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{verdict.Entries:#,##0} entries, {verdict.Checkpoints:#,##0} checkpoints and {verdict.Anchors:#,##0} anchors in {verdict.Seconds:0.0} s\n");
        text.Append(CultureInfo.InvariantCulture, $"head {verdict.Head}\nroot {verdict.Root} at {verdict.Size:#,##0}\n{signatures}");
        foreach (var problem in verdict.Findings)
        {
            text.Append(CultureInfo.InvariantCulture, $"{problem.Code}{(problem.Seq is { } seq ? $" at {seq}" : "")}: {problem.Message}\n");
        }

        text.Append(verdict.Whole ? "The log is whole." : "THE LOG IS NOT WHOLE. Keep the disk as it is and call your security officer.");
        return Answer.Of(
            new
            {
                ok = verdict.Whole,
                entries = verdict.Entries,
                head = verdict.Head,
                size = verdict.Size,
                root = verdict.Root,
                checkpoints = verdict.Checkpoints,
                anchors = verdict.Anchors,
                seconds = Math.Round(verdict.Seconds, 3),
                problems = verdict.Findings.Select(problem => new { code = problem.Code, seq = problem.Seq, message = problem.Message }),
            },
            text.ToString(),
            verdict.Whole ? ExitCode.Success : ExitCode.Wrong);
    }

    /// <summary>Passes the count of entries on, as it comes; Progress of T would post it elsewhere.</summary>
    private sealed class Told(Call call) : IProgress<long>
    {
        private const long Every = 1_000_000;
        private long next = Every;

        public void Report(long value)
        {
            if (value >= next)
            {
                next = value + Every;
                call.Say(string.Create(CultureInfo.InvariantCulture, $"{value:#,##0} entries"));
            }
        }
    }
}
