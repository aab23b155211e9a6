using System.Buffers.Binary;
using System.Text;

namespace Mangrove.Vault.Audit;

/// <summary>
/// Reads the bytes of an entry: the log's reading side, which shares no code with <see cref="EntryEncoder"/>, so that a
/// mistake of one is not hidden by the same mistake of the other. Nothing but exactly one entry is accepted.
/// </summary>
internal readonly ref struct EntryParser
{
    private const int FixedSize = 97;
    private const int MostText = 4096;

    private readonly ReadOnlySpan<byte> body;

    private EntryParser(ReadOnlySpan<byte> body, Range actor, Range action, Range patients)
    {
        this.body = body;
        Actor = body[actor];
        Action = body[action];
        Patients = body[patients];
    }

    public Guid Facility => new(body.Slice(1, 16), bigEndian: true);

    public Guid Log => new(body.Slice(17, 16), bigEndian: true);

    public long Sequence => BinaryPrimitives.ReadInt64BigEndian(body[33..]);

    public Guid Boot => new(body.Slice(41, 16), bigEndian: true);

    public long UnixMilliseconds => BinaryPrimitives.ReadInt64BigEndian(body[57..]);

    public ReadOnlySpan<byte> Previous => body.Slice(65, 32);

    public byte Kind => body[97];

    public byte Outcome => body[98];

    public ReadOnlySpan<byte> Actor { get; }

    public ReadOnlySpan<byte> Action { get; }

    /// <summary>One of the texts by its place: 0 actor, 1 staff, 2 action, 3 resource, 4 device, 5 session, 6 purpose, 7 reason, 8 department.</summary>
    public ReadOnlySpan<byte> TextAt(int wanted)
    {
        var at = TextsAt(body);
        Range range = default;
        for (var text = 0; text <= wanted; text++)
        {
            Skip(body, ref at, out range);
        }

        return body[range];
    }

    /// <summary>The names of the fields, one after the other.</summary>
    public FieldNames Fields => new(body, TextsAt(body), TextsOf(body));

    /// <summary>16 bytes each, ascending.</summary>
    public ReadOnlySpan<byte> Patients { get; }

    /// <summary>False when the bytes are not exactly one entry of a format known here.</summary>
    public static bool TryParse(ReadOnlySpan<byte> body, out EntryParser entry)
    {
        entry = default;
        if (body.Length < FixedSize + 7 || body[0] is not (1 or 2 or 3)
            || body[FixedSize] is < 1 or > 3 || body[FixedSize + 1] is < 1 or > 3
            || BinaryPrimitives.ReadInt32BigEndian(body[(FixedSize + 2)..]) < 0
            || BinaryPrimitives.ReadInt64BigEndian(body[57..]) is < 0 or > 253_402_300_799_999
            || (body[0] == 3 && body[FixedSize + 6] > 1))
        {
            return false;
        }

        var at = TextsAt(body);
        Range actor = default, action = default;
        for (var text = 0; text < TextsOf(body); text++)
        {
            if (!Skip(body, ref at, out var range))
            {
                return false;
            }

            actor = text == 0 ? range : actor;
            action = text == 2 ? range : action;
        }

        if (!Count(body, ref at, out var fieldCount))
        {
            return false;
        }

        for (var field = 0; field < fieldCount; field++)
        {
            if (!Skip(body, ref at, out _))
            {
                return false;
            }
        }

        if (!Count(body, ref at, out var patientCount) || body.Length - at != patientCount * 16)
        {
            return false;
        }

        entry = new EntryParser(body, actor, action, at..body.Length);
        return true;
    }

    /// <summary>The entry for people. The hash is computed from the bytes, not taken from beside them.</summary>
    public AuditEntry ToEntry()
    {
        var at = TextsAt(body);
        var texts = new string[TextsOf(body)];
        for (var text = 0; text < texts.Length; text++)
        {
            texts[text] = Text(ref at);
        }

        Count(body, ref at, out var fieldCount);
        var names = new string[fieldCount];
        for (var field = 0; field < names.Length; field++)
        {
            names[field] = Text(ref at);
        }

        var patients = new Guid[Patients.Length / 16];
        for (var patient = 0; patient < patients.Length; patient++)
        {
            patients[patient] = new Guid(Patients.Slice(patient * 16, 16), bigEndian: true);
        }

        return new AuditEntry(
            Sequence,
            DateTimeOffset.FromUnixTimeMilliseconds(UnixMilliseconds),
            texts[0],
            texts[1],
            texts[2],
            texts[3],
            names,
            texts[4],
            texts.Length > 8 ? texts[8] : string.Empty,
            texts[5],
            texts[6],
            texts[7],
            (AuditOutcome)Outcome,
            (AuditKind)Kind,
            BinaryPrimitives.ReadInt32BigEndian(body[(FixedSize + 2)..]),
            patients,
            Facility,
            Log,
            Boot,
            Previous.ToArray(),
            Sealing.MerkleTree.LeafHash(body))
        {
            Records = body[0] == 3 && body[FixedSize + 6] == 1,
        };
    }

    // The first format did not name the department of the device.
    private static int TextsOf(ReadOnlySpan<byte> body) => body[0] == 1 ? 8 : 9;

    // Since the third an entry says whether a record follows.
    private static int TextsAt(ReadOnlySpan<byte> body) => FixedSize + (body[0] == 3 ? 7 : 6);

    private static bool Count(ReadOnlySpan<byte> body, ref int at, out int count)
    {
        count = 0;
        if (body.Length - at < 2)
        {
            return false;
        }

        count = BinaryPrimitives.ReadUInt16BigEndian(body[at..]);
        at += 2;
        return true;
    }

    private static bool Skip(ReadOnlySpan<byte> body, ref int at, out Range text)
    {
        text = default;
        if (!Count(body, ref at, out var length) || length > MostText || body.Length - at < length)
        {
            return false;
        }

        text = at..(at + length);
        at += length;
        return true;
    }

    private string Text(ref int at)
    {
        Skip(body, ref at, out var range);
        return Encoding.UTF8.GetString(body[range]);
    }

    /// <summary>Walks the names of the fields without copying any.</summary>
    public ref struct FieldNames
    {
        private readonly ReadOnlySpan<byte> body;
        private int at;
        private int left;

        public FieldNames(ReadOnlySpan<byte> body, int at, int texts)
        {
            this.body = body;
            this.at = at;
            for (var text = 0; text < texts; text++)
            {
                Skip(body, ref this.at, out _);
            }

            Count(body, ref this.at, out left);
        }

        public ReadOnlySpan<byte> Current { get; private set; }

        public readonly FieldNames GetEnumerator() => this;

        public bool MoveNext()
        {
            if (left-- <= 0)
            {
                return false;
            }

            Skip(body, ref at, out var range);
            Current = body[range];
            return true;
        }
    }
}
