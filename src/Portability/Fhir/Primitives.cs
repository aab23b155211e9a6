using System.Buffers;
using System.Buffers.Text;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace Mangrove.Portability.Fhir;

/// <summary>The primitive types of R4 (https://hl7.org/fhir/R4/datatypes.html#primitive).</summary>
internal enum Primitive
{
    Boolean = 1,
    Integer,
    UnsignedInt,
    PositiveInt,
    Decimal,
    String,
    Markdown,
    Xhtml,
    Uri,
    Url,
    Canonical,
    Oid,
    Uuid,
    Id,
    Code,
    Base64Binary,
    Date,
    DateTime,
    Instant,
    Time,
}

/// <summary>The formats of the primitive types, checked on the raw bytes; nothing is converted and so nothing is lost.</summary>
internal static class Primitives
{
    /// <summary>Digits of a decimal. R4 asks for 18 at least; longer ones are kept exactly, up to here.</summary>
    private const int LongestNumber = 64;

    private static readonly SearchValues<byte> OidCharacters = SearchValues.Create("0123456789."u8);
    private static readonly SearchValues<byte> IdCharacters = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-."u8);

    // Everything below a blank but tab and line ends.
    private static readonly SearchValues<byte> Controls = SearchValues.Create([.. Enumerable.Range(0, ' ').Select(static b => (byte)b).Except("\t\r\n"u8.ToArray())]);

    public static Primitive? Parse(string name) => name switch
    {
        "boolean" => Primitive.Boolean,
        "integer" => Primitive.Integer,
        "unsignedInt" => Primitive.UnsignedInt,
        "positiveInt" => Primitive.PositiveInt,
        "decimal" => Primitive.Decimal,
        "string" => Primitive.String,
        "markdown" => Primitive.Markdown,
        "xhtml" => Primitive.Xhtml,
        "uri" => Primitive.Uri,
        "url" => Primitive.Url,
        "canonical" => Primitive.Canonical,
        "oid" => Primitive.Oid,
        "uuid" => Primitive.Uuid,
        "id" => Primitive.Id,
        "code" => Primitive.Code,
        "base64Binary" => Primitive.Base64Binary,
        "date" => Primitive.Date,
        "dateTime" => Primitive.DateTime,
        "instant" => Primitive.Instant,
        "time" => Primitive.Time,
        _ => null,
    };

    /// <summary>Why the value is not one of the type, or null when it is.</summary>
    public static Fault? Check(JsonElement value, Primitive type, int longest)
    {
        var raw = JsonMarshal.GetRawUtf8Value(value);
        switch (type)
        {
            case Primitive.Boolean:
                return value.ValueKind is JsonValueKind.True or JsonValueKind.False ? null : Fault.WrongType;
            case Primitive.Integer or Primitive.UnsignedInt or Primitive.PositiveInt:
                return value.ValueKind != JsonValueKind.Number ? Fault.WrongType
                    : !value.TryGetInt32(out var number) || raw.ContainsAny((byte)'.', (byte)'e', (byte)'E')
                        || (type == Primitive.UnsignedInt && number < 0) || (type == Primitive.PositiveInt && number < 1) ? Fault.BadFormat
                    : null;
            case Primitive.Decimal:
                return value.ValueKind != JsonValueKind.Number ? Fault.WrongType : raw.Length > LongestNumber ? Fault.BadFormat : null;
            default:
                if (value.ValueKind != JsonValueKind.String)
                {
                    return Fault.WrongType;
                }

                if (raw.Length - 2 > longest)
                {
                    return Fault.ValueTooLarge;
                }

                return raw.Contains((byte)'\\') ? CheckEscaped(value, type) : CheckText(raw[1..^1], type);
        }
    }

    /// <summary>A date to the year, the month or an existing day.</summary>
    public static bool IsDate(ReadOnlySpan<byte> text) => text.Length is 4 or 7 or 10 && DatePart(text);

    /// <summary>A date, or a moment with seconds and an offset.</summary>
    public static bool IsDateTime(ReadOnlySpan<byte> text) => IsDate(text) || IsInstant(text);

    public static bool IsInstant(ReadOnlySpan<byte> text)
    {
        if (text.Length < 20 || text[10] != 'T' || !DatePart(text[..10]))
        {
            return false;
        }

        var offset = text[^1] == 'Z' ? text.Length - 1 : text.Length - 6;
        return offset >= 19 && IsTime(text[11..offset]) && (text[^1] == 'Z' || IsOffset(text[offset..]));
    }

    public static bool IsTime(ReadOnlySpan<byte> text) =>
        text.Length >= 8 && text[2] == ':' && text[5] == ':'
        && TwoDigits(text, 0, 23) && TwoDigits(text, 3, 59) && TwoDigits(text, 6, 60)
        && (text.Length == 8 || (text.Length > 9 && text[8] == '.' && !text[9..].ContainsAnyExceptInRange((byte)'0', (byte)'9')));

    public static bool IsId(ReadOnlySpan<byte> text) => text.Length is > 0 and <= 64 && !text.ContainsAnyExcept(IdCharacters);

    private static Fault? CheckEscaped(JsonElement value, Primitive type)
    {
        string text;
        try
        {
            text = value.GetString()!;
        }
        catch (InvalidOperationException)
        {
            // Half of a surrogate pair: no text in any script.
            return Fault.BadText;
        }

        return CheckText(Encoding.UTF8.GetBytes(text), type);
    }

    private static Fault? CheckText(ReadOnlySpan<byte> text, Primitive type)
    {
        if (text.IsEmpty)
        {
            return Fault.Empty;
        }

        if (text.ContainsAny(Controls))
        {
            return Fault.BadText;
        }

        var good = type switch
        {
            Primitive.String or Primitive.Markdown => text[0] > ' ' || text.ContainsAnyExcept(" \t\r\n"u8),
            Primitive.Xhtml => IsNarrative(text),
            Primitive.Uri or Primitive.Url or Primitive.Canonical => !text.ContainsAny(" \t\r\n"u8),
            Primitive.Oid => IsOid(text),
            Primitive.Uuid => text.Length == 45 && text.StartsWith("urn:uuid:"u8) && Guid.TryParseExact(Encoding.ASCII.GetString(text[9..]), "D", out _),
            Primitive.Id => IsId(text),
            Primitive.Code => IsCode(text),
            Primitive.Base64Binary => Base64.IsValid(text),
            Primitive.Date => IsDate(text),
            Primitive.DateTime => IsDateTime(text),
            Primitive.Instant => IsInstant(text),
            Primitive.Time => IsTime(text),
            _ => throw new ArgumentOutOfRangeException(nameof(type)),
        };
        return good ? null : type == Primitive.Xhtml ? Fault.Narrative : Fault.BadFormat;
    }

    /// <summary>Starts as a div and declares nothing: an entity in a narrative is an attack on whoever parses it.</summary>
    private static bool IsNarrative(ReadOnlySpan<byte> text)
    {
        if (!text.Trim(" \t\r\n"u8).StartsWith("<div"u8))
        {
            return false;
        }

        for (var rest = text; rest.IndexOf("<!"u8) is >= 0 and var at; rest = rest[(at + 2)..])
        {
            if (!rest[(at + 2)..].StartsWith("--"u8))
            {
                return false;
            }
        }

        return true;
    }

    private static bool IsOid(ReadOnlySpan<byte> text) => text.StartsWith("urn:oid:"u8) && text.Length > 10 && text[8] is >= (byte)'0' and <= (byte)'2'
        && text[9] == '.' && text[^1] != '.' && !text[8..].ContainsAnyExcept(OidCharacters) && text[8..].IndexOf(".."u8) < 0;

    private static bool IsCode(ReadOnlySpan<byte> text)
    {
        if (!text.ContainsAny(" \t\r\n"u8))
        {
            return !text.IsEmpty;
        }

        var afterBlank = true;
        foreach (var b in text)
        {
            var blank = b is (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n';
            if (blank && afterBlank)
            {
                return false;
            }

            afterBlank = blank;
        }

        return !afterBlank;
    }

    private static bool DatePart(ReadOnlySpan<byte> text)
    {
        if (text[..4].ContainsAnyExceptInRange((byte)'0', (byte)'9') || !Utf8Parser.TryParse(text[..4], out int year, out _) || year == 0)
        {
            return false;
        }

        if (text.Length == 4)
        {
            return true;
        }

        if (text[4] != '-' || !TwoDigits(text, 5, 12) || text[5..7].SequenceEqual("00"u8))
        {
            return false;
        }

        if (text.Length == 7)
        {
            return true;
        }

        var month = ((text[5] - '0') * 10) + text[6] - '0';
        return text[7] == '-' && TwoDigits(text, 8, DateTime.DaysInMonth(year, month)) && !text[8..10].SequenceEqual("00"u8);
    }

    private static bool IsOffset(ReadOnlySpan<byte> text) =>
        text.Length == 6 && text[0] is (byte)'+' or (byte)'-' && text[3] == ':' && TwoDigits(text, 1, 14) && TwoDigits(text, 4, 59);

    private static bool TwoDigits(ReadOnlySpan<byte> text, int at, int most) =>
        text.Length >= at + 2 && text[at] is >= (byte)'0' and <= (byte)'9' && text[at + 1] is >= (byte)'0' and <= (byte)'9'
        && ((text[at] - '0') * 10) + text[at + 1] - '0' <= most;
}
