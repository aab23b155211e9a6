using Mangrove.Kernel;

namespace Mangrove.Vault.Audit;

/// <summary>
/// What a read-only copy of the hospital recorded: its log is this log up to the backup that the copy was made of, and goes on by
/// itself from there, signed by the same key.
/// </summary>
internal sealed partial class AuditLog
{
    /// <summary>Proves a copy's log from its first entry, and finds where it left this one.</summary>
    /// <param name="path">The copy's log, which nobody writes any more.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <returns>
    /// The size of the newest checkpoint that both have, or <c>downtime.log-broken</c> (it is not whole, or not signed by this
    /// hospital), <c>downtime.log-foreign</c> (it was never this hospital's).
    /// </returns>
    public Task<Result<long>> LeftAt(string path, CancellationToken cancellation) => Task.Run<Result<long>>(
        async () =>
        {
            using var other = SqliteAuditStore.ReadAt(path);
            var report = await new AuditVerifier(identity, verifier, clock).Full(other, [], [], null, cancellation);
            if (!report.Ok)
            {
                return new Error("downtime.log-broken", $"The copy's log is not whole, or not signed by this hospital ({report.Problems[0].Code}). Nothing of it was handed in; keep the file for your security officer.");
            }

            // Newest first: the two have everything in common up to the backup, and nothing after it.
            using var own = store.Read();
            for (var row = other.CheckpointBelow(long.MaxValue); row is not null; row = other.CheckpointBelow(row.Size - 1))
            {
                cancellation.ThrowIfCancellationRequested();
                if (own.CheckpointAt(row.Size) is { } here && here.Signed.AsSpan().SequenceEqual(row.Signed))
                {
                    return row.Size;
                }
            }

            return new Error("downtime.log-foreign", "This log does not go on from the log of this hospital: it is of another one, or the hospital was put back to before the backup that the copy was made of. Nothing of it was handed in.");
        },
        cancellation);

    /// <summary>The entries of a log beside this one above a sequence number, oldest first, a page of them.</summary>
    public static IReadOnlyList<AuditEntry> PageOf(string path, long above)
    {
        using var other = SqliteAuditStore.ReadAt(path);
        return [.. other.Find(new AuditFilter { NewestFirst = false, Beyond = above }, ListPage).Select(Parse)];
    }
}
