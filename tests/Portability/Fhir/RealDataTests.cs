using System.Text.Json;
using Mangrove.Portability.Fhir;
using Mangrove.Portability.Fhir.Model;
using Mangrove.Tests.Shared;

namespace Mangrove.Tests.Portability.Fhir;

public sealed class RealDataTests
{
    private const string Synthea = "data/fhir-synthea/smart-synthea-r4-100.tar.gz";

    private static readonly HashSet<string> FacilityTypes = new(StringComparer.Ordinal)
    {
        "Practitioner", "Organization", "Location", "PractitionerRole", "Medication", "HealthcareService",
    };

    [Fact]
    public void All_98_synthea_bundles_are_read_whole_and_every_resource_finds_its_patient()
    {
        using var read = new Reading(SharedData.Require(Synthea));
        Assert.Empty(read.Rejections);
        Assert.Equal(98, read.Batches.Count);
        Assert.All(read.Batches, static batch => Assert.Equal("transaction", batch.BundleType));
        var counts = read.Resources.GroupBy(static r => r.Type, StringComparer.Ordinal).ToDictionary(static g => g.Key, static g => g.Count(), StringComparer.Ordinal);
        Assert.Equal(31_210, read.Resources.Count);
        Assert.Equal(
            new Dictionary<string, int>(StringComparer.Ordinal)
            {
                ["Observation"] = 13_736, ["Encounter"] = 3_075, ["DiagnosticReport"] = 999, ["Immunization"] = 981, ["MedicationRequest"] = 797,
                ["Condition"] = 724, ["AllergyIntolerance"] = 51, ["Claim"] = 3_872, ["ExplanationOfBenefit"] = 3_075, ["Procedure"] = 2_892,
                ["CarePlan"] = 287, ["Practitioner"] = 247, ["Goal"] = 165, ["Organization"] = 145, ["Patient"] = 97, ["ImagingStudy"] = 67,
            },
            counts);
        var number = 0;
        foreach (var batch in read.Batches)
        {
            var patient = batch.Resources.FirstOrDefault(static r => r.Type == "Patient");
            foreach (var resource in batch.Resources)
            {
                var owner = read.Index.OwnerOf(number++);
                if (FacilityTypes.Contains(resource.Type))
                {
                    Assert.Equal(OwnerKind.Facility, owner.Kind);
                }
                else
                {
                    Assert.True(owner.Kind == OwnerKind.Patient, $"{resource.Type} belongs to {owner.Kind}");
                    Assert.Equal(patient!.Id, owner.Patients[0].Id);
                }
            }
        }
    }

    [Fact]
    public void Every_synthea_resource_of_a_mapped_type_is_read_typed_and_every_number_keeps_its_digits()
    {
        using var read = new Reading(SharedData.Require(Synthea));
        var dead = 0;
        foreach (var resource in read.Resources)
        {
            var error = resource.Type switch
            {
                "Patient" => Patient.Read(resource.Json).Error,
                "Encounter" => Encounter.Read(resource.Json).Error,
                "Condition" => Condition.Read(resource.Json).Error,
                "Observation" => Observation.Read(resource.Json).Error,
                "AllergyIntolerance" => AllergyIntolerance.Read(resource.Json).Error,
                "MedicationRequest" => MedicationRequest.Read(resource.Json).Error,
                "Immunization" => Immunization.Read(resource.Json).Error,
                "Procedure" => Procedure.Read(resource.Json).Error,
                "DiagnosticReport" => DiagnosticReport.Read(resource.Json).Error,
                _ => null,
            };
            Assert.Null(error);
            if (resource.Type == "Patient")
            {
                var patient = Patient.Read(resource.Json).Value;
                dead += patient.Deceased == true ? 1 : 0;
                Assert.False(patient.Name.IsEmpty);
                Assert.True(patient.BirthDate?.IsFull);
            }
            else if (resource.Type == "Observation" && resource.Json.TryGetProperty("valueQuantity", out var quantity))
            {
                var value = Assert.IsType<FhirValue.OfQuantity>(Observation.Read(resource.Json).Value.Value);
                Assert.Equal(quantity.GetProperty("value").GetRawText(), value.Value.Value!.Value.Text);
            }
        }

        Assert.Equal(21, dead);
    }

    [Fact]
    public void The_official_examples_are_read_and_what_is_refused_is_refused_for_a_known_reason()
    {
        using var read = new Reading(SharedData.Require("data/fhir-odd/hl7-fhir-r4-examples.tar.gz"));
        Assert.Equal(972, read.Resources.Count);
        Assert.Equal(
            new Dictionary<string, int>(StringComparer.Ordinal)
            {
                ["fhir.nested-bundle"] = 17,
                ["fhir.request-without-data"] = 11,
                ["fhir.bundle-is-answer"] = 3,
                ["fhir.delete-refused"] = 2,
                ["fhir.request-mismatch"] = 1,
                ["fhir.missing-element"] = 1,
            },
            read.Rejections.GroupBy(static r => r.Code, StringComparer.Ordinal).ToDictionary(static g => g.Key, static g => g.Count(), StringComparer.Ordinal));
        var patients = read.Resources.Where(static r => r.Type == "Patient").Select(static r => Patient.Read(r.Json).Value).ToList();

        // The set has 52; three stand in bundles that are a server's answer.
        Assert.Equal(49, patients.Count);
        Assert.Equal(24, patients.Count(static p => p.BirthDate is null));
        Assert.Contains(patients, static p => p.Name.IsEmpty);
        Assert.Contains(patients, static p => p.Name is { Family: null, Given: [], Text: not null });
    }

    [Fact]
    public void The_us_core_examples_are_read_and_one_without_a_narrative_is_refused()
    {
        using var read = new Reading(SharedData.Require("data/fhir-odd/us-core-examples.tar.gz"));
        Assert.Equal(235, read.Resources.Count);
        Assert.Equal("fhir.missing-element", read.Code);
    }

    [Fact]
    public void Typed_readers_answer_every_official_example_with_a_record_or_a_reason()
    {
        using var read = new Reading(SharedData.Require("data/fhir-odd/hl7-fhir-r4-examples.tar.gz"), SharedData.Require("data/fhir-odd/us-core-examples.tar.gz"));
        var refused = new List<string>();
        foreach (var resource in read.Resources)
        {
            var error = Typed.RoundTrip(resource.Json);
            if (error is not null)
            {
                refused.Add($"{resource.Type}/{resource.Id} {error.Code}");
            }
        }

        Assert.Empty(refused);
    }
}

/// <summary>Reads a mapped resource, writes it, reads it again: the record must be the same.</summary>
internal static class Typed
{
    public static Kernel.Error? RoundTrip(JsonElement json) => json.GetProperty("resourceType").GetString() switch
    {
        "Patient" => Same(Patient.Read(json), ResourceWriter.Write, Patient.Read),
        "Encounter" => Same(Encounter.Read(json), ResourceWriter.Write, Encounter.Read),
        "Condition" => Same(Condition.Read(json), ResourceWriter.Write, Condition.Read),
        "Observation" => Same(Observation.Read(json), ResourceWriter.Write, Observation.Read),
        "AllergyIntolerance" => Same(AllergyIntolerance.Read(json), ResourceWriter.Write, AllergyIntolerance.Read),
        "MedicationRequest" => Same(MedicationRequest.Read(json), ResourceWriter.Write, MedicationRequest.Read),
        "Immunization" => Same(Immunization.Read(json), ResourceWriter.Write, Immunization.Read),
        "Procedure" => Same(Procedure.Read(json), ResourceWriter.Write, Procedure.Read),
        "DiagnosticReport" => Same(DiagnosticReport.Read(json), ResourceWriter.Write, DiagnosticReport.Read),
        _ => null,
    };

    private static Kernel.Error? Same<T>(Kernel.Result<T> read, Func<T, byte[]> write, Func<JsonElement, Kernel.Result<T>> again)
    {
        if (read.Error is { } error)
        {
            return error;
        }

        var first = write(read.Value);
        using var document = JsonDocument.Parse(first);
        Assert.Equal(first, write(again(document.RootElement).Value));
        return null;
    }
}
