using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Access;

namespace Mangrove.Clinic.Records;

/// <summary>
/// A FHIR resource as it came, kept sealed and unchanged: beside the row it was mapped to, or alone when the clinic has
/// no place for its type. Export gives it back as long as the mapped row has not changed since.
/// </summary>
public sealed class FhirRecord : SealedRow
{
    /// <summary>Subject of resources that belong to no patient (Practitioner, Organization, Location …).</summary>
    public static readonly PatientId Facility = new(new Guid("00000000-0000-4000-8000-000000000001"));

    public static readonly Field<FhirRecord, byte[]> OriginalField = new(
        "fhir_record",
        "original",
        "fhir_resource",
        row => CategoryOf(row.ResourceType),
        row => row.Original,
        (row, value) => row.Original = value);

    [Public("FHIR resource type, such as Observation")]
    public string ResourceType { get; init; } = string.Empty;

    [Public("keyed fingerprint of the resource's origin and id, so that a second import changes nothing")]
    public byte[] Source { get; set; } = [];

    [Public("keyed fingerprint of the resource's content, so that a changed resource is noticed")]
    public byte[] Content { get; set; } = [];

    /// <summary>Version of the index key under which both fingerprints were made.</summary>
    public int IndexVersion { get; set; } = 1;

    /// <summary>The row that the resource was mapped to, or null when it is only kept.</summary>
    public Guid? MappedRow { get; init; }

    /// <summary>The version of that row right after the mapping.</summary>
    public int MappedVersion { get; set; }

    /// <summary>Counts resources in the order of their coming, for a stable export.</summary>
    public long Order { get; init; }

    public DateTimeOffset ImportedAt { get; init; }

    /// <summary>Canonical JSON, Brotli-compressed before sealing.</summary>
    public Sealed<byte[]> Original { get; set; }

    /// <summary>Who may read a kept resource, by its type; what has no better place is a document.</summary>
    public static Category CategoryOf(string resourceType) => resourceType switch
    {
        "Patient" => Category.Contact,
        "Encounter" => Category.Encounters,
        "Condition" => Category.Problems,
        "AllergyIntolerance" => Category.Allergies,
        "MedicationRequest" or "Medication" => Category.Prescriptions,
        "Immunization" => Category.Immunizations,
        "Procedure" => Category.Procedures,
        "DiagnosticReport" => Category.LabResults,
        "Claim" or "ExplanationOfBenefit" or "Coverage" => Category.Charges,
        _ => Category.Documents,
    };
}
