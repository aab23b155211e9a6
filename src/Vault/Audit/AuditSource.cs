namespace Mangrove.Vault.Audit;

/// <summary>
/// One consistent look at a log's tables by a connection that cannot write. Everything comes as it stands: judging it is
/// the verifier's work. Not thread-safe.
/// </summary>
internal abstract class AuditSource : IDisposable
{
    /// <summary>What the store says it is; null unless it says so exactly once.</summary>
    public abstract LogIdentity? Identity();

    /// <summary>What in the store's own definition differs from what the log was created with; empty when nothing does.</summary>
    public abstract IReadOnlyList<string> SchemaDifferences();

    /// <summary>Starts reading entries and checkpoints above <paramref name="after"/>, in order, up to <paramref name="upTo"/>.</summary>
    public abstract void Start(long after, long upTo);

    /// <summary>Fills the chunk with the next rows.</summary>
    /// <returns>False when there are neither entries nor checkpoints left.</returns>
    public abstract bool Fill(EntryChunk chunk);

    /// <summary>Gives every row of the lookup by patient: 16 bytes and a sequence number.</summary>
    public abstract void Patients(PatientRow row);

    /// <summary>The stored checkpoint of exactly this size, or null.</summary>
    public abstract CheckpointRow? CheckpointAt(long size);

    /// <summary>The stored checkpoint with the largest size not above <paramref name="upTo"/>, or null.</summary>
    public abstract CheckpointRow? CheckpointBelow(long upTo);

    /// <summary>The largest sequence number, 0 for an empty log.</summary>
    public abstract long LastSequence();

    /// <summary>The bytes of matching entries, a page of them at most.</summary>
    public abstract IReadOnlyList<byte[]> Find(AuditFilter filter, int most);

    /// <summary>The lowest and the highest sequence number of the entries of a time; 0 and 0 where there is none.</summary>
    public abstract (long First, long Last) Between(DateTimeOffset since, DateTimeOffset until);

    /// <summary>Gives the bytes of every entry that fits what the columns know of the question and was not refused, above a sequence number and up to another.</summary>
    public abstract void Scan(ExposureQuestion question, long above, long upTo, BodyRow row);

    public abstract void Dispose();

    public delegate void BodyRow(ReadOnlySpan<byte> body);

    public delegate void PatientRow(ReadOnlySpan<byte> patient, long seq);
}
