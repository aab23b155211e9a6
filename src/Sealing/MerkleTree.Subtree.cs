using System.Numerics;

namespace Mangrove.Sealing;

/// <summary>
/// Proofs about a part of the tree, the leaves <c>[start, end)</c>: what a reader of one stretch of the log needs to
/// check it against a signed root (draft-ietf-plants-merkle-tree-certs, section 4).
/// </summary>
public static partial class MerkleTree
{
    /// <summary>
    /// Whether <c>[start, end)</c> is a subtree that has a hash of its own: not empty, and its start is a multiple of
    /// its length rounded up to a power of two.
    /// </summary>
    public static bool IsSubtree(long start, long end) =>
        start >= 0 && end > start
        && (start & (long)(BitOperations.RoundUpToPowerOf2((ulong)(end - start)) - 1)) == 0;

    /// <summary>Whether the proof leads from the leaf at this index of the whole tree to the subtree's hash.</summary>
    public static bool VerifySubtreeInclusion(
        ReadOnlySpan<byte> leafHash, long index, long start, long end, IReadOnlyList<byte[]> proof,
        ReadOnlySpan<byte> subtreeHash) =>
        IsSubtree(start, end) && index >= start
        && VerifyInclusion(leafHash, index - start, end - start, proof, subtreeHash);

    /// <summary>
    /// Whether the proof shows that the subtree is part of the tree of this size. An empty subtree is part of every
    /// tree that is long enough.
    /// </summary>
    public static bool VerifySubtreeConsistency(
        long start, long end, long size, IReadOnlyList<byte[]> proof, ReadOnlySpan<byte> subtreeHash,
        ReadOnlySpan<byte> root)
    {
        if (start < 0 || end < start || size < end)
        {
            return false;
        }

        if (start == end)
        {
            return proof.Count == 0 && subtreeHash.SequenceEqual(EmptyRoot());
        }

        if (!IsSubtree(start, end))
        {
            return false;
        }

        if (start == 0 && end == size)
        {
            return proof.Count == 0 && subtreeHash.SequenceEqual(root);
        }

        return subtreeHash.Length == HashSize && root.Length == HashSize
            && Climb(start, end - 1, size - 1, proof, subtreeHash, root);
    }

    /// <summary>The draft's names: fn and sn are the subtree's first and last node at a level, tn the tree's last.</summary>
    private static bool Climb(
        long fn, long sn, long tn, IReadOnlyList<byte[]> proof, ReadOnlySpan<byte> subtreeHash, ReadOnlySpan<byte> root)
    {
        while (fn != sn && (sn == tn || (sn & 1) == 1))
        {
            (fn, sn, tn) = (fn >> 1, sn >> 1, tn >> 1);
        }

        var next = 0;
        Span<byte> part = stackalloc byte[HashSize];
        Span<byte> whole = stackalloc byte[HashSize];
        if (fn == sn)
        {
            subtreeHash.CopyTo(part);
        }
        else if (proof.Count > 0 && proof[0] is { Length: HashSize })
        {
            proof[next++].CopyTo(part);
        }
        else
        {
            return false;
        }

        part.CopyTo(whole);
        for (; next < proof.Count; next++)
        {
            var step = proof[next];
            if (tn == 0 || step is not { Length: HashSize })
            {
                return false;
            }

            if ((sn & 1) == 1 || sn == tn)
            {
                if (fn < sn)
                {
                    NodeHash(step, part, part);
                }

                NodeHash(step, whole, whole);
                while ((sn & 1) == 0 && sn != 0)
                {
                    (fn, sn, tn) = (fn >> 1, sn >> 1, tn >> 1);
                }
            }
            else
            {
                NodeHash(whole, step, whole);
            }

            (fn, sn, tn) = (fn >> 1, sn >> 1, tn >> 1);
        }

        return tn == 0 && part.SequenceEqual(subtreeHash) && whole.SequenceEqual(root);
    }
}
