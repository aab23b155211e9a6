using System.CommandLine;
using Mangrove.Cli.CommandLine;
using Mangrove.Portability.Exchange;

namespace Mangrove.Cli.Verbs;

/// <summary>Takes FHIR R4 files into the hospital, as an administrator. Running it again changes nothing.</summary>
internal sealed class ImportFhirVerb : HospitalVerb
{
    private readonly Argument<string[]> paths = new("PATH") { Description = "Bundles, NDJSON files, folders, .zip or .tar.gz.", Arity = ArgumentArity.OneOrMore };
    private readonly Option<bool> dryRun = new("--dry-run") { Description = "Say what would happen and write nothing." };

    public ImportFhirVerb()
        : base("fhir", "Import FHIR R4 bundles, NDJSON, folders or archives.", "import", actsAsSomebody: true)
    {
        Command.Arguments.Add(paths);
        Add(dryRun);
    }

    public override async Task<Answer> Run(Hospital hospital, ParseResult arguments, Call call, CancellationToken cancel)
    {
        var by = await Actor(hospital, arguments, call, cancel);
        var import = new FhirImport(hospital.Clinics, hospital.Vault.Door, hospital.Vault.Fingerprints, hospital.Events, hospital.Clock);
        var last = 0;
        var report = await import.Run(
            [.. arguments.GetValue(paths)!.Select(call.Full)],
            arguments.GetValue(dryRun),
            by,
            new Steps(done =>
            {
                if (done - last >= 5_000)
                {
                    last = done;
                    call.Say($"{done:#,##0} resources done");
                }
            }),
            cancel);
        var stored = report.Stored.Values.Sum();
        var kept = report.Kept.Values.Sum();
        return Answer.Of(
            report,
            $"{report.Resources.Values.Sum() + report.Rejected.Count(one => one.Entry == 0):#,##0} resources of {report.Files:#,##0} files in {report.Seconds:0.0} s: {stored:#,##0} stored, {kept:#,##0} kept sealed, {report.Rejected.Count:#,##0} rejected.{string.Concat(report.Rejected.Take(20).Select(one => $"\n  {one.File} #{one.Entry}  {one.Code}  {one.Message}"))}",
            stored + kept > 0 || report.Rejected.Count == 0 ? ExitCode.Success : ExitCode.Refused);
    }

    /// <summary>Reports at once and in order, which the runtime's own progress does not promise.</summary>
    private sealed class Steps(Action<int> step) : IProgress<int>
    {
        public void Report(int value) => step(value);
    }
}
