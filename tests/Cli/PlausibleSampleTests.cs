using System.Globalization;
using System.Text.Json;

namespace Mangrove.Tests.Cli;

/// <summary>
/// The sample hospital as it leaves by export: no result contradicts a diagnosis on the same chart. The limits here are those
/// of medicine, not those of the generator.
/// </summary>
public sealed class PlausibleSampleTests : IDisposable
{
    private const string Haemoglobin = "718-7";
    private const string Creatinine = "14682-9";

    private readonly Folder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Results_fit_the_diagnoses_of_their_patient()
    {
        await Executable.Run("demo", "--patients", "400", "--seed", "11", "--data", folder.Data, "--json");
        var admin = JsonDocument.Parse(await File.ReadAllBytesAsync(Path.Combine(folder.Data, "demo-accounts.json"))).RootElement.EnumerateArray().Single(one => Text(one, "role") == "admin");
        var exported = await Executable.Run("export", "fhir", "--data", folder.Data, "--out", folder["out"], "--as", Text(admin, "user"), "--password-file", folder.Secret("admin", Text(admin, "password")), "--json");
        Assert.Equal(0, exported.Exit);
        var diagnoses = Read("Condition").Select(one => (Patient: Subject(one), Code: Code(one), Day: Text(one, "onsetDateTime")[..10], Visit: Visit(one))).ToLookup(one => one.Patient);
        var results = Read("Observation").Where(one => one.TryGetProperty("encounter", out _)).Select(one => (Patient: Subject(one), Code: Code(one), Day: Text(one, "effectiveDateTime")[..10], Visit: Visit(one), One: one)).ToArray();
        var wrong = new List<string>();
        var met = new HashSet<string>(StringComparer.Ordinal);
        foreach (var result in results)
        {
            bool Has(string code) => diagnoses[result.Patient].Any(one => one.Code == code && string.CompareOrdinal(one.Day, result.Day) <= 0);
            void Must(string diagnosis, string test, Func<decimal, bool> fits)
            {
                if (result.Code == test && Has(diagnosis))
                {
                    met.Add($"{diagnosis} {test}");
                    if (!fits(Number(result.One)))
                    {
                        wrong.Add($"{diagnosis}: {test} = {Number(result.One).ToString(CultureInfo.InvariantCulture)}");
                    }
                }
            }

            Must("E11.9", "4548-4", percent => percent >= 6.5m);
            Must("E11.9", "14771-0", glucose => glucose >= 7m);
            Must("D50.9", Haemoglobin, haemoglobin => haemoglobin < 110);
            Must("D50.9", "30428-7", volume => volume < 76);
            Must("D50.9", "2276-4", ferritin => ferritin < 15);
            Must("N18.3", "98979-8", rate => rate is >= 30 and < 60);
            Must("N18.3", Creatinine, creatinine => creatinine > 84);
            Must("I50.9", "33762-6", peptide => peptide > 450);

            // What belongs to one episode is held against the diagnosis of the same visit.
            var episode = diagnoses[result.Patient].Where(one => one.Visit == result.Visit).Select(one => one.Code).ToHashSet(StringComparer.Ordinal);
            if (result.Code == "70569-9" && episode.Contains("B50.9"))
            {
                met.Add("B50.9 70569-9");
                if (Text(result.One, "valueString") != "Positive")
                {
                    wrong.Add("B50.9: the malaria test is negative");
                }
            }

            if (result.Code == "1988-5" && episode.Overlaps(["J18.9", "L03.9"]) && Number(result.One) < 10)
            {
                wrong.Add($"an infection with a CRP of {Number(result.One).ToString(CultureInfo.InvariantCulture)}");
            }

            // Whoever has nothing that lowers it has a haemoglobin that no doctor would pass over.
            if (result.Code == Haemoglobin && !Has("D50.9") && !Has("N18.3") && !Has("B50.9") && !Has("Z34.9") && Number(result.One) < 100)
            {
                wrong.Add($"a haemoglobin of {Number(result.One).ToString(CultureInfo.InvariantCulture)} without a reason");
            }
        }

        Assert.True(met.Count >= 7, "Hardly any pair of diagnosis and test was met: " + string.Join(", ", met));
        Assert.True(wrong.Count == 0, string.Join('\n', wrong.Take(30)));
    }

    private IEnumerable<JsonElement> Read(string type) =>
        Directory.EnumerateFiles(folder["out"], $"{type}*.ndjson").SelectMany(File.ReadLines).Select(line => JsonDocument.Parse(line).RootElement);

    private static string Text(JsonElement one, string name) => one.TryGetProperty(name, out var value) ? value.GetString()! : "";

    private static string Subject(JsonElement one) => Text(one.GetProperty("subject"), "reference");

    private static string Visit(JsonElement one) => one.TryGetProperty("encounter", out var visit) ? Text(visit, "reference") : "";

    private static string Code(JsonElement one) => Text(one.GetProperty("code").GetProperty("coding")[0], "code");

    private static decimal Number(JsonElement one) => one.GetProperty("valueQuantity").GetProperty("value").GetDecimal();
}
