using System.Diagnostics;
using System.Text.Json;
using Mangrove.Tests.Shared;

namespace Mangrove.Tests.Portability;

/// <summary>
/// Judges FHIR NDJSON by code that nobody here wrote: the official JSON schema and the official structure definitions, in
/// Node (tests/Portability/fhircheck). A machine without Node fails; one without the shared data skips.
/// </summary>
internal static class FhirCheck
{
    public sealed record Problem(int Line, string By, string Rule);

    public sealed record Verdict(int Resources, IReadOnlyList<Problem> Problems);

    private static string Folder { get; } = Path.Combine(Repository.Root, "tests", "Portability", "fhircheck");

    public static Verdict Validate(string ndjson)
    {
        var schema = SharedData.Require("data/fhir-definitions/fhir.schema.r4.official.json.gz");
        var package = SharedData.Require("data/fhir-definitions/hl7.fhir.core-4.0.1.tar.gz");
        Install();
        var answer = Run("node", [Path.Combine(Folder, "check.mjs"), schema, package, ndjson]);
        return JsonSerializer.Deserialize<Verdict>(answer, JsonSerializerOptions.Web) ?? throw new InvalidDataException("The check answered nothing.");
    }

    private static void Install()
    {
        var done = Path.Combine(Folder, "node_modules", ".package-lock.json");
        using var one = new Mutex(initiallyOwned: false, "Global\\mangrove-fhircheck");
        one.WaitOne(TimeSpan.FromMinutes(5));
        try
        {
            if (!File.Exists(done) || File.GetLastWriteTimeUtc(done) < File.GetLastWriteTimeUtc(Path.Combine(Folder, "package-lock.json")))
            {
                Run(OperatingSystem.IsWindows() ? "npm.cmd" : "npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", Folder]);
            }
        }
        finally
        {
            one.ReleaseMutex();
        }
    }

    private static string Run(string program, IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false, WorkingDirectory = Folder };
        Process process;
        try
        {
            process = Process.Start(start)!;
        }
        catch (System.ComponentModel.Win32Exception error)
        {
            throw new InvalidOperationException($"{program} is not installed. The FHIR checks need Node 20 or later.", error);
        }

        using (process)
        {
            var errors = process.StandardError.ReadToEndAsync();
            var output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0 ? output : throw new InvalidOperationException($"{program} ended with {process.ExitCode}: {errors.GetAwaiter().GetResult()}");
        }
    }
}
