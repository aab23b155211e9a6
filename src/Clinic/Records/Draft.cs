using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Access;

namespace Mangrove.Clinic.Records;

public enum DraftKind
{
    Registration = 1,
    Triage = 2,
    Consultation = 3,
    LabResults = 4,
    Dispensing = 5,
    Payment = 6,
}

/// <summary>Unsigned work, kept on the server every few seconds. It belongs to its writer and is nobody else's to read.</summary>
public sealed class Draft : SealedRow
{
    public static readonly Field<Draft, string> ContentField = new(
        "draft",
        "content",
        "draft",
        row => CategoryOf(row.Kind),
        row => row.Content,
        (row, value) => row.Content = value);

    public DraftKind Kind { get; init; }

    public Guid? VisitId { get; init; }

    public StaffId By { get; init; }

    public DateTimeOffset SavedAt { get; set; }

    /// <summary>The form's fields as JSON.</summary>
    public Sealed<string> Content { get; set; }

    public static Category CategoryOf(DraftKind kind) => kind switch
    {
        DraftKind.Registration => Category.Name,
        DraftKind.Triage => Category.Triage,
        DraftKind.Consultation => Category.Notes,
        DraftKind.LabResults => Category.LabResults,
        DraftKind.Dispensing => Category.Dispensing,
        _ => Category.Payments,
    };
}
