using System.Text.Json;
using Mangrove.Sealing;

namespace Mangrove.Tests.Sealing;

public sealed class MerkleTests
{
    // Inputs and roots of the reference implementation's test tree, recomputed from RFC 6962 section 2.1.
    private static readonly string[] Inputs =
        ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];

    private static readonly string[] Roots =
    [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];

    private static List<byte[]> Leaves(int count) =>
        [.. Enumerable.Range(0, count).Select(i => MerkleTree.LeafHash(i < 8 ? Convert.FromHexString(Inputs[i]) : BitConverter.GetBytes(i)))];

    [Fact]
    public void Roots_of_the_published_tree_are_met_by_the_tree_and_by_the_frontier()
    {
        var frontier = new MerkleFrontier();
        for (var size = 0; size <= 8; size++)
        {
            Assert.Equal(Roots[size], Convert.ToHexStringLower(MerkleTree.Root(Leaves(size))));
            Assert.Equal(Roots[size], Convert.ToHexStringLower(frontier.Root()));
            if (size < 8)
            {
                frontier.Append(MerkleTree.LeafHash(Convert.FromHexString(Inputs[size])));
            }
        }
    }

    [Fact]
    public void Every_inclusion_proof_verifies_at_its_own_place_and_nowhere_else()
    {
        for (var size = 1; size <= 33; size++)
        {
            var leaves = Leaves(size);
            var root = MerkleTree.Root(leaves);
            for (var index = 0; index < size; index++)
            {
                var proof = MerkleTree.InclusionProof(leaves, index);
                for (var claimed = 0; claimed < size; claimed++)
                {
                    Assert.Equal(claimed == index, MerkleTree.VerifyInclusion(leaves[index], claimed, size, proof, root));
                }

                Assert.False(MerkleTree.VerifyInclusion(leaves[index], index, size, [.. proof, root], root));
                Assert.False(MerkleTree.VerifyInclusion(root, index, size, proof, leaves[index]) && size > 1);
            }
        }
    }

    [Fact]
    public void Every_consistency_proof_verifies_between_its_own_trees_only()
    {
        var leaves = Leaves(33);
        var roots = Enumerable.Range(0, 34).Select(n => MerkleTree.Root(leaves[..n])).ToArray();
        for (var newer = 1; newer <= 33; newer++)
        {
            for (var older = 1; older <= newer; older++)
            {
                var proof = MerkleTree.ConsistencyProof(leaves[..newer], older);
                Assert.True(MerkleTree.VerifyConsistency(older, newer, proof, roots[older], roots[newer]));
                if (older == newer)
                {
                    continue;
                }

                Assert.False(MerkleTree.VerifyConsistency(older, newer, proof, roots[older - 1], roots[newer]));
                Assert.False(MerkleTree.VerifyConsistency(older, newer, proof, roots[older], roots[newer - 1]));
                Assert.False(MerkleTree.VerifyConsistency(older, newer, [.. proof, roots[1]], roots[older], roots[newer]));
                for (var step = 0; step < proof.Count; step++)
                {
                    var changed = proof.Select(hash => (byte[])hash.Clone()).ToList();
                    changed[step][5] ^= 1;
                    Assert.False(MerkleTree.VerifyConsistency(older, newer, changed, roots[older], roots[newer]));
                }
            }
        }
    }

    [Fact]
    public void A_frontier_equals_the_tree_at_every_size_and_survives_being_stored_and_cloned()
    {
        var leaves = Leaves(200);
        var frontier = new MerkleFrontier();
        for (var size = 0; size < 200; size++)
        {
            Assert.Equal(size, frontier.Size);
            Assert.Equal(MerkleTree.Root(leaves[..size]), frontier.Root());

            var clone = frontier.Clone();
            clone.Append(leaves[0]);
            Assert.Equal(size, frontier.Size);
            frontier = MerkleFrontier.From(frontier.ToBytes());
            frontier.Append(leaves[size]);
        }
    }

    [Fact]
    public void Damaged_frontier_bytes_are_refused()
    {
        var frontier = new MerkleFrontier();
        frontier.Append(new byte[32]);
        var bytes = frontier.ToBytes();
        foreach (var damaged in new[] { [], bytes[..^1], [.. bytes, 0], [2, .. bytes[1..]], [1, 0xff, .. bytes[2..]], [.. bytes[..8], 3, .. bytes[9..]] })
        {
            Assert.Throws<SealBroken>(() => MerkleFrontier.From(damaged));
        }
    }

    [Fact]
    public void A_leaf_never_passes_for_a_node()
    {
        var leaves = Leaves(2);
        byte[] joined = [.. leaves[0], .. leaves[1]];
        Assert.NotEqual(MerkleTree.Root(leaves), MerkleTree.LeafHash(joined));
    }

    [Fact]
    public void Published_vectors_are_judged_as_published()
    {
        var all = VectorFile.Read("merkle-rfc6962/all.json");
        var judged = 0;
        foreach (var test in all.GetProperty("inclusion").EnumerateArray())
        {
            var verdict = Size(test, "leafIdx") is { } index && Size(test, "treeSize") is { } size
                && MerkleTree.VerifyInclusion(Base64(test, "leafHash"), index, size, Proof(test), Base64(test, "root"));
            Assert.True(verdict != test.GetProperty("wantErr").GetBoolean(), test.Text("name"));
            judged++;
        }

        foreach (var test in all.GetProperty("consistency").EnumerateArray())
        {
            var verdict = Size(test, "size1") is { } older && Size(test, "size2") is { } newer
                && MerkleTree.VerifyConsistency(older, newer, Proof(test), Base64(test, "root1"), Base64(test, "root2"));
            Assert.True(verdict != test.GetProperty("wantErr").GetBoolean(), test.Text("name"));
            judged++;
        }

        foreach (var test in all.GetProperty("subtreeinclusion").EnumerateArray())
        {
            var verdict = Size(test, "leafIdx") is { } index && Size(test, "start") is { } start && Size(test, "end") is { } end
                && MerkleTree.VerifySubtreeInclusion(Base64(test, "leafHash"), index, start, end, Proof(test), Base64(test, "root"));
            Assert.True(verdict != test.GetProperty("wantErr").GetBoolean(), test.Text("name"));
            judged++;
        }

        foreach (var test in all.GetProperty("subtreeconsistency").EnumerateArray())
        {
            var verdict = Size(test, "start") is { } start && Size(test, "end") is { } end && Size(test, "size") is { } size
                && MerkleTree.VerifySubtreeConsistency(start, end, size, Proof(test), Base64(test, "root1"), Base64(test, "root2"));
            Assert.True(verdict != test.GetProperty("wantErr").GetBoolean(), test.Text("name"));
            judged++;
        }

        Assert.Equal(518, judged);
    }

    /// <summary>Null for a size beyond 2^63 - 1, which no log of ours can have.</summary>
    private static long? Size(JsonElement test, string name) =>
        test.GetProperty(name).TryGetInt64(out var size) ? size : null;

    private static byte[] Base64(JsonElement test, string name) =>
        test.GetProperty(name) is { ValueKind: JsonValueKind.String } text ? Convert.FromBase64String(text.GetString()!) : [];

    private static List<byte[]> Proof(JsonElement test) =>
        test.GetProperty("proof") is { ValueKind: JsonValueKind.Array } steps
            ? [.. steps.EnumerateArray().Select(step => Convert.FromBase64String(step.GetString()!))]
            : [];
}
