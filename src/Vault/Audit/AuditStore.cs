namespace Mangrove.Vault.Audit;

/// <summary>Where a log lives: a SQLite file or the <c>audit</c> schema of PostgreSQL. One writer at a time.</summary>
internal abstract class AuditStore : IAsyncDisposable
{
    /// <summary>Opens the writing connection, making the tables when the store is new and may be made.</summary>
    /// <param name="facility">Whose log a new store becomes.</param>
    /// <param name="mayCreate">False when an anchor says that a log must be there.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <returns>What the store says it is; null when there is no log and none may be made.</returns>
    public abstract Task<LogIdentity?> Open(Guid facility, bool mayCreate, CancellationToken cancellation);

    /// <summary>Writes the batch in one transaction; returns only when it is on the disk.</summary>
    public abstract Task Commit(AuditBatch batch);

    /// <summary>Shuts the writing connection, so that <see cref="Open"/> can be tried again.</summary>
    public abstract Task Close();

    /// <summary>A new look at what is committed.</summary>
    public abstract AuditSource Read();

    /// <summary>What a person can do about this failure of the store; one sentence.</summary>
    public abstract string Advice(Exception failure);

    public abstract ValueTask DisposeAsync();
}

/// <summary>Entries with their headers filled, and the checkpoint that covers them.</summary>
internal sealed class AuditBatch(IReadOnlyList<AuditBatch.Row> rows, Checkpoint checkpoint, byte[] frontier)
{
    public IReadOnlyList<Row> Rows { get; } = rows;

    public Checkpoint Checkpoint { get; } = checkpoint;

    public byte[] Frontier { get; } = frontier;

    public readonly record struct Row(long Seq, long At, byte[] Hash, EncodedDraft Draft)
    {
        public ReadOnlySpan<byte> Body => Draft.Body;

        public ReadOnlySpan<byte> Actor => Draft.Body.AsSpan(Draft.Actor);

        public ReadOnlySpan<byte> Action => Draft.Body.AsSpan(Draft.Action);

        public int PatientCount => (Draft.Body.Length - Draft.PatientsAt) / 16;

        public ReadOnlySpan<byte> Patient(int index) => Draft.Body.AsSpan(Draft.PatientsAt + (index * 16), 16);
    }
}
