using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Mangrove.Kernel;
using Mangrove.Portability.Exchange;
using Mangrove.Portability.Package;

namespace Mangrove.Cli.Bench;

/// <summary>A FHIR set taken in whole: validated, mapped, sealed, stored, audited. Against parsing the same JSON.</summary>
internal sealed class ImportBench : IBench
{
    private const string Shared = "MANGROVE_SHARED";

    public string Name => "import";

    public string Work => "a FHIR set is imported";

    public async Task<IReadOnlyList<BenchRow>> Run(BenchGround ground, CancellationToken cancel)
    {
        var (path, what) = await Source(ground, cancel);
        var bench = await ground.Empty("import");
        var hospital = await bench.OpenWhole(cancel);
        var admin = await bench.Actor(Role.Admin, cancel);
        var import = new FhirImport(hospital.Clinics, hospital.Vault.Door, hospital.Vault.Fingerprints, hospital.Events, hospital.Clock);
        var report = await import.Run([path], dryRun: false, admin, null, cancel);
        var resources = report.Resources.Values.Sum();
        if (resources == 0 || report.Stored.Values.Sum() == 0)
        {
            throw new RefusedInput("bench.import", "Nothing of the set could be imported. Name another one with --synthea.");
        }

        var parsing = Parsing(path, ground.Sizes.Rounds);
        await bench.Close();
        return
        [
            BenchRow.ByRatio(
                Name,
                resources / report.Seconds,
                "resources/s",
                resources / parsing.TotalSeconds,
                0.5,
                resources,
                string.Create(CultureInfo.InvariantCulture, $"n resources of {what}, {report.Rejected.Count} refused; unpacked, validated, mapped, sealed, stored, one batch read while the one before is stored; one round, because a second import changes nothing; reference: JsonDocument.Parse of the same texts in memory")),
        ];
    }

    private static async Task<(string Path, string What)> Source(BenchGround ground, CancellationToken cancel)
    {
        if (ground.Synthea is { } given)
        {
            return (given, "the set named");
        }

        if (Environment.GetEnvironmentVariable(Shared) is { Length: > 0 } shared && Path.Combine(shared, "data", "fhir-synthea") is var folder && Directory.Exists(folder))
        {
            return (folder, "the Synthea set");
        }

        var bench = await ground.Sample(ground.Sizes.Imported, ground.Sizes.Imported);
        var hospital = await bench.OpenWhole(cancel);
        var target = ground.Place("to-import");
        await new FhirExport(hospital.Clinics, hospital.Vault.Door, hospital.Vault.Facility).Run(target, null, await bench.Actor(Role.Admin, cancel), null, cancel);
        await bench.Close();
        File.Delete(Path.Combine(target, "manifest.json"));
        return (target, "an export of made-up patients");
    }

    private static TimeSpan Parsing(string path, int rounds)
    {
        var texts = new List<byte[]>();
        foreach (var file in new InputFiles().Open([path]))
        {
            if (file.Content is not { } content)
            {
                continue;
            }

            using var all = new MemoryStream();
            content.CopyTo(all);
            if (file.Kind == InputKind.Json)
            {
                texts.Add(all.ToArray());
                continue;
            }

            foreach (var line in all.GetBuffer().AsSpan(0, (int)all.Length).Split((byte)'\n'))
            {
                if (!all.GetBuffer().AsSpan(line).IsEmpty)
                {
                    texts.Add(all.GetBuffer()[line]);
                }
            }
        }

        var best = TimeSpan.MaxValue;
        for (var round = 0; round <= rounds; round++)
        {
            var started = Stopwatch.GetTimestamp();
            foreach (var text in texts)
            {
                using var parsed = JsonDocument.Parse(text);
            }

            var took = Stopwatch.GetElapsedTime(started);
            best = took < best ? took : best;
        }

        return best;
    }
}
