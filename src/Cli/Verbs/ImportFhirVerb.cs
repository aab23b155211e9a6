using System.CommandLine;
using System.Globalization;
using System.Text;
using Mangrove.Cli.CommandLine;
using Mangrove.Portability.Exchange;

namespace Mangrove.Cli.Verbs;

/// <summary>Takes FHIR R4 into the hospital for an administrator.</summary>
internal sealed class ImportFhirVerb : HospitalVerb
{
    // Enough to see what is wrong; the whole list is in the JSON.
    private const int MostShown = 20;

    private readonly Argument<string[]> paths = new("paths") { Description = "Bundles, NDJSON, folders, .zip or .tar.gz.", HelpName = "PATH...", Arity = ArgumentArity.OneOrMore };
    private readonly Option<bool> dryRun = new("--dry-run") { Description = "Say what would happen and write nothing." };

    public ImportFhirVerb()
        : base("fhir", "Take FHIR R4 in: mapped where the clinic has a place, everything kept sealed as it came, nothing twice.", "import", actsAsSomebody: true)
    {
        Command.Arguments.Add(paths);
        Add(dryRun);
    }

    public override async Task<Answer> Run(Hospital hospital, ParseResult arguments, Call call, CancellationToken cancel)
    {
        var actor = await Actor(hospital, arguments, call, cancel);
        var import = new FhirImport(hospital.Clinics, hospital.Vault.Door, hospital.Vault.Fingerprints, hospital.Events, hospital.Clock);
        var report = await import.Run([.. arguments.GetValue(paths)!.Select(call.Full)], arguments.GetValue(dryRun), actor, new Told(call), cancel);
        return Answer.Of(
            new
            {
                files = report.Files,
                resources = report.Resources,
                stored = report.Stored,
                kept = report.Kept,
                unchanged = report.Unchanged,
                rejected = report.Rejected.Select(one => new { file = one.File, entry = one.Entry, code = one.Code, message = one.Message }),
                seconds = Math.Round(report.Seconds, 3),
            },
            Words(report),
            ExitOf(report));
    }

    /// <summary>Success only when nothing was refused; input of which nothing could be taken is refused input, like any other.</summary>
    private static int ExitOf(ImportReport report) => report switch
    {
        { Rejected.Count: 0 } => ExitCode.Success,
        { Stored.Count: 0, Kept.Count: 0 } => ExitCode.Refused,
        _ => ExitCode.Wrong,
    };

    private static string Words(ImportReport report)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{report.Files:#,##0} files in {report.Seconds:0.0} s\n");
        foreach (var (type, count) in report.Resources.OrderByDescending(one => one.Value))
        {
            text.Append(CultureInfo.InvariantCulture, $"{type,-24}{count,10:#,##0} read {report.Stored.GetValueOrDefault(type),10:#,##0} stored {report.Kept.GetValueOrDefault(type),10:#,##0} kept\n");
        }

        var unchanged = report.Unchanged.Values.Sum();
        if (unchanged > 0)
        {
            text.Append(CultureInfo.InvariantCulture, $"{unchanged:#,##0} were here already, unchanged\n");
        }

        foreach (var one in report.Rejected.Take(MostShown))
        {
            text.Append(CultureInfo.InvariantCulture, $"refused {one.File} entry {one.Entry}: {one.Code}: {one.Message}\n");
        }

        return text.Append(CultureInfo.InvariantCulture, $"{report.Rejected.Count:#,##0} refused{(report.Rejected.Count > MostShown ? ", the rest with --json" : "")}").ToString();
    }

    private sealed class Told(Call call) : IProgress<int>
    {
        private const int Every = 10_000;
        private int next = Every;

        public void Report(int value)
        {
            if (value >= next)
            {
                next = value + Every;
                call.Say(string.Create(CultureInfo.InvariantCulture, $"{value:#,##0} resources"));
            }
        }
    }
}
