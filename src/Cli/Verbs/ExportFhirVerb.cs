using System.CommandLine;
using Mangrove.Cli.CommandLine;
using Mangrove.Portability.Exchange;

namespace Mangrove.Cli.Verbs;

/// <summary>Writes the hospital's records, or one patient's, as FHIR R4.</summary>
internal sealed class ExportFhirVerb : HospitalVerb
{
    private readonly Option<string> target = new("--out") { Description = "A new or empty folder.", HelpName = "PATH", Required = true };
    private readonly Option<string?> patient = new("--patient") { Description = "Only this patient.", HelpName = "MRN" };

    public ExportFhirVerb()
        : base("fhir", "Write records as FHIR R4: one NDJSON file a resource type, and a manifest with SHA-256.", "export", actsAsSomebody: true) =>
        Add(target, patient);

    public override async Task<Answer> Run(Hospital hospital, ParseResult arguments, Call call, CancellationToken cancel)
    {
        var actor = await Actor(hospital, arguments, call, cancel);
        var folder = call.Full(arguments.GetValue(target)!);
        var export = new FhirExport(hospital.Clinics, hospital.Vault.Door, hospital.Vault.Facility);
        var report = await export.Run(folder, arguments.GetValue(patient), actor, new Progress(call), cancel);
        return Answer.Of(
            report,
            $"""
            {report.Resources.Values.Sum()} resources in {report.Files} files, {report.Bytes} bytes, in {folder}
            The files are not encrypted: keep them as safe as the hospital itself.
            """);
    }

    private sealed class Progress(Call call) : IProgress<int>
    {
        private const int Step = 10_000;
        private int said;

        public void Report(int value)
        {
            if (value / Step > said)
            {
                said = value / Step;
                call.Say($"{value} patients");
            }
        }
    }
}
