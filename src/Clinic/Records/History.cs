using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Access;

namespace Mangrove.Clinic.Records;

/// <summary>A procedure that was done.</summary>
public sealed class Procedure : SealedRow
{
    public static readonly Field<Procedure, CodedEvent> RecordField =
        new("procedure", "record", "procedure", Category.Procedures, row => row.Record, (row, value) => row.Record = value, ClinicJson.Default.CodedEvent);

    public Guid? VisitId { get; init; }

    public DateTimeOffset At { get; init; }

    public Sealed<CodedEvent> Record { get; set; }
}

/// <summary>An immunization that was given.</summary>
public sealed class Immunization : SealedRow
{
    public static readonly Field<Immunization, CodedEvent> RecordField =
        new("immunization", "record", "immunization", Category.Immunizations, row => row.Record, (row, value) => row.Record = value, ClinicJson.Default.CodedEvent);

    public Guid? VisitId { get; init; }

    public DateTimeOffset At { get; init; }

    public Sealed<CodedEvent> Record { get; set; }
}

/// <summary>A report that gathers results (FHIR DiagnosticReport).</summary>
public sealed class DiagnosticReport : SealedRow
{
    public static readonly Field<DiagnosticReport, ReportRecord> RecordField =
        new("report", "record", "lab_report", Category.LabResults, row => row.Record, (row, value) => row.Record = value, ClinicJson.Default.ReportRecord);

    public Guid? VisitId { get; init; }

    public DateTimeOffset At { get; init; }

    public Sealed<ReportRecord> Record { get; set; }
}

/// <param name="Code">Code.</param>
/// <param name="System">System of the code.</param>
/// <param name="Display">Words.</param>
/// <param name="Status">FHIR status.</param>
/// <param name="Start">When it began, as FHIR wrote it.</param>
/// <param name="End">When it ended, likewise.</param>
/// <param name="Reason">Why.</param>
public sealed record CodedEvent(string? Code, string? System, string Display, string Status, string? Start, string? End = null, string? Reason = null)
{
    /// <summary>Nothing: PHI never reaches a log by accident.</summary>
    public override string ToString() => nameof(CodedEvent);
}

/// <param name="Code">LOINC code of the panel.</param>
/// <param name="System">System of the code.</param>
/// <param name="Display">Words.</param>
/// <param name="Status">FHIR status.</param>
/// <param name="Results">Row ids of the observations that belong to it.</param>
/// <param name="Conclusion">Words of the laboratory.</param>
public sealed record ReportRecord(string? Code, string? System, string Display, string Status, IReadOnlyList<Guid> Results, string? Conclusion = null)
{
    /// <summary>Nothing: PHI never reaches a log by accident.</summary>
    public override string ToString() => nameof(ReportRecord);
}
