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

    public ReadyBatch(IncomingBatch batch, Fingerprints fingerprints)
    {
        this.batch = batch;
        Index.Add(batch);
        var count = batch.Resources.Count;
        Originals = new byte[count][];
        Contents = new byte[count][];
        Sources = new byte[count][];
        Variants = new byte[count][];
        for (var i = 0; i < count; i++)
        {
            var resource = batch.Resources[i];
            var original = Originals[i] = ResourceWriter.OneLine(resource.Json);
            Contents[i] = fingerprints.Of("fhir-content", original);
            Sources[i] = Source(fingerprints, resource.Type, resource.Id ?? resource.FullUrl ?? Convert.ToHexString(Contents[i]));

            // Two systems may write one practitioner or place in two ways: what belongs to no patient is kept in each of them.
            Variants[i] = ResourceMapper.Types.Contains(resource.Type)
                ? Sources[i]
                : Source(fingerprints, resource.Type, $"{resource.Id ?? resource.FullUrl}|{Convert.ToHexString(Contents[i])}");
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

    /// <summary>The fingerprint under which a resource of that type and id is recognised.</summary>
    public static byte[] Source(Fingerprints fingerprints, string type, string id)
    {
        // An address urn:uuid:X and the id X name the same resource in the bundles that most systems write.
        const string urn = "urn:uuid:";
        return fingerprints.Of("fhir-source", $"{type}|{(id.StartsWith(urn, StringComparison.Ordinal) ? id[urn.Length..] : id)}");
    }

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
