using Mangrove.Sealing;

namespace Mangrove.Vault.Audit;

/// <summary>
/// Some hundred rows as they stand in the store, in one buffer, and the checkpoints up to the last of them: what the
/// thread that reads hands to the thread that checks. Reused, so that a full pass makes no garbage.
/// </summary>
internal sealed class EntryChunk
{
    public const int Capacity = 512;

    private readonly Row[] rows = new Row[Capacity];
    private byte[] buffer = new byte[64 * 1024];
    private readonly byte[] leaves = new byte[Capacity * MerkleTree.HashSize];
    private int used;

    public int Count { get; private set; }

    public bool IsFull => Count == Capacity;

    /// <summary>Checkpoints with a size above the last row of the chunk before and up to the last row of this one.</summary>
    public List<CheckpointRow> Checkpoints { get; } = [];

    public ref readonly Row this[int index] => ref rows[index];

    public void Clear()
    {
        Count = 0;
        used = 0;
        Checkpoints.Clear();
    }

    public void Add(
        long seq,
        long at,
        long outcome,
        ReadOnlySpan<byte> actor,
        ReadOnlySpan<byte> action,
        ReadOnlySpan<byte> hash,
        ReadOnlySpan<byte> body)
    {
        rows[Count++] = new Row(seq, at, outcome, Keep(actor), Keep(action), Keep(hash), Keep(body));
    }

    /// <summary>The hash of a row's bytes, once <see cref="Hash"/> was called.</summary>
    public ReadOnlySpan<byte> Leaf(int index) => leaves.AsSpan(index * MerkleTree.HashSize, MerkleTree.HashSize);

    /// <summary>
    /// Hashes the bytes of every row. It needs no other row, so the reading thread does it and halves the checking
    /// thread's work.
    /// </summary>
    public void Hash()
    {
        for (var index = 0; index < Count; index++)
        {
            MerkleTree.LeafHash(Bytes(rows[index].Body), leaves.AsSpan(index * MerkleTree.HashSize, MerkleTree.HashSize));
        }
    }

    public ReadOnlySpan<byte> Bytes(Range place) => buffer.AsSpan(place);

    private Range Keep(ReadOnlySpan<byte> bytes)
    {
        if (buffer.Length - used < bytes.Length)
        {
            Array.Resize(ref buffer, Math.Max(buffer.Length * 2, used + bytes.Length));
        }

        bytes.CopyTo(buffer.AsSpan(used));
        var place = used..(used + bytes.Length);
        used += bytes.Length;
        return place;
    }

    public readonly record struct Row(
        long Seq, long At, long Outcome, Range Actor, Range Action, Range Hash, Range Body);
}

/// <summary>A checkpoint as it stands in the store, not yet believed.</summary>
internal sealed record CheckpointRow(long Size, byte[] Signed, byte[] Frontier);
