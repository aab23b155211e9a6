using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Mangrove.Sealing;

/// <summary>
/// The chunks of an archive: AES-256-GCM, each bound to the header, to its number and length, and to whether it is the
/// last one (the STREAM construction). So an archive that was cut off, put in another order, mixed with another one or
/// changed in one bit does not open. The bytes are docs/formats/archive.md.
/// </summary>
/// <remarks>Nonces are the chunks' numbers: a key seals one archive and is never used again, which its maker sees to.</remarks>
public static class Archive
{
    /// <summary>The most content of one chunk, in bytes.</summary>
    public const int LongestChunk = 1024 * 1024;

    internal const int FrameSize = 4;
    internal const uint FinalBit = 0x8000_0000;
    internal const int AssociatedSize = 32 + FrameSize;

    /// <summary>How many bytes of the file a chunk of this content takes.</summary>
    public static int SizeOf(int content) => FrameSize + content + Envelope.TagSize;

    internal static void WriteNonce(Span<byte> nonce, int index, bool final)
    {
        nonce.Clear();
        BinaryPrimitives.WriteInt64BigEndian(nonce, index);
        nonce[^1] = final ? (byte)1 : (byte)0;
    }
}

/// <summary>Writes one archive, chunk after chunk. What was not finished does not open. Not safe for concurrent use.</summary>
public sealed class ArchiveWriter : IDisposable
{
    private readonly Stream target;
#pragma warning disable CA2213 // The caller's to zero: the same key goes into the bundle that opens this archive.
    private readonly KeyMaterial key;
#pragma warning restore CA2213
    private readonly bool leaveOpen;
    private readonly byte[] associated = new byte[Archive.AssociatedSize];
    private readonly byte[] frame = GC.AllocateUninitializedArray<byte>(Archive.SizeOf(Archive.LongestChunk));
    private int index;
    private long offset;
    private bool finished;

    /// <summary>Begins an archive by writing its header.</summary>
    /// <param name="target">Where it goes. What makes it durable is the caller's to do.</param>
    /// <param name="key">Sealed nothing before, and will seal nothing after. Stays the caller's to zero.</param>
    /// <param name="header">What it is.</param>
    /// <param name="leaveOpen">Whether the target stays open when the writer is disposed.</param>
    public ArchiveWriter(Stream target, KeyMaterial key, ArchiveHeader header, bool leaveOpen)
    {
        ArgumentNullException.ThrowIfNull(target);
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(header);
        this.target = target;
        this.key = key;
        this.leaveOpen = leaveOpen;
        Header = header;
        var bytes = header.ToBytes();
        SHA256.HashData(bytes, associated);
        target.Write(bytes);
        offset = bytes.Length;
    }

    /// <summary>What it is.</summary>
    public ArchiveHeader Header { get; }

    /// <summary>Bytes written so far, the header among them.</summary>
    public long Length => offset;

    /// <summary>Seals and writes one chunk.</summary>
    /// <param name="content">At most <see cref="Archive.LongestChunk"/> bytes.</param>
    /// <returns>Where it stands.</returns>
    public ArchivePlace Write(ReadOnlySpan<byte> content) => Put(content, final: false);

    /// <summary>Writes the last chunk; nothing follows it. It may be empty.</summary>
    public ArchivePlace Finish(ReadOnlySpan<byte> content)
    {
        var place = Put(content, final: true);
        finished = true;
        return place;
    }

    /// <summary>Closes the target, unless it was to stay open. Finishes nothing.</summary>
    public void Dispose()
    {
        if (!leaveOpen)
        {
            target.Dispose();
        }
    }

    private ArchivePlace Put(ReadOnlySpan<byte> content, bool final)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(content.Length, Archive.LongestChunk, nameof(content));
        if (finished)
        {
            throw new InvalidOperationException("The archive is finished.");
        }

        var sealedFrame = frame.AsSpan(0, Archive.SizeOf(content.Length));
        BinaryPrimitives.WriteUInt32BigEndian(sealedFrame, (uint)content.Length | (final ? Archive.FinalBit : 0));
        sealedFrame[..Archive.FrameSize].CopyTo(associated.AsSpan(32));
        Span<byte> nonce = stackalloc byte[NonceSource.NonceSize];
        Archive.WriteNonce(nonce, index, final);
        var cipher = key.TakeCipher();
        try
        {
            cipher.Encrypt(nonce, content, sealedFrame.Slice(Archive.FrameSize, content.Length), sealedFrame[^Envelope.TagSize..], associated);
        }
        finally
        {
            key.ReturnCipher(cipher);
        }

        target.Write(sealedFrame);
        var place = new ArchivePlace(index, offset, content.Length);
        index = checked(index + 1);
        offset += sealedFrame.Length;
        return place;
    }
}

/// <summary>Reads an archive, in order or chunk by chunk. Not safe for concurrent use.</summary>
public sealed class ArchiveReader : IDisposable
{
    private readonly Stream source;
    private readonly KeyMaterial key;
    private readonly long start;
    private readonly byte[] associated = new byte[Archive.AssociatedSize];
    private readonly byte[] frame = GC.AllocateUninitializedArray<byte>(Archive.SizeOf(Archive.LongestChunk));
    private int next;
    private long at;
    private bool ended;

    /// <summary>Reads the header where the stream stands.</summary>
    /// <param name="source">Seekable; closed with the reader.</param>
    /// <param name="keyOf">Gives the key that the header names, which is then the reader's to zero.</param>
    /// <exception cref="SealBroken">No header stands there. Whatever <paramref name="keyOf"/> throws passes.</exception>
    public ArchiveReader(Stream source, Func<ArchiveHeader, KeyMaterial> keyOf)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(keyOf);
        this.source = source;
        start = source.Position;
        var bytes = new byte[ArchiveHeader.Size];
        if (source.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false) < bytes.Length)
        {
            throw new SealBroken();
        }

        Header = ArchiveHeader.Parse(bytes);
        SHA256.HashData(bytes, associated);
        at = bytes.Length;
        key = keyOf(Header);
    }

    /// <summary>What the archive says that it is; proven once a chunk has opened.</summary>
    public ArchiveHeader Header { get; }

    /// <summary>Opens the chunk at a place.</summary>
    /// <param name="place">As the writer gave it.</param>
    /// <param name="destination">At least as long as the content.</param>
    /// <exception cref="SealBroken">Another chunk stands there, or none, or it was changed.</exception>
    public void Read(ArchivePlace place, Span<byte> destination)
    {
        var (content, _, _) = Take(place.Index, place.Offset);
        if (content.Length != place.Length)
        {
            CryptographicOperations.ZeroMemory(content);
            throw new SealBroken();
        }

        content.CopyTo(destination);
        CryptographicOperations.ZeroMemory(content);
    }

    /// <summary>Opens the next chunk in order; valid until the next call.</summary>
    /// <returns>False after the last one, when the file ends there.</returns>
    /// <exception cref="SealBroken">It does not open, or the file ends too early or too late.</exception>
    public bool Next(out ReadOnlySpan<byte> content)
    {
        if (ended)
        {
            content = default;
            if (source.Length != start + at)
            {
                throw new SealBroken();
            }

            return false;
        }

        var (opened, after, final) = Take(next, at);
        next = checked(next + 1);
        at = after;
        ended = final;
        content = opened;
        return true;
    }

    /// <summary>Closes the source, zeroes the key and what was opened last.</summary>
    public void Dispose()
    {
        source.Dispose();
        CryptographicOperations.ZeroMemory(frame);
        key.Dispose();
    }

    private Taken Take(int index, long offset)
    {
        // Places come from a table that was proven, or from the frame before; a wrong one must still not be an error of reading.
        if (index < 0 || offset < ArchiveHeader.Size || start + offset > source.Length - Archive.SizeOf(0))
        {
            throw new SealBroken();
        }

        if (source.Position != start + offset)
        {
            source.Position = start + offset;
        }

        source.ReadExactly(associated.AsSpan(32, Archive.FrameSize));
        var field = BinaryPrimitives.ReadUInt32BigEndian(associated.AsSpan(32));
        var final = (field & Archive.FinalBit) != 0;
        var length = field & ~Archive.FinalBit;
        if (length > Archive.LongestChunk)
        {
            throw new SealBroken();
        }

        var body = frame.AsSpan(0, (int)length + Envelope.TagSize);
        if (source.ReadAtLeast(body, body.Length, throwOnEndOfStream: false) < body.Length)
        {
            throw new SealBroken();
        }

        Span<byte> nonce = stackalloc byte[NonceSource.NonceSize];
        Archive.WriteNonce(nonce, index, final);
        var content = body[..(int)length];
        var cipher = key.TakeCipher();
        try
        {
            cipher.Decrypt(nonce, content, body[^Envelope.TagSize..], content, associated);
        }
        catch (AuthenticationTagMismatchException)
        {
            throw new SealBroken();
        }
        finally
        {
            key.ReturnCipher(cipher);
        }

        return new Taken(content, offset + Archive.FrameSize + body.Length, final);
    }

    private readonly ref struct Taken(Span<byte> content, long after, bool final)
    {
        public Span<byte> Content { get; } = content;

        public long After { get; } = after;

        public bool Final { get; } = final;

        public void Deconstruct(out Span<byte> content, out long after, out bool final)
        {
            content = Content;
            after = After;
            final = Final;
        }
    }
}
