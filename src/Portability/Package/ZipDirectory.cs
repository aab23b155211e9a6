using System.Buffers.Binary;

namespace Mangrove.Portability.Package;

/// <summary>
/// Counts the entries of a zip file before the framework opens it: ZipArchive makes an object for every record of the
/// central directory, whatever the trailer says their number is.
/// </summary>
internal static class ZipDirectory
{
    private const int TrailerLength = 22;
    private const int RecordLength = 46;

    /// <summary>The number of entries, at most <paramref name="most"/> + 1; or null when there is no central directory.</summary>
    public static int? Count(Stream file, int most)
    {
        var tail = new byte[(int)Math.Min(file.Length, TrailerLength + ushort.MaxValue)];
        file.Seek(-tail.Length, SeekOrigin.End);
        file.ReadExactly(tail);
        var at = tail.AsSpan().LastIndexOf("PK\u0005\u0006"u8);
        if (at < 0 || at + TrailerLength > tail.Length)
        {
            return null;
        }

        long offset = BinaryPrimitives.ReadUInt32LittleEndian(tail.AsSpan(at + 16));
        if (offset == uint.MaxValue)
        {
            var wide = tail.AsSpan(0, at).LastIndexOf("PK\u0006\u0006"u8);
            if (wide < 0 || wide + 56 > at)
            {
                return null;
            }

            offset = BinaryPrimitives.ReadInt64LittleEndian(tail.AsSpan(wide + 48));
        }

        if (offset < 0 || offset >= file.Length)
        {
            return null;
        }

        file.Seek(offset, SeekOrigin.Begin);
        using var buffered = new BufferedStream(new Unowned(file), 1 << 16);
        Span<byte> record = stackalloc byte[RecordLength];
        Span<byte> waste = stackalloc byte[4096];
        var count = 0;
        while (count <= most && buffered.ReadAtLeast(record, RecordLength, throwOnEndOfStream: false) == RecordLength
            && record.StartsWith("PK\u0001\u0002"u8))
        {
            count++;
            var rest = BinaryPrimitives.ReadUInt16LittleEndian(record[28..]) + BinaryPrimitives.ReadUInt16LittleEndian(record[30..])
                + BinaryPrimitives.ReadUInt16LittleEndian(record[32..]);
            while (rest > 0)
            {
                var got = buffered.Read(waste[..Math.Min(rest, waste.Length)]);
                if (got == 0)
                {
                    return null;
                }

                rest -= got;
            }
        }

        return count;
    }

    private sealed class Unowned(Stream file) : ReadOnlyStream
    {
        public override int Read(Span<byte> buffer) => file.Read(buffer);
    }
}
