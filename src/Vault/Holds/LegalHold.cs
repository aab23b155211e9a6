using Mangrove.Kernel;

namespace Mangrove.Vault.Holds;

/// <summary>What a hold keeps from being destroyed.</summary>
public enum HoldScope
{
    /// <summary>None of them: refused.</summary>
    Unchosen = 0,

    /// <summary>The record of one patient.</summary>
    Patient = 1,

    /// <summary>Every record of the hospital.</summary>
    Hospital = 2,

    /// <summary>Entries of the audit log between two days, both included.</summary>
    Log = 3,
}

/// <summary>What is to be held.</summary>
/// <param name="Scope">Which of them.</param>
/// <param name="Patient">For a patient.</param>
/// <param name="First">For the log: its first day.</param>
/// <param name="Last">For the log: its last day.</param>
public sealed record HoldWanted(HoldScope Scope, PatientRef? Patient = null, DateOnly? First = null, DateOnly? Last = null);

/// <summary>A legal hold: what it is on stays, whatever the rules of retention say, until somebody else releases it.</summary>
public sealed record LegalHold
{
    /// <summary>So many digits of its id name a hold.</summary>
    public const int ShortestNumber = 8;

    public required Guid Id { get; init; }

    public required HoldScope Scope { get; init; }

    /// <summary>Whose record; null for another scope.</summary>
    public required PatientRef? Patient { get; init; }

    public required DateOnly? First { get; init; }

    public required DateOnly? Last { get; init; }

    public required DateTimeOffset Placed { get; init; }

    public required StaffId PlacedBy { get; init; }

    /// <summary>Null while it holds.</summary>
    public required DateTimeOffset? Released { get; init; }

    public required StaffId? ReleasedBy { get; init; }

    /// <summary>Number of the case, as whoever placed it wrote it; may speak of the patient.</summary>
    public required string Reference { get; init; }

    /// <summary>Why; may speak of the patient.</summary>
    public required string Reason { get; init; }

    /// <summary>Why it was released; null while it holds.</summary>
    public required string? ReleaseReason { get; init; }

    /// <summary>How people name it: the first eight digits of its id.</summary>
    public string Number => Id.ToString("N")[..ShortestNumber];

    /// <summary>Without the words, which are protected.</summary>
    public override string ToString() => nameof(LegalHold);
}

/// <summary>Whose records are held now.</summary>
/// <param name="Whole">Every record of the hospital is.</param>
/// <param name="Patients">Those that are held by themselves.</param>
public sealed record HeldRecords(bool Whole, IReadOnlySet<PatientId> Patients)
{
    public bool Holds(PatientId patient) => Whole || Patients.Contains(patient);
}
