using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Access;

namespace Mangrove.Clinic.Records;

/// <summary>An allergy or intolerance, or the statement that none is known.</summary>
public sealed class Allergy : SealedRow
{
    public static readonly Field<Allergy, AllergyRecord> RecordField =
        new("allergy", "record", "allergies", Category.Allergies, row => row.Record, (row, value) => row.Record = value, ClinicJson.Default.AllergyRecord);

    public DateTimeOffset RecordedAt { get; init; }

    public StaffId? By { get; init; }

    public Sealed<AllergyRecord> Record { get; set; }
}

/// <param name="NoneKnown">True for the statement "no known allergies" (asked on the row's date).</param>
/// <param name="Substance">Substance or class, as shown.</param>
/// <param name="Code">Code of the substance, if coded.</param>
/// <param name="System">System of the code.</param>
/// <param name="Category">food, medication, environment, biologic.</param>
/// <param name="Reaction">What happened.</param>
/// <param name="Severity">mild, moderate, severe; null counts as the worst.</param>
/// <param name="Onset">When, as FHIR wrote it.</param>
/// <param name="Status">active, inactive, resolved, entered-in-error.</param>
public sealed record AllergyRecord(
    bool NoneKnown,
    string? Substance,
    string? Code = null,
    string? System = null,
    string? Category = null,
    string? Reaction = null,
    string? Severity = null,
    string? Onset = null,
    string Status = "active")
{
    /// <summary>Nothing: PHI never reaches a log by accident.</summary>
    public override string ToString() => nameof(AllergyRecord);
}
