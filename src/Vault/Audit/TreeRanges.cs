using System.Numerics;
using Mangrove.Sealing;

namespace Mangrove.Vault.Audit;

/// <summary>
/// Proofs of RFC 6962, section 2.1, as the ranges of leaves whose subtree roots they are made of. The ranges of one proof
/// do not overlap, so one pass over the log computes all of them and holds no leaf.
/// </summary>
internal static class TreeRanges
{
    /// <summary>PATH(index, D[size]), from the leaf's sibling up.</summary>
    public static IReadOnlyList<(long Start, long End)> Inclusion(long index, long size)
    {
        var ranges = new List<(long, long)>();
        long start = 0, end = size;
        while (end - start > 1)
        {
            var middle = start + Split(end - start);
            ranges.Add(index < middle ? (middle, end) : (start, middle));
            (start, end) = index < middle ? (start, middle) : (middle, end);
        }

        ranges.Reverse();
        return ranges;
    }

    /// <summary>PROOF(old, D[size]); empty when the sizes are equal or the old one is 0.</summary>
    public static IReadOnlyList<(long Start, long End)> Consistency(long old, long size)
    {
        var ranges = new List<(long, long)>();
        if (old == 0 || old == size)
        {
            return ranges;
        }

        // SUBPROOF(m, D[n], b): whole stays true while the old tree fills the left side from its first leaf.
        long start = 0, end = size;
        var whole = true;
        while (old != end)
        {
            var middle = start + Split(end - start);
            if (old <= middle)
            {
                ranges.Add((middle, end));
                end = middle;
            }
            else
            {
                ranges.Add((start, middle));
                start = middle;
                whole = false;
            }
        }

        if (!whole)
        {
            ranges.Add((start, end));
        }

        ranges.Reverse();
        return ranges;
    }

    /// <summary>The subtree root of each range, in the order given.</summary>
    public static IReadOnlyList<byte[]> Roots(AuditSource source, IReadOnlyList<(long Start, long End)> ranges, CancellationToken cancellation)
    {
        var order = ranges.Select((range, index) => (range.Start, range.End, Index: index)).OrderBy(range => range.Start).ToList();
        var roots = new byte[ranges.Count][];
        var chunk = new EntryChunk();
        foreach (var (start, end, index) in order)
        {
            // Sequence numbers begin at 1, leaves at 0.
            var tree = new MerkleFrontier();
            source.Start(start, end);
            while (source.Fill(chunk))
            {
                cancellation.ThrowIfCancellationRequested();
                chunk.Hash();
                for (var row = 0; row < chunk.Count; row++)
                {
                    tree.Append(chunk.Leaf(row));
                }
            }

            if (tree.Size != end - start)
            {
                throw new Kernel.RefusedInput("audit.sequence", "Entries of the audit log are missing. Run 'mangrove audit verify' to see which.");
            }

            roots[index] = tree.Root();
        }

        return roots;
    }

    // The largest power of two below n.
    private static long Split(long n) => 1L << BitOperations.Log2((ulong)(n - 1));
}
