using System.Diagnostics;
using System.Text.Json;
using Mangrove.Kernel;
using Mangrove.Portability.Exchange;
using Mangrove.Sealing;

namespace Mangrove.Cli.Bench;

/// <summary>Everything written as FHIR NDJSON, against opening copies of the same resources from memory and writing their JSON.</summary>
internal sealed class ExportBench : IBench
{
    public string Name => "export";

    public string Work => "everything is exported as FHIR";

    public async Task<IReadOnlyList<BenchRow>> Run(BenchGround ground, CancellationToken cancel)
    {
        var bench = await ground.Sample(ground.Sizes.Patients[0]);
        var hospital = await bench.OpenWhole(cancel);
        var admin = await bench.Actor(Role.Admin, cancel);
        var export = new FhirExport(hospital.Clinics, hospital.Vault.Door, hospital.Vault.Facility);
        var folder = ground.Place("export");

        // One long round: what it brings to speed is a small part of it.
        var report = await export.Run(folder, null, admin, null, cancel);
        var resources = report.Resources.Values.Sum();
        var reference = FromMemory(ground, folder, resources / (double)bench.Patients);
        Directory.Delete(folder, recursive: true);
        return [BenchRow.ByRatio(Name, resources / report.Seconds, "resources/s", reference, 0.7, resources, "n resources, several pages of patients at once; reference, one thread: a key a patient unwrapped, the same resources opened from memory as one value each, checked and written as JSON to a file")];
    }

    private static double FromMemory(BenchGround ground, string folder, double perPatient)
    {
        using var copies = new SealedCopies();
        var sealedAnew = new List<SealedCopies.Copy>();
        var count = 0;
        foreach (var lines in Lines(folder).Take(ground.Sizes.Sample).Chunk(Math.Max(1, (int)Math.Round(perPatient))))
        {
            sealedAnew.Add(copies.Seal(Ids.New(), [.. lines.Select(line => ("resource", "json", line, Padding.Padme))]));
            count += lines.Length;
        }

        var best = 0.0;
        for (var round = 0; round <= ground.Sizes.Rounds; round++)
        {
            var path = ground.Place($"from-memory-{round}");
            var started = Stopwatch.GetTimestamp();
            using (var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 16))
            using (var json = new Utf8JsonWriter(file))
            {
                foreach (var copy in sealedAnew)
                {
                    copy.Open((_, plain) =>
                    {
                        json.WriteRawValue(plain);
                        json.Flush();
                        json.Reset();
                        file.WriteByte((byte)'\n');
                    });
                }
            }

            best = Math.Max(best, count / Stopwatch.GetElapsedTime(started).TotalSeconds);
            File.Delete(path);
        }

        return best;
    }

    /// <summary>Lines of every file in turn, so that a part of them has all types.</summary>
    private static IEnumerable<byte[]> Lines(string folder)
    {
        var readers = Directory.EnumerateFiles(folder, "*.ndjson").Order(StringComparer.Ordinal).Select(File.OpenText).ToList();
        try
        {
            while (readers.Count > 0)
            {
                for (var at = readers.Count - 1; at >= 0; at--)
                {
                    if (readers[at].ReadLine() is { } line)
                    {
                        yield return System.Text.Encoding.UTF8.GetBytes(line);
                        continue;
                    }

                    readers[at].Dispose();
                    readers.RemoveAt(at);
                }
            }
        }
        finally
        {
            readers.ForEach(reader => reader.Dispose());
        }
    }
}
