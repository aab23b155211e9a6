using System.Formats.Tar;
using System.IO.Compression;
using System.Text.Json;
using Mangrove.Tests.Shared;

namespace Mangrove.Tests.Acceptance.Day;

/// <summary>The patient of the day, as the imported file has them.</summary>
internal sealed record Newcomer(string Family, string Given, DateOnly Born)
{
    private const string Histories = "data/fhir-synthea/smart-synthea-r4-100.tar.gz";

    // A woman with a history, a man, and a child: small bundles, so that the import takes seconds.
    private static readonly string[] Chosen = ["María_Luisa_Razo_", "Buster_Hoeger_", "Enda_Schaefer_"];

    /// <summary>
    /// Writes what is to be imported into a folder: three real histories where the shared folder is, and where it is not
    /// (a clone of this project alone) the export of another, made-up hospital.
    /// </summary>
    public static async Task<Newcomer> Fetch(string folder, Product product, string scratch)
    {
        Directory.CreateDirectory(folder);
        if (SharedData.Find(Histories) is { } archive)
        {
            await using var file = File.OpenRead(archive);
            await using var unzipped = new GZipStream(file, CompressionMode.Decompress);
            await using var tar = new TarReader(unzipped);
            while (await tar.GetNextEntryAsync() is { } entry)
            {
                var name = Path.GetFileName(entry.Name);
                if (Chosen.Any(start => name.StartsWith(start, StringComparison.Ordinal)))
                {
                    await entry.ExtractToFileAsync(Path.Combine(folder, name), overwrite: false);
                }
            }
        }
        else
        {
            var other = Path.Combine(scratch, "other");
            await product.Run("demo", "--data", other, "--patients", "6", "--seed", "77", "--json");
            var (user, password) = DayHospital.AccountIn(other, "admin", scratch);
            await product.Run("export", "fhir", "--data", other, "--out", Path.Combine(folder, "export"), "--as", user, "--password-file", password, "--json");
        }

        return Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal).SelectMany(Patients).OrderBy(one => one.Born).First(one => one.Born.Year < 1985);
    }

    private static IEnumerable<Newcomer> Patients(string path)
    {
        var texts = path.EndsWith(".ndjson", StringComparison.Ordinal) ? File.ReadLines(path).Where(line => line.Length > 0) : [File.ReadAllText(path)];
        foreach (var text in texts)
        {
            using var json = JsonDocument.Parse(text);
            var resources = json.RootElement.TryGetProperty("entry", out var entries) ? entries.EnumerateArray().Select(entry => entry.GetProperty("resource")) : [json.RootElement];
            foreach (var one in resources)
            {
                if (one.TryGetProperty("resourceType", out var type) && type.GetString() == "Patient" && Read(one) is { } patient)
                {
                    yield return patient;
                }
            }
        }
    }

    private static Newcomer? Read(JsonElement patient)
    {
        if (patient.TryGetProperty("deceasedDateTime", out _) || patient.TryGetProperty("deceasedBoolean", out _)
            || !patient.TryGetProperty("name", out var names) || !names[0].TryGetProperty("family", out var family) || !names[0].TryGetProperty("given", out var given)
            || !patient.TryGetProperty("birthDate", out var birth) || !DateOnly.TryParseExact(birth.GetString(), "yyyy-MM-dd", out var born))
        {
            return null;
        }

        return new Newcomer(family.GetString()!, string.Join(' ', given.EnumerateArray().Select(one => one.GetString())), born);
    }
}
