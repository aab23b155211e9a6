using Mangrove.Sealing;

namespace Mangrove.Tests.Sealing;

/// <summary>The container of backups: nothing that was cut, moved, mixed or changed opens (threats B2).</summary>
public sealed class ArchiveTests
{
    private static readonly ArchiveHeader Header = new(
        ArchiveKind.Data, Guid.Parse("a1a1a1a1-0000-4000-8000-000000000001"), Guid.Parse("b2b2b2b2-0000-4000-8000-000000000002"), Guid.Parse("c3c3c3c3-0000-4000-8000-000000000003"), DateTimeOffset.UnixEpoch.AddDays(20000), new byte[32]);

    [Fact]
    public void What_was_written_is_read_back_in_order_and_by_place()
    {
        using var key = KeyMaterial.Generate();
        byte[][] contents = [[], [1, 2, 3], new SeededBytes(1).Bytes(Archive.LongestChunk), [9]];
        var (bytes, places) = Written(key, Header, contents);

        using var reader = Reader(bytes, key);
        Assert.Equal(Header.Id, reader.Header.Id);
        Assert.Equal(contents, ReadAll(reader));

        foreach (var at in new[] { 3, 0, 2, 1 })
        {
            var back = new byte[contents[at].Length];
            reader.Read(places[at], back);
            Assert.Equal(contents[at], back);
        }
    }

    [Fact]
    public void Every_prefix_every_flipped_bit_and_anything_after_the_end_is_refused()
    {
        using var key = KeyMaterial.Generate();
        var (bytes, _) = Written(key, Header, [[1, 2, 3, 4, 5], [], [6, 7, 8]]);
        for (var length = 0; length < bytes.Length; length++)
        {
            Refused(bytes[..length], key);
        }

        for (var bit = 0; bit < bytes.Length * 8; bit++)
        {
            var mutant = (byte[])bytes.Clone();
            mutant[bit / 8] ^= (byte)(1 << (bit % 8));
            Refused(mutant, key);
        }

        Refused([.. bytes, 0], key);
    }

    [Fact]
    public void Chunks_in_another_order_from_another_archive_or_from_its_middle_are_refused()
    {
        using var key = KeyMaterial.Generate();
        var (bytes, places) = Written(key, Header, [[1, 1, 1, 1], [2, 2, 2, 2], [3, 3, 3, 3]]);
        var (other, _) = Written(key, Header with { Id = Mangrove.Kernel.Ids.New() }, [[1, 1, 1, 1], [2, 2, 2, 2], [3, 3, 3, 3]]);
        var size = Archive.SizeOf(4);
        byte[] Chunk(byte[] of, int at) => of.AsSpan((int)places[at].Offset, size).ToArray();

        var head = bytes[..ArchiveHeader.Size];
        Refused([.. head, .. Chunk(bytes, 1), .. Chunk(bytes, 0), .. Chunk(bytes, 2)], key);
        Refused([.. head, .. Chunk(bytes, 0), .. Chunk(bytes, 2)], key);
        Refused([.. head, .. Chunk(bytes, 0), .. Chunk(bytes, 0), .. Chunk(bytes, 2)], key);
        Refused([.. head, .. Chunk(bytes, 2)], key);
        for (var at = 0; at < 3; at++)
        {
            var spliced = (byte[])bytes.Clone();
            Chunk(other, at).CopyTo(spliced, places[at].Offset);
            Refused(spliced, key);
        }

        Refused([.. other[..ArchiveHeader.Size], .. bytes[ArchiveHeader.Size..]], key);
        using var reader = Reader(bytes, key);
        Assert.Throws<SealBroken>(() => reader.Read(places[1] with { Index = 0 }, new byte[4]));
        Assert.Throws<SealBroken>(() => reader.Read(places[1] with { Length = 3 }, new byte[4]));
        Assert.Throws<SealBroken>(() => reader.Read(places[1] with { Offset = places[1].Offset + 1 }, new byte[4]));
        Assert.Throws<SealBroken>(() => reader.Read(places[1] with { Offset = bytes.Length }, new byte[4]));
        Assert.Throws<SealBroken>(() => reader.Read(places[1] with { Offset = -1 }, new byte[4]));
    }

    [Fact]
    public void Another_key_opens_nothing_and_a_finished_archive_takes_nothing_more()
    {
        using var key = KeyMaterial.Generate();
        using var other = KeyMaterial.Generate();
        var (bytes, _) = Written(key, Header, [[1]]);
        Refused(bytes, other);

        using var writer = new ArchiveWriter(new MemoryStream(), key, Header, leaveOpen: false);
        Assert.Throws<ArgumentOutOfRangeException>(() => writer.Write(new byte[Archive.LongestChunk + 1]));
        writer.Finish([1]);
        Assert.Throws<InvalidOperationException>(() => writer.Write([2]));
        Assert.Throws<InvalidOperationException>(() => (Header with { Bound = new byte[31] }).ToBytes());
    }

    [Fact]
    public void No_two_chunks_of_an_archive_share_a_nonce()
    {
        // The same content under the same key and header: equal bytes anywhere would mean an equal nonce.
        using var key = KeyMaterial.Generate();
        var (bytes, places) = Written(key, Header, [.. Enumerable.Repeat(new byte[64], 500)]);
        var bodies = places.Select(place => Convert.ToHexString(bytes, (int)place.Offset + 4, 64));
        Assert.Equal(500, bodies.Distinct(StringComparer.Ordinal).Count());
    }

    private static (byte[] Bytes, List<ArchivePlace> Places) Written(KeyMaterial key, ArchiveHeader header, byte[][] contents)
    {
        var target = new MemoryStream();
        using var writer = new ArchiveWriter(target, key, header, leaveOpen: false);
        var places = contents.Take(contents.Length - 1).Select(content => writer.Write(content)).ToList();
        places.Add(writer.Finish(contents[^1]));
        Assert.Equal(target.Length, writer.Length);
        return (target.ToArray(), places);
    }

    private static ArchiveReader Reader(byte[] bytes, KeyMaterial key) => new(new MemoryStream(bytes), _ => KeyMaterial.From(key.Bytes));

    private static List<byte[]> ReadAll(ArchiveReader reader)
    {
        var all = new List<byte[]>();
        while (reader.Next(out var content))
        {
            all.Add(content.ToArray());
        }

        return all;
    }

    private static void Refused(byte[] bytes, KeyMaterial key) => Assert.Throws<SealBroken>(() =>
    {
        using var reader = Reader(bytes, key);
        ReadAll(reader);
    });
}
