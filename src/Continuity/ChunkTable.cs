using System.Security.Cryptography;
using Mangrove.Sealing;

namespace Mangrove.Continuity;

/// <summary>The hash of a chunk's content, as a key of dictionaries.</summary>
internal readonly record struct ChunkHash(UInt128 High, UInt128 Low)
{
    public static ChunkHash Of(ReadOnlySpan<byte> content)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(content, hash);
        return From(hash);
    }

    public static ChunkHash From(ReadOnlySpan<byte> hash) => new(
        System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(hash),
        System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(hash[16..]));

    public void WriteTo(Span<byte> target)
    {
        System.Buffers.Binary.BinaryPrimitives.WriteUInt128BigEndian(target, High);
        System.Buffers.Binary.BinaryPrimitives.WriteUInt128BigEndian(target[16..], Low);
    }
}

/// <summary>A piece of a file: what it is and in which archive it lies.</summary>
internal readonly record struct ChunkEntry(ChunkHash Hash, Guid Archive, ArchivePlace Place);

/// <summary>A file of a backup, as the chunks that make it up in order.</summary>
internal sealed record TableFile(string Name, long Length, IReadOnlyList<ChunkEntry> Chunks);

/// <summary>Every file of a backup and where its chunks lie: sealed in the archive, its hash signed in the manifest.</summary>
internal sealed record ChunkTable(IReadOnlyList<TableFile> Files)
{
    private const byte Format = 1;

    public byte[] ToBytes(IReadOnlyList<Guid> archives)
    {
        var numbers = archives.Select((archive, at) => (archive, at)).ToDictionary(pair => pair.archive, pair => pair.at);
        var writer = new CanonicalWriter(Format).List(archives.Count);
        foreach (var archive in archives)
        {
            writer.Id(archive);
        }

        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        writer.List(Files.Count);
        foreach (var file in Files)
        {
            writer.Text(file.Name).Number(file.Length).List(file.Chunks.Count);
            foreach (var chunk in file.Chunks)
            {
                chunk.Hash.WriteTo(hash);
                writer.Bytes(hash).Number(numbers[chunk.Archive]).Number(chunk.Place.Index).Number(chunk.Place.Offset).Number(chunk.Place.Length);
            }
        }

        return writer.ToArray();
    }

    /// <exception cref="CanonicalBroken">The bytes are of another form.</exception>
    public static ChunkTable Parse(ReadOnlySpan<byte> bytes)
    {
        var reader = new CanonicalReader(bytes);
        if (reader.Version != Format)
        {
            throw new CanonicalBroken();
        }

        var archives = new Guid[reader.List()];
        for (var at = 0; at < archives.Length; at++)
        {
            archives[at] = reader.Id();
        }

        var files = new List<TableFile>();
        for (var left = reader.List(); left > 0; left--)
        {
            var name = reader.Text();
            var length = reader.Number();
            var chunks = new ChunkEntry[reader.List()];
            var sum = 0L;
            for (var at = 0; at < chunks.Length; at++)
            {
                var hash = reader.Bytes();
                var archive = reader.Number();
                var place = new ArchivePlace(checked((int)reader.Number()), reader.Number(), checked((int)reader.Number()));
                if (hash.Length != SHA256.HashSizeInBytes || archive < 0 || archive >= archives.Length || place.Length is < 1 or > Archive.LongestChunk)
                {
                    throw new CanonicalBroken();
                }

                chunks[at] = new ChunkEntry(ChunkHash.From(hash), archives[archive], place);
                sum += place.Length;
            }

            if (sum != length)
            {
                throw new CanonicalBroken();
            }

            files.Add(new TableFile(name, length, chunks));
        }

        reader.End();
        return new ChunkTable(files);
    }
}
