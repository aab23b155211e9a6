using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Mangrove.Cli.CommandLine;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Access;

namespace Mangrove.Cli.Verbs;

/// <summary>Replaces the starter list of diagnoses with a full release, for an administrator.</summary>
internal sealed class TerminologyLoadVerb : HospitalVerb
{
    private readonly Argument<string> release = new("release") { Description = "The ICD-10-CM code descriptions as published (.zip), or a table with the columns Code and Description (.csv, .csv.gz).", HelpName = "FILE" };

    public TerminologyLoadVerb()
        : base("load", "Choose diagnoses from a full ICD-10-CM release from now on. The hospital must review it before clinical use.", "terminology", actsAsSomebody: true) =>
        Command.Arguments.Add(release);

    public override async Task<Answer> Run(Hospital hospital, ParseResult arguments, Call call, CancellationToken cancel)
    {
        var began = Stopwatch.GetTimestamp();
        var actor = await Actor(hospital, arguments, call, cancel);
        await hospital.Vault.Door.Record(actor, Rights.Administration, new Request { Action = "LOAD_TERMINOLOGY", Purpose = Purpose.Administration, Resource = "terminology:icd10cm" }, cancel);
        var path = call.Full(arguments.GetValue(release)!);
        if (!File.Exists(path))
        {
            throw new RefusedInput("icd10.missing", "There is no such file. Give the path of the release.");
        }

        await using var file = File.OpenRead(path);
        var taken = hospital.Diagnoses.Take(file);
        if (taken.Error is { } error)
        {
            throw new RefusedInput(error.Code, error.Message);
        }

        var seconds = Math.Round(Stopwatch.GetElapsedTime(began).TotalSeconds, 3);
        return Answer.Of(
            new { codes = taken.Value.Count, source = taken.Value.SourceNote, seconds },
            string.Create(CultureInfo.InvariantCulture, $"{taken.Value.SourceNote}\nDiagnoses are chosen from these {taken.Value.Count:#,##0} codes from now on."));
    }
}
