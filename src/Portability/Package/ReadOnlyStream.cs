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

/// <summary>Counts the bytes that come out of an archive, whether anybody looks at them or skips them.</summary>
internal sealed class UnpackedStream(Stream source, ArchiveRatio ratio, Allowance allowance) : ReadOnlyStream
{
    public override int Read(Span<byte> buffer)
    {
        var count = source.Read(buffer);
        ratio.Produce(count);
        allowance.CountBytes(count);
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

/// <summary>Counts the bytes of a file that lies open in a folder against the import.</summary>
internal sealed class PlainStream(Stream source, Allowance allowance) : ReadOnlyStream
{
    public override int Read(Span<byte> buffer)
    {
        var count = source.Read(buffer);
        allowance.CountBytes(count);
        return count;
    }
}

/// <summary>One JSON text as it is handed out, no longer than one may be.</summary>
internal sealed class CappedStream(Stream source, long most) : ReadOnlyStream
{
    private long read;

    public override int Read(Span<byte> buffer)
    {
        var count = source.Read(buffer);
        read += count;
        return read > most ? throw new Kernel.RefusedInput(InputErrors.TooLarge) : count;
    }
}
