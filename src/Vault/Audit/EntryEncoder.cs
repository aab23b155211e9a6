using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Mangrove.Vault.Audit;

/// <summary>
/// Writes the canonical bytes of an entry, format 3 of docs/formats/audit-log.md. Every part is typed by its place and
/// has a fixed size or a length before it, so no two different entries share their bytes. The part that only the writer
/// knows (sequence, time, hash before) is a header of fixed size, so that callers encode on their own threads.
/// </summary>
internal static class EntryEncoder
{
    public const byte Format = 3;
    public const int MostPatients = 4096;
    public const int MostFields = 512;
    public const int HashSize = 32;

    // format, facility, log, seq, boot, at, hash before
    public const int HeaderSize = 1 + 16 + 16 + 8 + 16 + 8 + HashSize;

    private const int LongestActor = 64;
    private const int LongestName = 64;
    private const int LongestPlace = 128;
    private const int LongestResource = 256;
    private const int LongestReason = 512;

    /// <summary>The entry with its header still blank.</summary>
    /// <exception cref="ArgumentException">A part that code writes, not people, breaks its rule: a bug of the caller.</exception>
    public static EncodedDraft Encode(AuditDraft draft)
    {
        if (!IsUpperSnake(draft.Action))
        {
            throw new ArgumentException("An action is 1 to 64 capitals, digits and underscores.", nameof(draft));
        }

        if (draft.Patients.Count > MostPatients || draft.FieldsAccessed.Count > MostFields || draft.Count < 0
            || !Enum.IsDefined(draft.Outcome) || !Enum.IsDefined(draft.Kind))
        {
            throw new ArgumentException(
                "An entry names at most 4096 patients and 512 fields; split the act into several entries.", nameof(draft));
        }

        var actor = SafeText.Escape(draft.Actor, LongestActor);
        var staff = SafeText.Escape(draft.StaffId, LongestName);
        var resource = SafeText.Escape(draft.Resource, LongestResource);
        var device = SafeText.Escape(draft.Device, LongestPlace);
        var department = SafeText.Escape(draft.Department, LongestName);
        var session = SafeText.Escape(draft.SessionId, LongestPlace);
        var purpose = SafeText.Escape(draft.Purpose, LongestName);
        var reason = SafeText.Escape(draft.Reason, LongestReason);
        var fields = new string[draft.FieldsAccessed.Count];
        var size = HeaderSize + 1 + 1 + 4 + 1 + Sized(actor) + Sized(staff) + Sized(draft.Action) + Sized(resource)
            + Sized(device) + Sized(session) + Sized(purpose) + Sized(reason) + Sized(department) + 2 + 2;
        var next = 0;
        foreach (var field in draft.FieldsAccessed)
        {
            size += Sized(fields[next++] = SafeText.Escape(field, LongestName));
        }

        var patients = Distinct(draft.Patients);
        var body = new byte[size + (patients.Length * 16)];
        var at = HeaderSize;
        body[at++] = (byte)draft.Kind;
        body[at++] = (byte)draft.Outcome;
        BinaryPrimitives.WriteInt32BigEndian(body.AsSpan(at), draft.Count);
        at += 4;
        body[at++] = draft.Records ? (byte)1 : (byte)0;
        var actorAt = Text(body, ref at, actor);
        Text(body, ref at, staff);
        var actionAt = Text(body, ref at, draft.Action);
        Text(body, ref at, resource);
        Text(body, ref at, device);
        Text(body, ref at, session);
        Text(body, ref at, purpose);
        Text(body, ref at, reason);
        Text(body, ref at, department);
        BinaryPrimitives.WriteUInt16BigEndian(body.AsSpan(at), (ushort)fields.Length);
        at += 2;
        foreach (var field in fields)
        {
            Text(body, ref at, field);
        }

        BinaryPrimitives.WriteUInt16BigEndian(body.AsSpan(at), (ushort)patients.Length);
        at += 2;
        var patientsAt = at;
        foreach (var patient in patients)
        {
            patient.TryWriteBytes(body.AsSpan(at), bigEndian: true, out _);
            at += 16;
        }

        return new EncodedDraft(body, actorAt, actionAt, patientsAt, draft.Outcome);
    }

    /// <summary>Fills the blank header.</summary>
    public static void Complete(
        Span<byte> body, LogIdentity log, Guid boot, long sequence, long unixMilliseconds, ReadOnlySpan<byte> previous)
    {
        body[0] = Format;
        log.Facility.TryWriteBytes(body[1..], bigEndian: true, out _);
        log.Log.TryWriteBytes(body[17..], bigEndian: true, out _);
        BinaryPrimitives.WriteInt64BigEndian(body[33..], sequence);
        boot.TryWriteBytes(body[41..], bigEndian: true, out _);
        BinaryPrimitives.WriteInt64BigEndian(body[57..], unixMilliseconds);
        previous.CopyTo(body[65..]);
    }

    private static int Sized(string text) => 2 + Encoding.UTF8.GetByteCount(text);

    private static Range Text(byte[] body, ref int at, string text)
    {
        var length = Encoding.UTF8.GetBytes(text, body.AsSpan(at + 2));
        BinaryPrimitives.WriteUInt16BigEndian(body.AsSpan(at), (ushort)length);
        var start = at + 2;
        at = start + length;
        return start..at;
    }

    // Sorted and without repeats, so that the same act has the same bytes whatever order its caller used.
    private static Guid[] Distinct(IReadOnlyCollection<Guid> patients)
    {
        if (patients.Count == 0)
        {
            return [];
        }

        var sorted = new SortedSet<Guid>(patients);
        var result = new Guid[sorted.Count];
        sorted.CopyTo(result);
        return result;
    }

    private static bool IsUpperSnake(string action) =>
        action is { Length: > 0 and <= LongestName } && action[0] is >= 'A' and <= 'Z'
        && !action.AsSpan().ContainsAnyExcept(UpperSnake);

    private static readonly System.Buffers.SearchValues<char> UpperSnake =
        System.Buffers.SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
}

/// <summary>An entry that waits for its header. The places are of its UTF-8 texts inside the bytes.</summary>
internal readonly record struct EncodedDraft(byte[] Body, Range Actor, Range Action, int PatientsAt, AuditOutcome Outcome);

/// <summary>
/// Makes text harmless to every reader of the log, whatever people typed (threats A7): control, format, surrogate and
/// line-separating characters stand as <c>\u{202e}</c>, the backslash as <c>\\</c>, and text over its limit ends in
/// <c>\+</c> and the number of characters cut. Since a backslash always begins an escape, the result is unambiguous.
/// </summary>
internal static class SafeText
{
    /// <param name="text">What somebody typed.</param>
    /// <param name="longest">Most characters (UTF-16) of the result, the mark of a cut not counted.</param>
    public static string Escape(string text, int longest)
    {
        if (text.Length <= longest && IsHarmless(text))
        {
            return text;
        }

        var safe = new StringBuilder(Math.Min(text.Length, longest) + 16);
        var at = 0;
        while (at < text.Length)
        {
            var status = Rune.DecodeFromUtf16(text.AsSpan(at), out var rune, out var used);
            var piece = status == System.Buffers.OperationStatus.Done && !IsHarmful(rune)
                ? rune.Value == '\\' ? "\\\\" : rune.ToString()
                : string.Create(CultureInfo.InvariantCulture, $"\\u{{{(status == System.Buffers.OperationStatus.Done ? rune.Value : text[at]):x4}}}");
            if (safe.Length + piece.Length > longest)
            {
                return safe.Append("\\+").Append((text.Length - at).ToString(CultureInfo.InvariantCulture)).ToString();
            }

            safe.Append(piece);
            at += used;
        }

        return safe.ToString();
    }

    private static bool IsHarmless(string text)
    {
        foreach (var character in text)
        {
            if (character is < ' ' or '\\' or > '~')
            {
                return false;
            }
        }

        return true;
    }

    private static bool IsHarmful(Rune rune) => Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control
        or UnicodeCategory.Format or UnicodeCategory.Surrogate or UnicodeCategory.LineSeparator
        or UnicodeCategory.ParagraphSeparator or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned;
}
