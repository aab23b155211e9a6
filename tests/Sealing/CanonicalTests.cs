using System.Security.Cryptography;
using Mangrove.Sealing;
using Mangrove.Tests.Shared;

namespace Mangrove.Tests.Sealing;

public sealed class CanonicalTests
{
    private static readonly Guid Id = Guid.Parse("0192f0c1-0000-4000-8000-000000000001");

    [Fact]
    public void Moving_a_letter_over_a_field_boundary_changes_the_bytes()
    {
        Assert.NotEqual(new CanonicalWriter(1).Text("ab").Text("c").ToArray(), new CanonicalWriter(1).Text("a").Text("bc").ToArray());
        Assert.NotEqual(new CanonicalWriter(1).Text("").ToArray(), new CanonicalWriter(1).Text((string?)null).ToArray());
        Assert.NotEqual(new CanonicalWriter(1).Texts(["a", "b"]).ToArray(), new CanonicalWriter(1).Texts(["a"]).Text("b").ToArray());
        Assert.NotEqual(new CanonicalWriter(1).Text("a").ToArray(), new CanonicalWriter(1).Bytes("a"u8).ToArray());
        Assert.NotEqual(new CanonicalWriter(1).Number(1).ToArray(), new CanonicalWriter(2).Number(1).ToArray());
    }

    [Fact]
    public void The_bytes_are_those_of_the_format_document()
    {
        var bytes = new CanonicalWriter(3).Null().Text("é").Bytes([0xff]).Number(-2).Flag(true).Id(Id)
            .Time(new DateTimeOffset(1, 1, 1, 1, 0, 0, TimeSpan.FromHours(1)).AddTicks(5)).Texts(["a"]).ToArray();
        Assert.Equal(
            "03" + "00" + "0100000002c3a9" + "0200000001ff" + "03fffffffffffffffe" + "0401"
            + "050192f0c1000040008000000000000001" + "060000000000000005" + "0700000001" + "010000000161",
            Convert.ToHexStringLower(bytes));
    }

    [Fact]
    public void What_was_written_is_read_back()
    {
        var time = new DateTimeOffset(2026, 11, 22, 1, 2, 3, TimeSpan.Zero);
        var bytes = new CanonicalWriter(9).Text("x").Text((string?)null).Bytes([1, 2]).Number(long.MinValue).Flag(false)
            .Id(Id).Time(time).Texts(["a", ""]).ToArray();
        var reader = new CanonicalReader(bytes);
        Assert.Equal(9, reader.Version);
        Assert.Equal("x", reader.Text());
        Assert.Null(reader.TextOrNull());
        Assert.Equal(new byte[] { 1, 2 }, reader.Bytes().ToArray());
        Assert.Equal(long.MinValue, reader.Number());
        Assert.False(reader.Flag());
        Assert.Equal(Id, reader.Id());
        Assert.Equal(time, reader.Time());
        Assert.Equal(["a", ""], reader.Texts());
        Assert.True(reader.AtEnd);
        reader.End();
    }

    [Fact]
    public void Half_of_a_surrogate_pair_is_refused_because_two_of_them_would_share_their_bytes()
    {
        Assert.ThrowsAny<ArgumentException>(() => new CanonicalWriter(1).Text("\ud800"));
        Assert.ThrowsAny<ArgumentException>(() => new CanonicalWriter(1).Text("\udfff"));
    }

    [Fact]
    public void Only_the_bytes_that_a_writer_makes_can_be_read()
    {
        var seeds = new SeededBytes(42);
        for (var round = 0; round < 20_000; round++)
        {
            var bytes = Record(seeds).ToArray();
            bytes[seeds.Below(bytes.Length)] ^= (byte)(1 << seeds.Below(8));
            byte[]? again = null;
            try
            {
                again = Copy(bytes);
            }
            catch (CanonicalBroken broken)
            {
                Assert.Equal("canonical.broken", broken.Code);
            }

            if (again is not null)
            {
                Assert.Equal(bytes, again);
            }
        }
    }

    [Fact]
    public void Two_different_records_never_share_their_bytes()
    {
        var pairs = SharedData.Full ? 1_000_000 : 50_000;
        var seeds = new SeededBytes(7);
        for (var pair = 0; pair < pairs; pair++)
        {
            // Two ways to cut one text into fields, the classic collision, and two unrelated records.
            var whole = Convert.ToBase64String(seeds.Bytes(9));
            var (first, second) = (seeds.Below(whole.Length + 1), seeds.Below(whole.Length + 1));
            var one = new CanonicalWriter(1).Text(whole[..first]).Text(whole[first..]);
            var two = new CanonicalWriter(1).Text(whole[..second]).Text(whole[second..]);
            Assert.Equal(first == second, one.Written.SequenceEqual(two.Written));

            var (left, right) = (new List<object?>(), new List<object?>());
            var leftBytes = Record(seeds, left);
            var rightBytes = Record(seeds, right);
            Assert.Equal(left.SequenceEqual(right), leftBytes.Written.SequenceEqual(rightBytes.Written));
        }
    }

    [Fact]
    public void A_chain_hash_covers_every_entry_before_it()
    {
        var chain = HashChain.Genesis.ToArray();
        Assert.Equal(
            Convert.ToHexStringLower(SHA256.HashData([0x02, .. new byte[32], .. "entry"u8])),
            Convert.ToHexStringLower(HashChain.Next(chain, "entry"u8)));
        foreach (var size in new[] { 0, 1, 1_000, 1_023, 1_024, 5_000 })
        {
            var entry = new byte[size];
            Assert.Equal(SHA256.HashData([0x02, .. chain, .. entry]), HashChain.Next(chain, entry));
            Assert.Equal(SHA256.HashData([0x00, .. entry]), MerkleTree.LeafHash(entry));
            HashChain.Next(chain, entry, chain);
        }

        Assert.Throws<ArgumentException>(() => HashChain.Next(new byte[31], []));
    }

    private static CanonicalWriter Record(SeededBytes seeds, List<object?>? values = null)
    {
        var writer = new CanonicalWriter(1);
        for (var fields = seeds.Below(4); fields >= 0; fields--)
        {
            object? value = null;
            switch (seeds.Below(6))
            {
                case 0:
                    var text = new string((char)('a' + seeds.Below(2)), seeds.Below(3));
                    writer.Text(text);
                    value = text;
                    break;
                case 1:
                    var number = (long)seeds.Below(3);
                    writer.Number(number);
                    value = number;
                    break;
                case 2:
                    var flag = seeds.Below(2) == 1;
                    writer.Flag(flag);
                    value = flag;
                    break;
                case 3:
                    var id = new Guid(seeds.Below(2), 0, 0, new byte[8]);
                    writer.Id(id);
                    value = id;
                    break;
                case 4:
                    var bytes = new byte[seeds.Below(3)];
                    writer.Bytes(bytes);
                    value = ("bytes", bytes.Length);
                    break;
                default:
                    writer.Null();
                    break;
            }

            values?.Add(value);
        }

        return writer;
    }

    /// <summary>Reads a record field by field, led by the type bytes, and writes it again.</summary>
    private static byte[] Copy(byte[] bytes)
    {
        var reader = new CanonicalReader(bytes);
        var writer = new CanonicalWriter(reader.Version);
        while (!reader.AtEnd)
        {
            switch (bytes[writer.Written.Length])
            {
                case 0 when reader.TryNull():
                    writer.Null();
                    break;
                case 1:
                    writer.Text(reader.Text());
                    break;
                case 2:
                    writer.Bytes(reader.Bytes());
                    break;
                case 3:
                    writer.Number(reader.Number());
                    break;
                case 4:
                    writer.Flag(reader.Flag());
                    break;
                case 6:
                    writer.Time(reader.Time());
                    break;
                case 7:
                    writer.List(reader.List());
                    break;
                default:
                    writer.Id(reader.Id());
                    break;
            }
        }

        reader.End();
        return writer.ToArray();
    }
}
