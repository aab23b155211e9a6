using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Access;

namespace Mangrove.Clinic.Records;

public enum NoteKind
{
    Consultation = 1,
    Addendum = 2,
}

/// <summary>A signed clinical note. It is never changed: what is added later is an addendum.</summary>
public sealed class Note : SealedRow
{
    public static readonly Field<Note, NoteText> TextField =
        new("note", "text", "note", Category.Notes, row => row.Text, (row, value) => row.Text = value, ClinicJson.Default.NoteText);

    public NoteKind Kind { get; init; }

    public Guid VisitId { get; init; }

    /// <summary>The note that an addendum belongs to.</summary>
    public Guid? ParentId { get; init; }

    public DateTimeOffset SignedAt { get; init; }

    public StaffId By { get; init; }

    public Sealed<NoteText> Text { get; set; }
}

/// <summary>A note in the SOAP order; an addendum uses the last part only.</summary>
public sealed record NoteText(string Subjective, string Objective, string Assessment, string Plan)
{
    /// <summary>When what it tells happened, for a late entry: then it was signed later.</summary>
    public DateTimeOffset? Happened { get; init; }

    /// <summary>Nothing: PHI never reaches a log by accident.</summary>
    public override string ToString() => nameof(NoteText);
}
