using System.Security.Cryptography;
using System.Text;
using Mangrove.Kernel;
using Mangrove.Portability.Fhir;
using Mangrove.Portability.Fhir.Model;
using Mangrove.Tests.Shared;

namespace Mangrove.Tests.Portability.Fhir;

public sealed class WrittenResourceTests
{
    [Theory]
    [InlineData("""{"resourceType":"Patient","gender":"blue"}""")]
    [InlineData("""{"resourceType":"Patient","favourite":1}""")]
    [InlineData("""{"resourceType":"Patient","birthDate":"14.03.1967"}""")]
    [InlineData("""{"resourceType":"Observation","code":{"text":"x"}}""")]
    [InlineData("""{"resourceType":"Condition","subject":{"reference":5}}""")]
    [InlineData("""{"resourceType":"Encounter","status":"finished"}""")]
    public void Both_the_outside_check_and_our_reader_refuse_a_planted_fault(string planted)
    {
        using var scratch = new Scratch();
        var verdict = FhirCheck.Validate(scratch.Write("planted.ndjson", "{\"resourceType\":\"Patient\",\"gender\":\"male\"}\n" + planted + "\n"));
        Assert.Equal(2, verdict.Resources);
        Assert.NotEmpty(verdict.Problems);
        Assert.All(verdict.Problems, static p => Assert.Equal(2, p.Line));
        using var read = Reading.Of(planted);
        Assert.StartsWith("fhir.", read.Code, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_written_from_real_records_passes_the_official_schema_and_definitions()
    {
        using var read = new Reading(
            SharedData.Require("data/fhir-odd/hl7-fhir-r4-examples.tar.gz"), SharedData.Require("data/fhir-odd/us-core-examples.tar.gz"));
        using var scratch = new Scratch();
        var lines = new StringBuilder();
        var count = 0;
        foreach (var resource in read.Resources)
        {
            if (TypedBytes(resource) is { } bytes)
            {
                lines.Append(Encoding.UTF8.GetString(bytes)).Append('\n');
                count++;
            }
        }

        var verdict = FhirCheck.Validate(scratch.Write("written.ndjson", lines.ToString()));
        Assert.True(count > 300);
        Assert.Equal(count, verdict.Resources);
        Assert.Empty(verdict.Problems);
    }

    [Fact]
    public void A_name_in_two_scripts_and_an_exact_number_come_back_as_they_went()
    {
        var patient = new Patient(
            "p1", true, [], new PersonName("Wáng", ["Xiǎomíng"], null, "王小明"), "female", PartialDate.From(1967, 3), null, null, [], [], null, [], "zh");
        var again = Patient.Read(Reading.Json(Encoding.UTF8.GetString(ResourceWriter.Write(patient)))).Value;
        Assert.Equal(patient.Name, again.Name);
        Assert.Equal("1967-03", again.BirthDate!.Value.ToIso());
        var text = Encoding.UTF8.GetString(ResourceWriter.Write(new Immunization(
            null, "completed", CodeableConcept.Of("http://hl7.org/fhir/sid/cvx", "140"), new Reference("Patient/p1"), null, new FhirDateTime("2020"), null, true,
            null, null, null, null, new Quantity(new ExactDecimal("0.500000000000000100")), [])));
        Assert.Contains("\"value\":0.500000000000000100", text, StringComparison.Ordinal);
    }

    [Fact]
    public void An_export_folder_is_the_same_bytes_twice_and_is_read_back_without_its_manifest()
    {
        using var scratch = new Scratch();
        string[] hashes = [Export(scratch.File("one")), Export(scratch.File("two"))];
        Assert.Equal(hashes[0], hashes[1]);
        using var read = new Reading(scratch.File("one"));
        Assert.Empty(read.Rejections);
        Assert.Equal(["Patient", "Observation"], read.Resources.Select(static r => r.Type));
        Assert.Equal("export.not-empty", Assert.Throws<RefusedInput>(() => new ExportFolder(scratch.File("one"))).Code);

        static string Export(string folder)
        {
            using var export = new ExportFolder(folder);
            export.Add("Patient", "{\"resourceType\":\"Patient\",\"id\":\"a\"}"u8);
            export.Add("Observation", "{\"resourceType\":\"Observation\",\"status\":\"final\",\"code\":{\"text\":\"x\"}}"u8);
            var manifest = export.Finish();
            Assert.All(manifest.Files, f => Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(Path.Combine(folder, f.Name)))), f.Sha256));
            return Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(Path.Combine(folder, ExportManifest.FileName))));
        }
    }

    private static byte[]? TypedBytes(IncomingResource resource) => resource.Type switch
    {
        "Patient" => ResourceWriter.Write(Patient.Read(resource.Json).Value),
        "Encounter" => ResourceWriter.Write(Encounter.Read(resource.Json).Value),
        "Condition" => ResourceWriter.Write(Condition.Read(resource.Json).Value),
        "Observation" => ResourceWriter.Write(Observation.Read(resource.Json).Value),
        "AllergyIntolerance" => ResourceWriter.Write(AllergyIntolerance.Read(resource.Json).Value),
        "MedicationRequest" => ResourceWriter.Write(MedicationRequest.Read(resource.Json).Value),
        "Immunization" => ResourceWriter.Write(Immunization.Read(resource.Json).Value),
        "Procedure" => ResourceWriter.Write(Procedure.Read(resource.Json).Value),
        "DiagnosticReport" => ResourceWriter.Write(DiagnosticReport.Read(resource.Json).Value),
        _ => null,
    };
}
