using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Mangrove.Verifier;

/// <summary>
/// The bytes of one entry, taken apart by docs/formats/audit-log.md, formats 1 to 3, and strictly: what the page does not
/// allow is no entry. Values are judged as far as the page limits them, and no further.
/// </summary>
internal readonly ref struct EntryBytes
{
    private const int Header = 97;
    private const int MostFields = 512;
    private const int MostPatients = 4096;
    private const long LastMillisecond = 253_402_300_799_999;

    // Most UTF-16 units of the nine texts; the mark of a cut is not counted. The third is the action.
    private static readonly int[] Longest = [64, 64, 64, 256, 128, 128, 64, 512, 64];
    private const int ActionAt = 2;
    private const int LongestField = 64;

    private readonly ReadOnlySpan<byte> bytes;
    private readonly Range actor;
    private readonly Range action;
    private readonly int patientsAt;

    private EntryBytes(ReadOnlySpan<byte> bytes, Range actor, Range action, int patientsAt)
    {
        this.bytes = bytes;
        this.actor = actor;
        this.action = action;
        this.patientsAt = patientsAt;
    }

    public ReadOnlySpan<byte> Facility => bytes.Slice(1, 16);

    public ReadOnlySpan<byte> Log => bytes.Slice(17, 16);

    public long Sequence => BinaryPrimitives.ReadInt64BigEndian(bytes[33..]);

    public UInt128 Boot => BinaryPrimitives.ReadUInt128BigEndian(bytes[41..]);

    public long Time => BinaryPrimitives.ReadInt64BigEndian(bytes[57..]);

    public ReadOnlySpan<byte> Previous => bytes.Slice(65, 32);

    public byte Outcome => bytes[98];

    public ReadOnlySpan<byte> Actor => bytes[actor];

    public ReadOnlySpan<byte> Action => bytes[action];

    /// <summary>16 bytes each, ascending, without repeats.</summary>
    public ReadOnlySpan<byte> Patients => bytes[patientsAt..];

    /// <summary>Whether the bytes are exactly one entry.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out EntryBytes entry) => TryRead(bytes, null, out entry);

    /// <summary>The nine texts (the last empty in format 1) and then the names of the fields, of bytes that are one entry.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out EntryBytes entry, out IReadOnlyList<string> texts)
    {
        var read = new List<string>();
        texts = read;
        return TryRead(bytes, read, out entry);
    }

    private static bool TryRead(ReadOnlySpan<byte> bytes, List<string>? texts, out EntryBytes entry)
    {
        entry = default;
        if (bytes.Length < Header + 6 || bytes[0] is < 1 or > 3 || bytes[97] is < 1 or > 3 || bytes[98] is < 1 or > 3
            || BinaryPrimitives.ReadInt32BigEndian(bytes[99..]) < 0
            || BinaryPrimitives.ReadInt64BigEndian(bytes[33..]) < 1
            || BinaryPrimitives.ReadInt64BigEndian(bytes[57..]) is < 0 or > LastMillisecond)
        {
            return false;
        }

        var at = Header + 6;
        if (bytes[0] == 3 && (bytes.Length == at || bytes[at++] > 1))
        {
            return false;
        }

        Range who = default, what = default;
        var count = bytes[0] == 1 ? 8 : 9;
        for (var index = 0; index < count; index++)
        {
            if (!Text(bytes, ref at, index == ActionAt ? 0 : Longest[index], out var text))
            {
                return false;
            }

            who = index == 0 ? text : who;
            what = index == ActionAt ? text : what;
            texts?.Add(Encoding.UTF8.GetString(bytes[text]));
        }

        if (count == 8)
        {
            texts?.Add(string.Empty);
        }

        if (!Number(bytes, ref at, out var fields) || fields > MostFields)
        {
            return false;
        }

        for (var index = 0; index < fields; index++)
        {
            if (!Text(bytes, ref at, LongestField, out var text))
            {
                return false;
            }

            texts?.Add(Encoding.UTF8.GetString(bytes[text]));
        }

        if (!Number(bytes, ref at, out var patients) || patients > MostPatients || bytes.Length - at != patients * 16)
        {
            return false;
        }

        for (var index = at + 16; index < bytes.Length; index += 16)
        {
            if (bytes.Slice(index - 16, 16).SequenceCompareTo(bytes.Slice(index, 16)) >= 0)
            {
                return false;
            }
        }

        entry = new EntryBytes(bytes, who, what, at);
        return true;
    }

    private static bool Number(ReadOnlySpan<byte> bytes, ref int at, out int number)
    {
        number = 0;
        if (bytes.Length - at < 2)
        {
            return false;
        }

        number = BinaryPrimitives.ReadUInt16BigEndian(bytes[at..]);
        at += 2;
        return true;
    }

    /// <param name="longest">0 for an action.</param>
    private static bool Text(ReadOnlySpan<byte> bytes, ref int at, int longest, out Range text)
    {
        text = default;
        if (!Number(bytes, ref at, out var length) || bytes.Length - at < length)
        {
            return false;
        }

        text = at..(at + length);
        at += length;
        return longest == 0 ? IsAction(bytes[text]) : IsText(bytes[text], longest);
    }

    private static bool IsAction(ReadOnlySpan<byte> text)
    {
        if (text.Length is < 1 or > 64 || text[0] is < (byte)'A' or > (byte)'Z')
        {
            return false;
        }

        foreach (var letter in text)
        {
            if (letter is not ((>= (byte)'A' and <= (byte)'Z') or (>= (byte)'0' and <= (byte)'9') or (byte)'_'))
            {
                return false;
            }
        }

        return true;
    }

    private static bool IsText(ReadOnlySpan<byte> text, int longest) =>
        !text.ContainsAnyExceptInRange((byte)' ', (byte)'~') && !text.Contains((byte)'\\')
            ? text.Length <= longest
            : IsEscapedText(text, longest);

    private static bool IsEscapedText(ReadOnlySpan<byte> text, int longest)
    {
        var units = 0;
        while (!text.IsEmpty)
        {
            int used;
            if (text[0] == '\\')
            {
                used = Escape(text, out var cut);
                if (cut)
                {
                    return used == text.Length && units <= longest;
                }

                if (used == 0)
                {
                    return false;
                }

                units += used;
            }
            else if (Rune.DecodeFromUtf8(text, out var rune, out used) != System.Buffers.OperationStatus.Done || IsActive(rune))
            {
                return false;
            }
            else
            {
                units += rune.Utf16SequenceLength;
            }

            text = text[used..];
        }

        return units <= longest;
    }

    // Bytes of the escape that begins here; 0 when it is none.
    private static int Escape(ReadOnlySpan<byte> text, out bool cut)
    {
        cut = text.Length > 2 && text[1] == '+' && !text[2..].ContainsAnyExceptInRange((byte)'0', (byte)'9');
        if (cut)
        {
            return text.Length;
        }

        if (text.StartsWith("\\\\"u8))
        {
            return 2;
        }

        var end = text.StartsWith("\\u{"u8) ? text.IndexOf((byte)'}') : -1;
        return end is >= 7 and <= 9 && int.TryParse(text[3..end], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value) && value <= 0x10FFFF
            ? end + 1
            : 0;
    }

    // Unassigned characters are escaped too by the writer, but which those are changes with the Unicode tables of the machine that verifies.
    private static bool IsActive(Rune rune) => Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format
        or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator or UnicodeCategory.PrivateUse;
}
