using System.Numerics;
using System.Security.Cryptography;

namespace Mangrove.Sealing;

/// <summary>
/// The Merkle tree of RFC 6962, section 2.1, over SHA-256. Leaves and inner nodes are hashed with different prefixes,
/// so that neither passes for the other. Proofs are lists of 32-byte hashes in the order of the RFC.
/// </summary>
public static partial class MerkleTree
{
    /// <summary>Length of every hash in bytes.</summary>
    public const int HashSize = SHA256.HashSizeInBytes;

    /// <summary>The root of a tree without leaves: the hash of nothing.</summary>
    public static byte[] EmptyRoot() => SHA256.HashData(ReadOnlySpan<byte>.Empty);

    /// <summary>SHA-256(0x00 || entry).</summary>
    public static byte[] LeafHash(ReadOnlySpan<byte> entry)
    {
        var hash = new byte[HashSize];
        LeafHash(entry, hash);
        return hash;
    }

    /// <summary>SHA-256(0x00 || entry), written to <paramref name="destination"/>.</summary>
    public static void LeafHash(ReadOnlySpan<byte> entry, Span<byte> destination) =>
        Hashing.Prefixed(0x00, entry, [], destination);

    /// <summary>SHA-256(0x01 || left || right).</summary>
    public static byte[] NodeHash(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right)
    {
        var hash = new byte[HashSize];
        NodeHash(left, right, hash);
        return hash;
    }

    /// <summary>SHA-256(0x01 || left || right), written to <paramref name="destination"/>, which may be an input.</summary>
    public static void NodeHash(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right, Span<byte> destination)
    {
        RequireHash(left);
        RequireHash(right);
        Hashing.Prefixed(0x01, left, right, destination);
    }

    /// <summary>The root over these leaf hashes.</summary>
    public static byte[] Root(IReadOnlyList<byte[]> leafHashes) =>
        leafHashes.Count == 0 ? EmptyRoot() : Subtree(leafHashes, 0, leafHashes.Count);

    /// <summary>The audit path of one leaf in the tree over all of these leaf hashes (RFC 6962, 2.1.1).</summary>
    public static IReadOnlyList<byte[]> InclusionProof(IReadOnlyList<byte[]> leafHashes, int index)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, leafHashes.Count);
        var proof = new List<byte[]>();
        Path(leafHashes, index, 0, leafHashes.Count, proof);
        return proof;
    }

    /// <summary>
    /// The proof that the tree over the first <paramref name="oldSize"/> leaves is a prefix of the tree over all of
    /// them (RFC 6962, 2.1.2). Empty when the sizes are equal.
    /// </summary>
    public static IReadOnlyList<byte[]> ConsistencyProof(IReadOnlyList<byte[]> leafHashes, int oldSize)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(oldSize, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(oldSize, leafHashes.Count);
        var proof = new List<byte[]>();
        SubProof(leafHashes, oldSize, 0, leafHashes.Count, whole: true, proof);
        return proof;
    }

    /// <summary>Whether the proof leads from the leaf at this index to the root of a tree of this size.</summary>
    public static bool VerifyInclusion(
        ReadOnlySpan<byte> leafHash, long index, long size, IReadOnlyList<byte[]> proof, ReadOnlySpan<byte> root)
    {
        // RFC 9162, 2.1.3.2, which spells out the check that RFC 6962 leaves to the reader.
        if (index < 0 || index >= size || leafHash.Length != HashSize || root.Length != HashSize)
        {
            return false;
        }

        var (fn, sn) = (index, size - 1);
        Span<byte> running = stackalloc byte[HashSize];
        leafHash.CopyTo(running);
        foreach (var step in proof)
        {
            if (sn == 0 || step is not { Length: HashSize })
            {
                return false;
            }

            if ((fn & 1) == 1 || fn == sn)
            {
                NodeHash(step, running, running);
                while ((fn & 1) == 0 && fn != 0)
                {
                    fn >>= 1;
                    sn >>= 1;
                }
            }
            else
            {
                NodeHash(running, step, running);
            }

            fn >>= 1;
            sn >>= 1;
        }

        return sn == 0 && running.SequenceEqual(root);
    }

    /// <summary>Whether the proof shows that the older tree is a prefix of the newer one.</summary>
    public static bool VerifyConsistency(
        long oldSize, long newSize, IReadOnlyList<byte[]> proof, ReadOnlySpan<byte> oldRoot, ReadOnlySpan<byte> newRoot)
    {
        if (oldSize < 1 || newSize < oldSize)
        {
            return false;
        }

        if (oldSize == newSize)
        {
            return proof.Count == 0 && oldRoot.SequenceEqual(newRoot);
        }

        if (oldRoot.Length != HashSize || newRoot.Length != HashSize)
        {
            return false;
        }

        // RFC 9162, 2.1.4.2: an old tree that is one complete subtree is not repeated in the proof.
        var next = 0;
        var (fn, sn) = (oldSize - 1, newSize - 1);
        while ((fn & 1) == 1)
        {
            fn >>= 1;
            sn >>= 1;
        }

        Span<byte> older = stackalloc byte[HashSize];
        Span<byte> newer = stackalloc byte[HashSize];
        if (BitOperations.IsPow2(oldSize))
        {
            oldRoot.CopyTo(older);
        }
        else
        {
            if (proof.Count == 0 || proof[0] is not { Length: HashSize })
            {
                return false;
            }

            proof[next++].CopyTo(older);
        }

        older.CopyTo(newer);
        for (; next < proof.Count; next++)
        {
            var step = proof[next];
            if (sn == 0 || step is not { Length: HashSize })
            {
                return false;
            }

            if ((fn & 1) == 1 || fn == sn)
            {
                NodeHash(step, older, older);
                NodeHash(step, newer, newer);
                while ((fn & 1) == 0 && fn != 0)
                {
                    fn >>= 1;
                    sn >>= 1;
                }
            }
            else
            {
                NodeHash(newer, step, newer);
            }

            fn >>= 1;
            sn >>= 1;
        }

        return sn == 0 && older.SequenceEqual(oldRoot) && newer.SequenceEqual(newRoot);
    }

    private static byte[] Subtree(IReadOnlyList<byte[]> leaves, int from, int count)
    {
        if (count == 1)
        {
            RequireHash(leaves[from]);
            return leaves[from].AsSpan().ToArray();
        }

        var left = Split(count);
        return NodeHash(Subtree(leaves, from, left), Subtree(leaves, from + left, count - left));
    }

    private static void Path(IReadOnlyList<byte[]> leaves, int index, int from, int count, List<byte[]> proof)
    {
        if (count == 1)
        {
            return;
        }

        var left = Split(count);
        if (index < left)
        {
            Path(leaves, index, from, left, proof);
            proof.Add(Subtree(leaves, from + left, count - left));
        }
        else
        {
            Path(leaves, index - left, from + left, count - left, proof);
            proof.Add(Subtree(leaves, from, left));
        }
    }

    private static void SubProof(
        IReadOnlyList<byte[]> leaves, int oldSize, int from, int count, bool whole, List<byte[]> proof)
    {
        if (oldSize == count)
        {
            if (!whole)
            {
                proof.Add(Subtree(leaves, from, count));
            }

            return;
        }

        var left = Split(count);
        if (oldSize <= left)
        {
            SubProof(leaves, oldSize, from, left, whole, proof);
            proof.Add(Subtree(leaves, from + left, count - left));
        }
        else
        {
            SubProof(leaves, oldSize - left, from + left, count - left, whole: false, proof);
            proof.Add(Subtree(leaves, from, left));
        }
    }

    /// <summary>The largest power of two below the count.</summary>
    private static int Split(int count) => 1 << BitOperations.Log2((uint)(count - 1));

    private static void RequireHash(ReadOnlySpan<byte> hash)
    {
        if (hash.Length != HashSize)
        {
            throw new ArgumentException("A hash is exactly 32 bytes.", nameof(hash));
        }
    }
}
