using System.Globalization;
using System.Text;
using Mangrove.Kernel;

namespace Mangrove.Portability.Package;

/// <summary>
/// Walks a tar stream (POSIX.1-2017 pax, ustar, and GNU long names) without trusting any length in it.
/// The framework's TarReader rents a buffer of the length that an extended header declares, up to 2 GiB, before it reads a
/// byte of it; here such a header is refused above <see cref="LongestHeader"/>.
/// </summary>
internal sealed class TarEntries(Stream source)
{
    private const int Block = 512;
    private const int LongestHeader = 64 << 10;

    private readonly Stream stream = source;
    private readonly byte[] header = new byte[Block];
    private long left;
    private long padding;

    public enum EntryKind
    {
        File,
        Folder,
        Other,
    }

    public sealed record Entry(string Name, EntryKind Kind, long Size, Stream Content);

    /// <summary>The next entry, or null at the end. What was not read of the one before is passed over.</summary>
    /// <exception cref="RefusedInput">The archive is damaged.</exception>
    public Entry? Next()
    {
        string? longName = null;
        long? paxSize = null;
        while (true)
        {
            Skip(left + padding);
            left = padding = 0;
            var got = stream.ReadAtLeast(header, Block, throwOnEndOfStream: false);
            if (got == 0 || (got == Block && !header.AsSpan().ContainsAnyExcept((byte)0)))
            {
                return null;
            }

            if (got < Block || !ChecksumHolds())
            {
                throw new RefusedInput(InputErrors.BadArchive);
            }

            var size = Number(header.AsSpan(124, 12));
            switch ((char)header[156])
            {
                case 'x':
                    (longName, paxSize) = Pax(Extended(size), longName, paxSize);
                    break;
                case 'g':
                    Extended(size);
                    break;
                case 'L':
                    longName = Encoding.UTF8.GetString(Extended(size)).TrimEnd('\0');
                    break;
                case 'K':
                    Extended(size);
                    break;
                case var type:
                    left = paxSize ?? size;
                    padding = (Block - (left % Block)) % Block;
                    return new Entry(longName ?? ShortName(), Kind(type), left, new Body(this));
            }
        }
    }

    private static EntryKind Kind(char type) => type switch
    {
        '0' or '\0' or '7' => EntryKind.File,
        '5' => EntryKind.Folder,
        _ => EntryKind.Other,
    };

    /// <summary>Octal text, or base 256 when the first bit is set (GNU, for sizes of 8 GiB and more).</summary>
    private static long Number(ReadOnlySpan<byte> field)
    {
        long value = 0;
        if ((field[0] & 0x80) != 0)
        {
            value = field[0] & 0x3f;
            foreach (var b in field[1..])
            {
                if (value > long.MaxValue >> 9)
                {
                    throw new RefusedInput(InputErrors.BadArchive);
                }

                value = (value << 8) | b;
            }

            return (field[0] & 0x40) != 0 ? throw new RefusedInput(InputErrors.BadArchive) : value;
        }

        foreach (var b in field.Trim(" \0"u8))
        {
            if (b is < (byte)'0' or > (byte)'7')
            {
                throw new RefusedInput(InputErrors.BadArchive);
            }

            value = (value << 3) | (long)(b - '0');
        }

        return value;
    }

    /// <summary>Records of the form <c>length key=value\n</c>; the length counts itself.</summary>
    private static (string? Name, long? Size) Pax(ReadOnlySpan<byte> records, string? name, long? size)
    {
        while (!records.IsEmpty)
        {
            var blank = records.IndexOf((byte)' ');
            if (blank is < 1 or > 6 || !int.TryParse(records[..blank], NumberStyles.None, CultureInfo.InvariantCulture, out var length)
                || length <= blank + 1 || length > records.Length || records[length - 1] != (byte)'\n')
            {
                throw new RefusedInput(InputErrors.BadArchive);
            }

            var record = records[(blank + 1)..(length - 1)];
            records = records[length..];
            if (record.StartsWith("path="u8))
            {
                name = Encoding.UTF8.GetString(record[5..]);
            }
            else if (record.StartsWith("size="u8))
            {
                size = long.TryParse(record[5..], NumberStyles.None, CultureInfo.InvariantCulture, out var value)
                    ? value
                    : throw new RefusedInput(InputErrors.BadArchive);
            }
            else if (record.StartsWith("GNU.sparse."u8))
            {
                throw new RefusedInput(InputErrors.BadArchive);
            }
        }

        return (name, size);
    }

    private bool ChecksumHolds()
    {
        long sum = 0;
        for (var i = 0; i < Block; i++)
        {
            sum += i is >= 148 and < 156 ? ' ' : header[i];
        }

        return Number(header.AsSpan(148, 8)) == sum;
    }

    private string ShortName()
    {
        var name = Text(header.AsSpan(0, 100));
        var prefix = header.AsSpan(257, 6).SequenceEqual("ustar\0"u8) ? Text(header.AsSpan(345, 155)) : string.Empty;
        return prefix.Length == 0 ? name : $"{prefix}/{name}";

        static string Text(ReadOnlySpan<byte> field)
        {
            var end = field.IndexOf((byte)0);
            return Encoding.UTF8.GetString(end < 0 ? field : field[..end]);
        }
    }

    private byte[] Extended(long size)
    {
        if (size is <= 0 or > LongestHeader)
        {
            throw new RefusedInput(InputErrors.BadArchive);
        }

        var data = new byte[size];
        ReadExactly(data);
        Skip((Block - (size % Block)) % Block);
        return data;
    }

    private void Skip(long count)
    {
        Span<byte> waste = stackalloc byte[4096];
        while (count > 0)
        {
            var got = stream.Read(waste[..(int)Math.Min(count, waste.Length)]);
            count -= got == 0 ? throw new RefusedInput(InputErrors.BadArchive) : got;
        }
    }

    private void ReadExactly(Span<byte> buffer)
    {
        if (stream.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false) < buffer.Length)
        {
            throw new RefusedInput(InputErrors.BadArchive);
        }
    }

    private sealed class Body(TarEntries tar) : ReadOnlyStream
    {
        public override int Read(Span<byte> buffer)
        {
            if (tar.left == 0 || buffer.IsEmpty)
            {
                return 0;
            }

            var got = tar.stream.Read(buffer[..(int)Math.Min(tar.left, buffer.Length)]);
            tar.left -= got == 0 ? throw new RefusedInput(InputErrors.BadArchive) : got;
            return got;
        }
    }
}
