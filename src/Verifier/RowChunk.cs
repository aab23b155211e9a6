namespace Mangrove.Verifier;

/// <summary>Some hundred rows of the log as the file has them, in one buffer: what the reading thread hands to the checking one. Used again and again.</summary>
internal sealed class RowChunk
{
    public const int Capacity = 512;

    private readonly Row[] rows = new Row[Capacity];
    private readonly byte[] leaves = new byte[Capacity * 32];
    private byte[] buffer = new byte[256 * 1024];
    private int used;

    public int Count { get; private set; }

    public bool IsFull => Count == Capacity;

    /// <summary>Checkpoints above the last row of the chunk before, up to the last row of this one; behind the last row of the log, all.</summary>
    public List<(long Size, byte[] Signed, byte[] Frontier)> Checkpoints { get; } = [];

    public ref readonly Row this[int index] => ref rows[index];

    public void Clear()
    {
        Count = 0;
        used = 0;
        Checkpoints.Clear();
    }

    public void Add(long seq, long at, long outcome, bool typed, ReadOnlySpan<byte> actor, ReadOnlySpan<byte> action, ReadOnlySpan<byte> hash, ReadOnlySpan<byte> body)
    {
        var actorAt = Keep(actor);
        var actionAt = Keep(action);
        var hashAt = Keep(hash);

        // The zero before the bytes makes them what is hashed.
        Keep([0]);
        rows[Count++] = new Row(seq, at, outcome, typed, actorAt, actionAt, hashAt, Keep(body));
    }

    public ReadOnlySpan<byte> Bytes(Range place) => buffer.AsSpan(place);

    public ReadOnlySpan<byte> Leaf(int index) => leaves.AsSpan(index * 32, 32);

    /// <summary>Hashes every row's bytes; needs no other row, so the reading thread does it.</summary>
    public void Hash()
    {
        for (var index = 0; index < Count; index++)
        {
            var body = rows[index].Body;
            System.Security.Cryptography.SHA256.HashData(buffer.AsSpan((body.Start.Value - 1)..body.End.Value), leaves.AsSpan(index * 32, 32));
        }
    }

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

    /// <param name="Typed">Whether every column has the type that the table gives it.</param>
    public readonly record struct Row(long Seq, long At, long Outcome, bool Typed, Range Actor, Range Action, Range Hash, Range Body);
}
