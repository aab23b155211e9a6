using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Access;

namespace Mangrove.Clinic.Records;

/// <summary>A problem or diagnosis (FHIR Condition).</summary>
public sealed class Problem : SealedRow
{
    public static readonly Field<Problem, ProblemRecord> RecordField =
        new("problem", "record", "diagnosis", Category.Problems, row => row.Record, (row, value) => row.Record = value, ClinicJson.Default.ProblemRecord);

    public Guid? VisitId { get; init; }

    public DateTimeOffset RecordedAt { get; init; }

    public StaffId? By { get; init; }

    public Sealed<ProblemRecord> Record { get; set; }
}

/// <param name="Code">ICD-10 or SNOMED CT code.</param>
/// <param name="System">System of the code.</param>
/// <param name="Display">Words.</param>
/// <param name="Onset">When it began, as FHIR wrote it.</param>
/// <param name="Abated">When it ended, likewise.</param>
/// <param name="ClinicalStatus">active, recurrence, relapse, inactive, remission, resolved.</param>
/// <param name="Verification">confirmed, provisional, differential, refuted …</param>
/// <param name="Note">Free text.</param>
public sealed record ProblemRecord(
    string? Code,
    string? System,
    string Display,
    string? Onset = null,
    string? Abated = null,
    string ClinicalStatus = "active",
    string? Verification = "confirmed",
    string? Note = null)
{
    public bool IsActive => ClinicalStatus is "active" or "recurrence" or "relapse";

    /// <summary>Nothing: PHI never reaches a log by accident.</summary>
    public override string ToString() => nameof(ProblemRecord);
}
