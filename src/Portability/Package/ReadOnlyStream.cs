namespace Mangrove.Portability.Package;

/// <summary>What the streams of this folder have in common: forward reading only.</summary>
internal abstract class ReadOnlyStream : Stream
{
    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public abstract override int Read(Span<byte> buffer);

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}

/// <summary>Counts the packed bytes that a decompressor takes from the archive file.</summary>
internal sealed class PackedStream(Stream file, ArchiveRatio ratio) : ReadOnlyStream
{
    public override int Read(Span<byte> buffer)
    {
        // A decompressor reads ahead; small reads keep the count close to what it really used.
        var count = file.Read(buffer.Length > 8192 ? buffer[..8192] : buffer);
        ratio.Packed += count;
        return count;
    }
}

/// <summary>Counts the bytes that a decompressor makes, whether anybody looks at them or skips them.</summary>
internal sealed class UnpackedStream(Stream source, ArchiveRatio ratio) : ReadOnlyStream
{
    public override int Read(Span<byte> buffer)
    {
        var count = source.Read(buffer);
        ratio.Produce(count);
        return count;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            source.Dispose();
        }

        base.Dispose(disposing);
    }
}

/// <summary>One file as it is handed out: counted against the import, and against the size of one file when it is one JSON text.</summary>
internal sealed class CountedStream(Stream source, Allowance allowance, InputKind kind) : ReadOnlyStream
{
    private long read;

    public override int Read(Span<byte> buffer)
    {
        var count = source.Read(buffer);
        read += count;
        allowance.CountBytes(count);

        // A file of lines may be as long as the import allows; the reader caps each line.
        return kind == InputKind.Json && read > allowance.Limits.EntryBytes ? throw new Kernel.RefusedInput(InputErrors.TooLarge) : count;
    }
}
