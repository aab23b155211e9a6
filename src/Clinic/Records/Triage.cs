using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Access;

namespace Mangrove.Clinic.Records;

/// <summary>One triage or re-check of a visit.</summary>
public sealed class TriageAssessment : SealedRow
{
    public static readonly Field<TriageAssessment, TriageOutcome> OutcomeField =
        new("triage", "outcome", "triage", Category.Triage, row => row.Outcome, (row, value) => row.Outcome = value, ClinicJson.Default.TriageOutcome);

    public Guid VisitId { get; init; }

    public DateTimeOffset At { get; init; }

    public StaffId By { get; init; }

    public DateTimeOffset? RecheckDue { get; init; }

    public Sealed<TriageOutcome> Outcome { get; set; }
}

/// <summary>What triage found.</summary>
/// <param name="Category">1 (immediate) to 5 (non-urgent).</param>
/// <param name="Complaint">Complaint and observations in words.</param>
/// <param name="News2">The score, or null when NEWS2 does not apply or is incomplete.</param>
/// <param name="News2Band">Band word, or which chart applies instead.</param>
/// <param name="Scale2">Whether SpO2 was scored on scale 2.</param>
/// <param name="Pain">0 to 10.</param>
/// <param name="Pregnant">Whether pregnancy was stated.</param>
public sealed record TriageOutcome(int Category, string Complaint, int? News2, string? News2Band, bool Scale2, int? Pain, bool Pregnant)
{
    /// <summary>When it was written down, for a late entry: then the row's time is when it was done.</summary>
    public DateTimeOffset? Recorded { get; init; }

    /// <summary>Nothing: PHI never reaches a log by accident.</summary>
    public override string ToString() => nameof(TriageOutcome);
}
