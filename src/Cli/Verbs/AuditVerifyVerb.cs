using System.CommandLine;
using System.Globalization;
using System.Text;
using Mangrove.Cli.CommandLine;
using Mangrove.Vault.Audit;

namespace Mangrove.Cli.Verbs;

/// <summary>Verifies the whole audit log, from its first entry. Reads no protected information, so it acts for nobody.</summary>
internal sealed class AuditVerifyVerb() : HospitalVerb("verify", "Verify the whole log, from its first entry: chain, signatures, tree, anchors.", "audit")
{
    public override async Task<Answer> Run(Hospital hospital, ParseResult arguments, Call call, CancellationToken cancel)
    {
        var report = await hospital.Vault.Review.Verify(new Told(call), await hospital.Backups.KeptRoots(cancel), cancel);
        return Answer.Of(
            new
            {
                ok = report.Ok,
                entries = report.Entries,
                head = report.Head,
                size = report.Size,
                root = report.Root,
                checkpoints = report.Checkpoints,
                anchors = report.Anchors,
                seconds = Math.Round(report.Seconds, 3),
                problems = report.Problems.Select(problem => new { code = problem.Code, seq = problem.Seq, message = problem.Message }),
            },
            Words(report),
            report.Ok ? ExitCode.Success : ExitCode.Wrong);
    }

    private static string Words(VerifyReport report)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{report.Entries:#,##0} entries, {report.Checkpoints:#,##0} checkpoints and {report.Anchors:#,##0} anchors in {report.Seconds:0.0} s\n");
        text.Append(CultureInfo.InvariantCulture, $"head {report.Head}\nroot {report.Root} at {report.Size:#,##0}\n");
        foreach (var problem in report.Problems)
        {
            text.Append(CultureInfo.InvariantCulture, $"{problem.Code}{(problem.Seq is { } seq ? $" at {seq}" : "")}: {problem.Message}\n");
        }

        return text.Append(report.Ok ? "The log is whole." : "THE LOG IS NOT WHOLE. Keep the disk as it is and call your security officer.").ToString();
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
