using System.Buffers.Binary;
using System.Numerics;

namespace Mangrove.Sealing;

/// <summary>
/// The right edge of a growing RFC 6962 tree: one hash for each complete subtree, so that an append takes O(log n)
/// hashes at worst and 64 hashes remember any tree. It can only grow. Not safe for concurrent use.
/// </summary>
public sealed class MerkleFrontier
{
    private const byte Format = 0x01;
    private const int NodesAt = 1 + sizeof(long);

    // nodes[k] is the root of a complete subtree of 2^k leaves and is meaningful ONLY where bit k of Size is set.
    private readonly byte[]?[] nodes = new byte[]?[63];

    /// <summary>Number of leaves.</summary>
    public long Size { get; private set; }

    /// <summary>Appends one leaf, given by its <see cref="MerkleTree.LeafHash(ReadOnlySpan{byte})"/>.</summary>
    public void Append(ReadOnlySpan<byte> leafHash)
    {
        if (leafHash.Length != MerkleTree.HashSize)
        {
            throw new ArgumentException("A leaf hash is exactly 32 bytes.", nameof(leafHash));
        }

        Span<byte> carry = stackalloc byte[MerkleTree.HashSize];
        leafHash.CopyTo(carry);
        var level = 0;
        for (var rest = Size; (rest & 1) == 1; rest >>= 1)
        {
            MerkleTree.NodeHash(nodes[level], carry, carry);
            level++;
        }

        nodes[level] ??= new byte[MerkleTree.HashSize];
        carry.CopyTo(nodes[level]);
        Size++;
    }

    /// <summary>The root over all leaves so far.</summary>
    public byte[] Root()
    {
        if (Size == 0)
        {
            return MerkleTree.EmptyRoot();
        }

        var level = BitOperations.TrailingZeroCount(Size);
        var root = nodes[level].AsSpan().ToArray();
        for (level++; level < nodes.Length && Size >> level != 0; level++)
        {
            if ((Size >> level & 1) == 1)
            {
                MerkleTree.NodeHash(nodes[level], root, root);
            }
        }

        return root;
    }

    /// <summary>An independent copy.</summary>
    public MerkleFrontier Clone()
    {
        var copy = new MerkleFrontier { Size = Size };
        for (var level = 0; level < nodes.Length; level++)
        {
            copy.nodes[level] = (Size >> level & 1) == 1 ? nodes[level].AsSpan().ToArray() : null;
        }

        return copy;
    }

    /// <summary>The bytes of docs/formats/log-tree.md: 9 bytes and 32 for each complete subtree, widest first.</summary>
    public byte[] ToBytes()
    {
        var bytes = new byte[NodesAt + (BitOperations.PopCount((ulong)Size) * MerkleTree.HashSize)];
        bytes[0] = Format;
        BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan(1), Size);
        var at = NodesAt;
        for (var level = nodes.Length - 1; level >= 0; level--)
        {
            if ((Size >> level & 1) == 1)
            {
                nodes[level].AsSpan().CopyTo(bytes.AsSpan(at));
                at += MerkleTree.HashSize;
            }
        }

        return bytes;
    }

    /// <summary>The frontier that <see cref="ToBytes"/> wrote. Its root MUST be compared with a signed one.</summary>
    /// <exception cref="SealBroken">The bytes are not exactly one frontier.</exception>
    public static MerkleFrontier From(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < NodesAt || bytes[0] != Format)
        {
            throw new SealBroken();
        }

        var size = BinaryPrimitives.ReadInt64BigEndian(bytes[1..]);
        if (size < 0 || bytes.Length != NodesAt + (BitOperations.PopCount((ulong)size) * MerkleTree.HashSize))
        {
            throw new SealBroken();
        }

        var frontier = new MerkleFrontier { Size = size };
        var at = NodesAt;
        for (var level = frontier.nodes.Length - 1; level >= 0; level--)
        {
            if ((size >> level & 1) == 1)
            {
                frontier.nodes[level] = bytes.Slice(at, MerkleTree.HashSize).ToArray();
                at += MerkleTree.HashSize;
            }
        }

        return frontier;
    }
}
