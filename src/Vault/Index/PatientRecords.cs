using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using Mangrove.Kernel;

namespace Mangrove.Vault.Index;

/// <summary>A key of a patient, packed: number of the key, part of the name, word of the name, whether derived.</summary>
internal readonly record struct FiledKey(uint Packed)
{
    /// <summary>More keys than this cannot be told apart; a hospital has a few hundred thousand.</summary>
    public const int MostTokens = 1 << 25;

    public int Token => (int)(Packed >> 7);

    public NamePart Part => (NamePart)((Packed >> 5) & 3);

    public int Word => (int)((Packed >> 1) & 15);

    public bool Derived => (Packed & 1) != 0;

    public static FiledKey Of(int token, in NameKey key) =>
        new(((uint)token << 7) | ((uint)key.Part << 5) | ((uint)key.Word << 1) | (key.Derived ? 1U : 0U));
}

/// <summary>
/// What a hit shows, as bytes in large blocks instead of objects: a million patients are some eighty megabytes. A record
/// is never changed; a newer one is written behind and the old bytes are reclaimed when they are a third of all.
/// </summary>
internal sealed class PatientRecords
{
    private const int BlockBits = 20;
    private const int BlockSize = 1 << BlockBits;

    // Blocks by number; null once reclaimed. A place is block number << 20 | offset.
    private readonly List<byte[]> blocks = [];
    private int used = BlockSize;
    private long[] places = new long[1 << 10];
    private int[] lengths = new int[1 << 10];
    private long live;
    private long written;

    public void Put(int slot, ReadOnlySpan<FiledKey> keys, string mrn, PersonName name, BirthAndSex person, IReadOnlyList<string> phones, byte[] scratch)
    {
        var writer = new Writer(scratch);
        writer.Byte((byte)keys.Length);
        foreach (var key in keys)
        {
            writer.UInt32(key.Packed);
        }

        writer.Text(mrn);
        writer.Text(name.Family);
        writer.Byte((byte)Math.Min(name.Given.Count, byte.MaxValue));
        for (var i = 0; i < name.Given.Count && i < byte.MaxValue; i++)
        {
            writer.Text(name.Given[i]);
        }

        writer.Text(name.Text);
        writer.Text(name.Other);
        writer.Text(person.Born);
        writer.Byte((byte)((int)person.Sex | (person.Dead ? 16 : 0)));
        writer.Text(person.Died);
        writer.Byte((byte)Math.Min(phones.Count, byte.MaxValue));
        for (var i = 0; i < phones.Count && i < byte.MaxValue; i++)
        {
            writer.Text(phones[i]);
        }

        if (slot >= places.Length)
        {
            var length = Math.Max(slot + 1, places.Length * 2);
            Array.Resize(ref places, length);
            Array.Resize(ref lengths, length);
        }

        Remove(slot);
        places[slot] = Append(writer.Written);
        lengths[slot] = writer.Written.Length;
        live += writer.Written.Length;
        if (written > 16 * BlockSize && live < written - (written / 3))
        {
            Reclaim();
        }
    }

    public void Remove(int slot)
    {
        if (slot < lengths.Length)
        {
            live -= lengths[slot];
            lengths[slot] = 0;
        }
    }

    public void Expect(int patients)
    {
        if (patients > places.Length)
        {
            Array.Resize(ref places, patients);
            Array.Resize(ref lengths, patients);
        }
    }

    public bool Holds(int slot) => slot < lengths.Length && lengths[slot] > 0;

    public ReadOnlySpan<FiledKey> KeysOf(int slot)
    {
        var bytes = Bytes(slot);
        return MemoryMarshal.Cast<byte, FiledKey>(bytes.Slice(1, bytes[0] * sizeof(uint)));
    }

    public Reader Read(int slot)
    {
        var bytes = Bytes(slot);
        return new Reader(bytes[(1 + (bytes[0] * sizeof(uint)))..]);
    }

    private ReadOnlySpan<byte> Bytes(int slot) => Block(places[slot]).Slice((int)(places[slot] & (BlockSize - 1)), lengths[slot]);

    private ReadOnlySpan<byte> Block(long place) => blocks[(int)(place >> BlockBits)];

    private long Append(ReadOnlySpan<byte> record)
    {
        if (record.Length > BlockSize - used)
        {
            // A record longer than a block (nobody's) has a block of its own.
            blocks.Add(GC.AllocateUninitializedArray<byte>(Math.Max(BlockSize, record.Length)));
            used = 0;
        }

        var place = ((long)(blocks.Count - 1) << BlockBits) | (uint)used;
        record.CopyTo(blocks[^1].AsSpan(used));
        used = Math.Min(BlockSize, used + record.Length);
        written += record.Length;
        return place;
    }

    private void Reclaim()
    {
        var old = blocks.ToArray();
        blocks.Clear();
        used = BlockSize;
        written = 0;
        for (var slot = 0; slot < lengths.Length; slot++)
        {
            if (lengths[slot] > 0)
            {
                var place = places[slot];
                places[slot] = Append(old[(int)(place >> BlockBits)].AsSpan((int)(place & (BlockSize - 1)), lengths[slot]));
            }
        }
    }

    /// <summary>Reads a record's parts in the order in which they were written.</summary>
    internal ref struct Reader(ReadOnlySpan<byte> rest)
    {
        private ReadOnlySpan<byte> rest = rest;

        public string Mrn() => Text() ?? string.Empty;

        public PersonName Name()
        {
            var family = Text();
            var given = new string[Byte()];
            for (var i = 0; i < given.Length; i++)
            {
                given[i] = Text() ?? string.Empty;
            }

            return new PersonName(family, given, Text(), Text());
        }

        public BirthAndSex Person()
        {
            var born = Text();
            var flags = Byte();
            return new BirthAndSex(born, (AdministrativeSex)(flags & 15), (flags & 16) != 0, Text());
        }

        public string[] Phones()
        {
            var phones = new string[Byte()];
            for (var i = 0; i < phones.Length; i++)
            {
                phones[i] = Text() ?? string.Empty;
            }

            return phones;
        }

        public void SkipToPhones()
        {
            Skip();
            Skip();
            for (var given = Byte(); given > 0; given--)
            {
                Skip();
            }

            Skip();
            Skip();
            Skip();
            _ = Byte();
            Skip();
        }

        private void Skip()
        {
            if (Length() is >= 0 and var length)
            {
                rest = rest[length..];
            }
        }

        private byte Byte()
        {
            var value = rest[0];
            rest = rest[1..];
            return value;
        }

        // Length + 1 in one byte, 0 for null (-1 here); 255 announces four bytes of length.
        private int Length()
        {
            var length = Byte() - 1;
            if (length == 254)
            {
                length = BinaryPrimitives.ReadInt32LittleEndian(rest);
                rest = rest[sizeof(int)..];
            }

            return length;
        }

        private string? Text()
        {
            var length = Length();
            if (length < 0)
            {
                return null;
            }

            var text = Encoding.UTF8.GetString(rest[..length]);
            rest = rest[length..];
            return text;
        }
    }

    private ref struct Writer(byte[] buffer)
    {
        private byte[] buffer = buffer;
        private int length;

        public readonly ReadOnlySpan<byte> Written => buffer.AsSpan(0, length);

        public void Byte(byte value)
        {
            Need(1);
            buffer[length++] = value;
        }

        public void UInt32(uint value)
        {
            Need(sizeof(uint));
            MemoryMarshal.Write(buffer.AsSpan(length), value);
            length += sizeof(uint);
        }

        public void Text(string? text)
        {
            if (text is null)
            {
                Byte(0);
                return;
            }

            var bytes = Encoding.UTF8.GetByteCount(text);
            if (bytes < 254)
            {
                Byte((byte)(bytes + 1));
            }
            else
            {
                Byte(255);
                Need(sizeof(int));
                BinaryPrimitives.WriteInt32LittleEndian(buffer.AsSpan(length), bytes);
                length += sizeof(int);
            }

            Need(bytes);
            Encoding.UTF8.GetBytes(text, buffer.AsSpan(length));
            length += bytes;
        }

        private void Need(int bytes)
        {
            if (bytes > buffer.Length - length)
            {
                Array.Resize(ref buffer, Math.Max(buffer.Length * 2, length + bytes));
            }
        }
    }
}
