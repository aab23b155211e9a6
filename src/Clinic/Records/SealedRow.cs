using Mangrove.Kernel;
using Mangrove.Vault;

namespace Mangrove.Clinic.Records;

/// <summary>A row about one patient with sealed fields; the door keeps its version and entry.</summary>
public abstract class SealedRow : ISealedRow
{
    public Guid Id { get; init; } = Ids.New();

    public PatientId PatientId { get; init; }

    public int RowVersion { get; set; }

    public long EntrySeq { get; set; }
}
