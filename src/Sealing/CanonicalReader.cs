using System.Buffers.Binary;

namespace Mangrove.Sealing;

/// <summary>Stored canonical bytes do not hold what their schema says.</summary>
public sealed class CanonicalBroken() : FormatException("Stored canonical bytes are damaged or of another schema.")
{
    /// <summary>The stable code of every such failure.</summary>
    public const string StableCode = "canonical.broken";

    /// <summary>Always <see cref="StableCode"/>.</summary>
    public string Code { get; } = StableCode;
}

/// <summary>
/// Reads what <see cref="CanonicalWriter"/> wrote, in the same order. It accepts exactly the bytes that the writer
/// makes: any other type, length, flag value or malformed text is <see cref="CanonicalBroken"/>. Call
/// <see cref="End"/> after the last field.
/// </summary>
public ref struct CanonicalReader
{
    private ReadOnlySpan<byte> rest;

    public CanonicalReader(ReadOnlySpan<byte> bytes)
    {
        rest = bytes;
        Version = Take(1)[0];
    }

    /// <summary>The schema version of the record.</summary>
    public byte Version { get; }

    /// <summary>Whether every byte has been read.</summary>
    public readonly bool AtEnd => rest.IsEmpty;

    /// <summary>Consumes an absent field if one is next.</summary>
    public bool TryNull()
    {
        if (rest.IsEmpty || rest[0] != CanonicalWriter.NullTag)
        {
            return false;
        }

        rest = rest[1..];
        return true;
    }

    /// <summary>A text that is not null.</summary>
    public string Text()
    {
        var bytes = Variable(CanonicalWriter.TextTag);
        try
        {
            return CanonicalWriter.StrictUtf8.GetString(bytes);
        }
        catch (ArgumentException)
        {
            throw new CanonicalBroken();
        }
    }

    /// <summary>A text or null.</summary>
    public string? TextOrNull() => TryNull() ? null : Text();

    /// <summary>Bytes, as a window on the record.</summary>
    public ReadOnlySpan<byte> Bytes() => Variable(CanonicalWriter.BytesTag);

    /// <summary>A whole number.</summary>
    public long Number() => BinaryPrimitives.ReadInt64BigEndian(Fixed(CanonicalWriter.NumberTag, 8));

    /// <summary>Yes or no.</summary>
    public bool Flag() => Fixed(CanonicalWriter.FlagTag, 1)[0] switch
    {
        0 => false,
        1 => true,
        _ => throw new CanonicalBroken(),
    };

    /// <summary>An id.</summary>
    public Guid Id() => new(Fixed(CanonicalWriter.IdTag, 16), bigEndian: true);

    /// <summary>An instant, in UTC.</summary>
    public DateTimeOffset Time()
    {
        var ticks = BinaryPrimitives.ReadInt64BigEndian(Fixed(CanonicalWriter.TimeTag, 8));
        return ticks >= 0 && ticks <= DateTimeOffset.MaxValue.UtcTicks
            ? new DateTimeOffset(ticks, TimeSpan.Zero)
            : throw new CanonicalBroken();
    }

    /// <summary>The head of a list: how many fields follow that belong to it.</summary>
    public int List()
    {
        var count = BinaryPrimitives.ReadInt32BigEndian(Fixed(CanonicalWriter.ListTag, 4));

        // Every field takes a byte at least, so a count beyond the rest is damage, found before memory is asked for.
        return count >= 0 && count <= rest.Length ? count : throw new CanonicalBroken();
    }

    /// <summary>A list of texts.</summary>
    public IReadOnlyList<string> Texts()
    {
        var texts = new string[List()];
        for (var i = 0; i < texts.Length; i++)
        {
            texts[i] = Text();
        }

        return texts;
    }

    /// <summary>Asserts that the record holds nothing more.</summary>
    public readonly void End()
    {
        if (!rest.IsEmpty)
        {
            throw new CanonicalBroken();
        }
    }

    private ReadOnlySpan<byte> Variable(byte tag) =>
        Take(BinaryPrimitives.ReadInt32BigEndian(Fixed(tag, 4)));

    private ReadOnlySpan<byte> Fixed(byte tag, int size)
    {
        if (Take(1)[0] != tag)
        {
            throw new CanonicalBroken();
        }

        return Take(size);
    }

    private ReadOnlySpan<byte> Take(int size)
    {
        if (size < 0 || size > rest.Length)
        {
            throw new CanonicalBroken();
        }

        var taken = rest[..size];
        rest = rest[size..];
        return taken;
    }
}
