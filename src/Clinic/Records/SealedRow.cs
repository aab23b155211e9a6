using Mangrove.Kernel;
using Mangrove.Vault;

namespace Mangrove.Clinic.Records;

/// <summary>A row about one patient with sealed fields; the door keeps its version and entry.</summary>
public abstract class SealedRow : ISealedRow
{
    private Guid id;

    /// <summary>Drawn when first asked for, because rows that come from the database bring their own.</summary>
    public Guid Id
    {
        get => id == Guid.Empty ? id = Ids.New() : id;
        init => id = value;
    }

    public PatientId PatientId { get; init; }

    public int RowVersion { get; set; }

    public long EntrySeq { get; set; }
}
