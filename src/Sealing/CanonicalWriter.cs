using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Mangrove.Sealing;

/// <summary>
/// Writes a record as canonical bytes: a schema version, then fields, each with its type and, where it can vary, its
/// length. Two different sequences of calls never give the same bytes, so <c>"ab", "c"</c> is not <c>"a", "bc"</c>
/// (threats A4). Such bytes are hashed, signed and stored as they are and never made again from a parsed form.
/// The format is docs/formats/log-tree.md. Not safe for concurrent use.
/// </summary>
public sealed class CanonicalWriter
{
    internal const byte NullTag = 0x00;
    internal const byte TextTag = 0x01;
    internal const byte BytesTag = 0x02;
    internal const byte NumberTag = 0x03;
    internal const byte FlagTag = 0x04;
    internal const byte IdTag = 0x05;
    internal const byte TimeTag = 0x06;
    internal const byte ListTag = 0x07;

    // Refuses a lone surrogate instead of replacing it: two broken texts would otherwise share their bytes.
    internal static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private const int UsualCapacity = 512;

    private readonly ArrayBufferWriter<byte> buffer;

    /// <summary>Starts a record of this schema version.</summary>
    public CanonicalWriter(byte version)
        : this(version, UsualCapacity)
    {
    }

    /// <summary>As the other, for a record that will hold keys: within its capacity the buffer leaves no copy behind.</summary>
    /// <param name="version">Schema version of the record.</param>
    /// <param name="capacity">Bytes that the record will need at most.</param>
    public CanonicalWriter(byte version, int capacity)
    {
        buffer = new(capacity);
        Byte(version);
    }

    /// <summary>The bytes so far; valid until the next call.</summary>
    public ReadOnlySpan<byte> Written => buffer.WrittenSpan;

    /// <summary>The bytes so far, copied.</summary>
    public byte[] ToArray() => buffer.WrittenSpan.ToArray();

    /// <summary>Forgets everything and starts another record, keeping the buffer.</summary>
    public CanonicalWriter Reset(byte version)
    {
        buffer.ResetWrittenCount();
        Byte(version);
        return this;
    }

    /// <summary>Zeroes what was written, where it held keys.</summary>
    public void Wipe() => buffer.Clear();

    /// <summary>A text, or null, which differs from an empty text.</summary>
    /// <exception cref="ArgumentException">The text holds half of a surrogate pair.</exception>
    public CanonicalWriter Text(string? value) => value is null ? Null() : Text(value.AsSpan());

    /// <summary>A text.</summary>
    /// <exception cref="ArgumentException">The text holds half of a surrogate pair.</exception>
    public CanonicalWriter Text(ReadOnlySpan<char> value)
    {
        var length = StrictUtf8.GetByteCount(value);
        var span = Header(TextTag, length);
        StrictUtf8.GetBytes(value, span);
        buffer.Advance(5 + length);
        return this;
    }

    /// <summary>Bytes as they are.</summary>
    public CanonicalWriter Bytes(ReadOnlySpan<byte> value)
    {
        var span = Header(BytesTag, value.Length);
        value.CopyTo(span);
        buffer.Advance(5 + value.Length);
        return this;
    }

    /// <summary>A whole number.</summary>
    public CanonicalWriter Number(long value) => Eight(NumberTag, value);

    /// <summary>Yes or no.</summary>
    public CanonicalWriter Flag(bool value)
    {
        Byte(FlagTag);
        Byte(value ? (byte)1 : (byte)0);
        return this;
    }

    /// <summary>An id.</summary>
    public CanonicalWriter Id(Guid value)
    {
        var span = buffer.GetSpan(17);
        span[0] = IdTag;
        value.TryWriteBytes(span[1..], bigEndian: true, out _);
        buffer.Advance(17);
        return this;
    }

    /// <summary>An instant, in units of 100 ns since 0001-01-01 UTC. The offset is not kept.</summary>
    public CanonicalWriter Time(DateTimeOffset value) => Eight(TimeTag, value.UtcTicks);

    /// <summary>An absent field.</summary>
    public CanonicalWriter Null()
    {
        Byte(NullTag);
        return this;
    }

    /// <summary>The head of a list: exactly <paramref name="count"/> fields follow that belong to it.</summary>
    public CanonicalWriter List(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        Header(ListTag, count);
        buffer.Advance(5);
        return this;
    }

    /// <summary>A list of texts.</summary>
    public CanonicalWriter Texts(IReadOnlyCollection<string> values)
    {
        List(values.Count);
        foreach (var value in values)
        {
            Text(value);
        }

        return this;
    }

    private void Byte(byte value)
    {
        buffer.GetSpan(1)[0] = value;
        buffer.Advance(1);
    }

    private CanonicalWriter Eight(byte tag, long value)
    {
        var span = buffer.GetSpan(9);
        span[0] = tag;
        BinaryPrimitives.WriteInt64BigEndian(span[1..], value);
        buffer.Advance(9);
        return this;
    }

    /// <summary>Lays out type and length without advancing; returns the room for the content.</summary>
    private Span<byte> Header(byte tag, int length)
    {
        var span = buffer.GetSpan(5 + length);
        span[0] = tag;
        BinaryPrimitives.WriteInt32BigEndian(span[1..], length);
        return span[5..];
    }
}
