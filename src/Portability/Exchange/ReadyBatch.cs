using Mangrove.Portability.Fhir;
using Mangrove.Vault;

namespace Mangrove.Portability.Exchange;

/// <summary>
/// A batch with everything that can be worked out from its text alone: made for the next batch while the one before it is
/// stored. Dispose it with the batch when it is done with.
/// </summary>
internal sealed class ReadyBatch : IDisposable
{
    private readonly IncomingBatch batch;

    public ReadyBatch(IncomingBatch batch, FingerprintKeys keys)
    {
        this.batch = batch;
        Marks = new RecordMarks(keys);
        Index.Add(batch);
        var count = batch.Resources.Count;
        Originals = new byte[count][];
        Contents = new byte[count][];
        Sources = new byte[count][];
        Variants = new byte[count][];
        Nameless = new byte[]?[count];
        for (var i = 0; i < count; i++)
        {
            var resource = batch.Resources[i];
            var original = Originals[i] = ResourceWriter.OneLine(resource.Json);
            Contents[i] = Marks.Content(original);
            Nameless[i] = resource.Id is null ? Marks.Nameless(resource.Type, original) : null;
            var name = resource.Id ?? resource.FullUrl;
            Sources[i] = name is null ? Nameless[i]! : Marks.Source(resource.Type, name);

            // Two systems may write one practitioner or place in two ways: what belongs to no patient is kept in each of them.
            Variants[i] = ResourceMapper.Types.Contains(resource.Type) ? Sources[i] : Marks.Variant(resource.Type, name ?? "", original);
        }
    }

    public IncomingBatch Batch => batch;

    public IReadOnlyList<IncomingResource> Resources => batch.Resources;

    /// <summary>How the resources lead to each other and to their patients.</summary>
    public ReferenceIndex Index { get; } = new();

    /// <summary>Each resource on one line.</summary>
    public byte[][] Originals { get; }

    /// <summary>Fingerprint of each content.</summary>
    public byte[][] Contents { get; }

    /// <summary>Fingerprint of each origin and id.</summary>
    public byte[][] Sources { get; }

    /// <summary>Likewise, of one content of it where several may be kept.</summary>
    public byte[][] Variants { get; }

    /// <summary>Of each content alone, for resources without an id of their own: what a rotation of the index key leaves of such a one.</summary>
    public byte[]?[] Nameless { get; }

    /// <summary>What the marks were made with.</summary>
    public RecordMarks Marks { get; }

    /// <summary>The batches in their order, each made ready while the caller works on the one before it.</summary>
    public static async IAsyncEnumerable<ReadyBatch> Ahead(IEnumerable<IncomingBatch> batches, Func<IncomingBatch, ReadyBatch> ready)
    {
        using var coming = batches.GetEnumerator();
        var next = Task.Run(Next, CancellationToken.None);
        try
        {
            while (await next is { } batch)
            {
                next = Task.Run(Next, CancellationToken.None);
                yield return batch;
            }
        }
        finally
        {
            // When the caller stops early, what is being read is waited for and let go.
            await ((Task)next).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (next.IsCompletedSuccessfully)
            {
                (await next)?.Dispose();
            }
        }

        ReadyBatch? Next() => coming.MoveNext() ? ready(coming.Current) : null;
    }

    public void Dispose() => batch.Dispose();
}
