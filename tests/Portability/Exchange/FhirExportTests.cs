using System.Security.Cryptography;
using System.Text.Json;
using Mangrove.Kernel;
using Mangrove.Portability.Exchange;
using Mangrove.Tests.Clinic;
using Mangrove.Vault;

namespace Mangrove.Tests.Portability.Exchange;

/// <summary>What the clinic wrote itself, as others will read it.</summary>
public class FhirExportTests
{
    private static readonly string[] Types = ["AllergyIntolerance", "Condition", "DiagnosticReport", "Encounter", "Immunization", "MedicationRequest", "Observation", "Patient", "Procedure"];

    [Theory, InlineData(StorageKind.Sqlite), InlineData(StorageKind.Postgres)]
    public async Task Records_born_here_leave_as_valid_R4_whose_references_lead_somewhere(StorageKind kind)
    {
        await using var hospital = await TestHospital.New(kind);
        using var scratch = new Scratch();
        for (var i = 0; i < 3; i++)
        {
            var (patient, visit) = await hospital.Arrive();
            await WrittenHere.Fill(hospital, patient, visit.Id);
        }

        var folder = scratch.File("out");
        var report = await Export(hospital).Run(folder, null, await hospital.As(Role.Admin), null, default);

        Assert.Equal(Types, report.Resources.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(3, report.Resources["Patient"]);
        Assert.Equal(12, report.Resources["Observation"]);
        var ids = new HashSet<string>(StringComparer.Ordinal);
        var references = new HashSet<string>(StringComparer.Ordinal);
        foreach (var type in Types)
        {
            foreach (var line in File.ReadLines(Path.Combine(folder, type + ".ndjson")))
            {
                using var json = JsonDocument.Parse(line);
                ids.Add($"{type}/{json.RootElement.GetProperty("id").GetString()}");
                Collect(json.RootElement, references);
            }
        }

        Assert.Equal(report.Resources.Values.Sum(), ids.Count);
        Assert.NotEmpty(references);
        Assert.Empty(references.Except(ids));
        Assert.Single(await hospital.Entries("EXPORT_FHIR"));
    }

    [Fact]
    public async Task Records_born_here_pass_the_official_schema_and_definitions()
    {
        await using var hospital = await TestHospital.New(StorageKind.Sqlite);
        using var scratch = new Scratch();
        var (patient, visit) = await hospital.Arrive();
        await WrittenHere.Fill(hospital, patient, visit.Id);
        var folder = scratch.File("out");
        var report = await Export(hospital).Run(folder, patient.Mrn, await hospital.As(Role.Admin), null, default);
        var all = scratch.File("all.ndjson");
        await File.WriteAllLinesAsync(all, Types.SelectMany(type => File.ReadLines(Path.Combine(folder, type + ".ndjson"))));

        var verdict = FhirCheck.Validate(all);

        Assert.Equal(report.Resources.Values.Sum(), verdict.Resources);
        Assert.Empty(verdict.Problems);
    }

    [Fact]
    public async Task One_patient_s_export_names_nobody_else_and_its_manifest_fits_the_files()
    {
        await using var hospital = await TestHospital.New(StorageKind.Sqlite);
        using var scratch = new Scratch();
        var (wanted, visit) = await hospital.Arrive();
        var (other, _) = await hospital.Arrive();
        await WrittenHere.Fill(hospital, wanted, visit.Id);
        var folder = scratch.File("out");
        await Export(hospital).Run(folder, wanted.Mrn, await hospital.As(Role.Admin), null, default);

        var text = string.Concat(Directory.GetFiles(folder).Select(File.ReadAllText));
        Assert.Contains(wanted.Mrn, text, StringComparison.Ordinal);
        Assert.DoesNotContain(other.Id.Value.ToString("D"), text, StringComparison.Ordinal);
        using var manifest = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "manifest.json")));
        foreach (var file in manifest.RootElement.GetProperty("files").EnumerateArray())
        {
            var path = Path.Combine(folder, file.GetProperty("name").GetString()!);
            Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path))), file.GetProperty("sha256").GetString());
            if (!OperatingSystem.IsWindows())
            {
                Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
            }
        }

        Assert.Single(await hospital.Entries(wanted, "EXPORT_FHIR"));
        Assert.Empty(await hospital.Entries(other, "EXPORT_FHIR"));
    }

    [Fact]
    public async Task Nobody_but_an_administrator_exports_and_a_refused_export_leaves_no_folder()
    {
        var hospital = await TestHospital.Shared(StorageKind.Sqlite);
        using var scratch = new Scratch();
        foreach (var role in Enum.GetValues<Role>().Where(role => role != Role.Admin))
        {
            await Assert.ThrowsAsync<Refused>(async () => await Export(hospital).Run(scratch.File("out"), null, await hospital.As(role), null, default));
            Assert.False(Directory.Exists(scratch.File("out")));
        }
    }

    [Fact]
    public async Task An_export_overwrites_nothing_and_refuses_a_number_that_nobody_has()
    {
        var hospital = await TestHospital.Shared(StorageKind.Sqlite);
        using var scratch = new Scratch();
        scratch.Write("out/kept.txt", "kept");
        var admin = await hospital.As(Role.Admin);
        var nobody = Mrn.FromSequence(800_000).ToString();
        var mistyped = nobody[..^1] + (nobody[^1] == '9' ? '0' : (char)(nobody[^1] + 1));

        Assert.Equal("export.not-empty", (await Assert.ThrowsAsync<RefusedInput>(() => Export(hospital).Run(scratch.File("out"), null, admin, null, default))).Code);
        Assert.Equal("kept", await File.ReadAllTextAsync(scratch.File("out/kept.txt"), TestContext.Current.CancellationToken));
        Assert.Equal("patient.number", (await Assert.ThrowsAsync<RefusedInput>(() => Export(hospital).Run(scratch.File("new"), mistyped, admin, null, default))).Code);
        Assert.Equal("not-found", (await Assert.ThrowsAsync<RefusedInput>(() => Export(hospital).Run(scratch.File("new"), nobody, admin, null, default))).Code);
        Assert.False(Directory.Exists(scratch.File("new")));
    }

    private static FhirExport Export(TestHospital hospital) => new(hospital.Clinics, hospital.Door, hospital.Vault.Facility);

    private static void Collect(JsonElement value, HashSet<string> references)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                foreach (var property in value.EnumerateObject())
                {
                    if (property.NameEquals("reference") && property.Value.ValueKind == JsonValueKind.String)
                    {
                        references.Add(property.Value.GetString()!);
                    }

                    Collect(property.Value, references);
                }

                break;
            case JsonValueKind.Array:
                foreach (var item in value.EnumerateArray())
                {
                    Collect(item, references);
                }

                break;
        }
    }
}
