using System.Buffers.Binary;

namespace Mangrove.Sealing;

/// <summary>What an archive holds.</summary>
public enum ArchiveKind
{
    /// <summary>Chunks of the hospital's databases and files, which are sealed field by field inside. Never changed once written.</summary>
    Data = 1,

    /// <summary>Keys that open a data archive. Rewritten when a key in it has to go.</summary>
    Keys = 2,
}

/// <summary>
/// The open beginning of an archive (docs/formats/archive.md): what it is, whose, and under which key. Every chunk is bound
/// to it, so a header of another archive opens nothing.
/// </summary>
/// <param name="Kind">What it holds.</param>
/// <param name="Facility">The hospital.</param>
/// <param name="Id">Random; names this archive in manifests.</param>
/// <param name="KeyId">Names the key that it was sealed with. A key MUST seal one archive only: its chunks are counted from 0.</param>
/// <param name="Created">When it was begun, to the millisecond.</param>
/// <param name="Bound">SHA-256 of what stands in the file before the header, or 32 zero bytes where nothing does.</param>
public sealed record ArchiveHeader(ArchiveKind Kind, Guid Facility, Guid Id, Guid KeyId, DateTimeOffset Created, ReadOnlyMemory<byte> Bound)
{
    /// <summary>Length in bytes.</summary>
    public const int Size = 4 + 2 + 2 + 16 + 16 + 16 + 8 + 32;

    private const ushort Format = 1;

    private static ReadOnlySpan<byte> Magic => "MGAR"u8;

    /// <summary>The header as it stands in the file.</summary>
    /// <exception cref="InvalidOperationException"><see cref="Bound"/> is not 32 bytes long.</exception>
    public byte[] ToBytes()
    {
        if (Bound.Length != 32)
        {
            throw new InvalidOperationException("An archive is bound to exactly 32 bytes.");
        }

        var bytes = new byte[Size];
        Magic.CopyTo(bytes);
        BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(4), Format);
        BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(6), (ushort)Kind);
        Facility.TryWriteBytes(bytes.AsSpan(8), bigEndian: true, out _);
        Id.TryWriteBytes(bytes.AsSpan(24), bigEndian: true, out _);
        KeyId.TryWriteBytes(bytes.AsSpan(40), bigEndian: true, out _);
        BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan(56), Created.ToUnixTimeMilliseconds());
        Bound.Span.CopyTo(bytes.AsSpan(64));
        return bytes;
    }

    /// <summary>Reads a header. Nothing in it is proven until a chunk has opened.</summary>
    /// <exception cref="SealBroken">It is no header of this format.</exception>
    public static ArchiveHeader Parse(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length != Size
            || !bytes.StartsWith(Magic)
            || BinaryPrimitives.ReadUInt16BigEndian(bytes[4..]) != Format
            || BinaryPrimitives.ReadUInt16BigEndian(bytes[6..]) is not ((ushort)ArchiveKind.Data or (ushort)ArchiveKind.Keys)
            || BinaryPrimitives.ReadInt64BigEndian(bytes[56..]) is < 0 or > 253_402_300_799_999)
        {
            throw new SealBroken();
        }

        return new ArchiveHeader(
            (ArchiveKind)BinaryPrimitives.ReadUInt16BigEndian(bytes[6..]),
            new Guid(bytes.Slice(8, 16), bigEndian: true),
            new Guid(bytes.Slice(24, 16), bigEndian: true),
            new Guid(bytes.Slice(40, 16), bigEndian: true),
            DateTimeOffset.FromUnixTimeMilliseconds(BinaryPrimitives.ReadInt64BigEndian(bytes[56..])),
            bytes[64..].ToArray());
    }
}

/// <summary>Where a chunk stands in an archive.</summary>
/// <param name="Index">Its number, from 0.</param>
/// <param name="Offset">Bytes from the header's beginning.</param>
/// <param name="Length">Length of its content in bytes.</param>
public readonly record struct ArchivePlace(int Index, long Offset, int Length);
