using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Mangrove.Verifier;

/// <summary>
/// The tree of RFC 6962, section 2.1, grown leaf by leaf: of each complete subtree only the root is kept. Proofs are
/// verified as RFC 9162 spells it out, 2.1.3.2 and 2.1.4.2.
/// </summary>
internal sealed class HashTree
{
    private const int Hash = 32;

    private readonly byte[] roots = new byte[64 * Hash];
    private int kept;

    public long Size { get; private set; }

    /// <summary>SHA-256(00, entry): leaf of the tree and link of the chain at once.</summary>
    public static void Leaf(ReadOnlySpan<byte> entry, Span<byte> leaf)
    {
        if (entry.Length < 1024)
        {
            Span<byte> hashed = stackalloc byte[1024];
            hashed[0] = 0;
            entry.CopyTo(hashed[1..]);
            SHA256.HashData(hashed[..(entry.Length + 1)], leaf);
            return;
        }

        var large = new byte[entry.Length + 1];
        entry.CopyTo(large.AsSpan(1));
        SHA256.HashData(large, leaf);
    }

    public static void Node(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right, Span<byte> node)
    {
        Span<byte> hashed = stackalloc byte[1 + Hash + Hash];
        hashed[0] = 1;
        left.CopyTo(hashed[1..]);
        right.CopyTo(hashed[(1 + Hash)..]);
        SHA256.HashData(hashed, node);
    }

    public void Append(ReadOnlySpan<byte> leaf)
    {
        leaf.CopyTo(roots.AsSpan(kept++ * Hash));
        Size++;

        // As many complete subtrees of one size meet as the new size has zero bits at its end.
        for (var meeting = Size; (meeting & 1) == 0; meeting >>= 1)
        {
            kept--;
            var left = roots.AsSpan((kept - 1) * Hash, Hash);
            Node(left, roots.AsSpan(kept * Hash, Hash), left);
        }
    }

    public byte[] Root()
    {
        if (kept == 0)
        {
            return SHA256.HashData([]);
        }

        var root = roots.AsSpan((kept - 1) * Hash, Hash).ToArray();
        for (var index = kept - 2; index >= 0; index--)
        {
            Node(roots.AsSpan(index * Hash, Hash), root, root);
        }

        return root;
    }

    /// <summary>Whether the stored frontier (docs/formats/log-tree.md) is this tree's.</summary>
    public bool Matches(ReadOnlySpan<byte> frontier) =>
        frontier.Length == 9 + (kept * Hash) && frontier[0] == 1 && BinaryPrimitives.ReadInt64BigEndian(frontier[1..]) == Size
        && frontier[9..].SequenceEqual(roots.AsSpan(0, kept * Hash));

    /// <summary>Whether the leaf stands at the index of the tree with this root (RFC 9162, 2.1.3.2).</summary>
    public static bool Includes(ReadOnlySpan<byte> leaf, long index, long size, IReadOnlyList<byte[]> path, ReadOnlySpan<byte> root)
    {
        if (index < 0 || index >= size)
        {
            return false;
        }

        long place = index, last = size - 1;
        var hash = leaf.ToArray();
        foreach (var step in path)
        {
            if (last == 0 || step.Length != Hash)
            {
                return false;
            }

            if ((place & 1) == 1 || place == last)
            {
                Node(step, hash, hash);
                while ((place & 1) == 0 && place != 0)
                {
                    place >>= 1;
                    last >>= 1;
                }
            }
            else
            {
                Node(hash, step, hash);
            }

            place >>= 1;
            last >>= 1;
        }

        return last == 0 && hash.AsSpan().SequenceEqual(root);
    }

    /// <summary>Whether the tree of the first root is a beginning of the tree of the second (RFC 9162, 2.1.4.2). An empty tree is a beginning of every tree and has no proof.</summary>
    public static bool Extends(long first, ReadOnlySpan<byte> firstRoot, long second, ReadOnlySpan<byte> secondRoot, IReadOnlyList<byte[]> path)
    {
        if (first < 1 || first > second || path.Any(step => step.Length != Hash))
        {
            return false;
        }

        if (first == second)
        {
            return path.Count == 0 && firstRoot.SequenceEqual(secondRoot);
        }

        if (path.Count == 0)
        {
            return false;
        }

        var next = 0;
        var start = long.IsPow2(first) ? firstRoot.ToArray() : path[next++];
        long place = first - 1, last = second - 1;
        while ((place & 1) == 1)
        {
            place >>= 1;
            last >>= 1;
        }

        byte[] old = [.. start], made = [.. start];
        for (; next < path.Count; next++)
        {
            var step = path[next];
            if (last == 0)
            {
                return false;
            }

            if ((place & 1) == 1 || place == last)
            {
                Node(step, old, old);
                Node(step, made, made);
                while ((place & 1) == 0 && place != 0)
                {
                    place >>= 1;
                    last >>= 1;
                }
            }
            else
            {
                Node(made, step, made);
            }

            place >>= 1;
            last >>= 1;
        }

        return last == 0 && old.AsSpan().SequenceEqual(firstRoot) && made.AsSpan().SequenceEqual(secondRoot);
    }
}
