using System.Buffers.Binary;
using System.Text;

namespace Mangrove.Sealing;

/// <summary>
/// The one place where a sealed value may be opened. It is authenticated with the value and not stored in it, so an
/// envelope moved to another facility, table, column, row, patient or row version does not open (threats K1, K2).
/// </summary>
/// <param name="Facility">The hospital that owns the row.</param>
/// <param name="Table">Name of the table: 1 to 64 ASCII characters.</param>
/// <param name="Column">Name of the column: 1 to 64 ASCII characters.</param>
/// <param name="Row">The row's id.</param>
/// <param name="Patient">The patient whose key seals the value; all zeros where the value belongs to no patient.</param>
/// <param name="RowVersion">The row's version, counted up on each write.</param>
public readonly record struct CellAddress(
    Guid Facility, string Table, string Column, Guid Row, Guid Patient, int RowVersion)
{
    private const int LongestName = 64;

    // Nine two-byte lengths, the format, four ids, two versions and two names: docs/formats/sealed-field.md.
    internal const int LongestAssociatedData = (9 * 2) + 2 + (4 * 16) + (2 * 4) + (2 * LongestName);

    /// <summary>Writes the associated data of an envelope at this place; returns its length in bytes.</summary>
    /// <exception cref="ArgumentException">A name is empty, longer than 64 or not ASCII.</exception>
    internal int WriteAssociatedData(ushort format, Guid keyId, int keyVersion, Span<byte> destination)
    {
        var at = 0;
        Number16(destination, ref at, format);
        Id(destination, ref at, Facility);
        Name(destination, ref at, Table);
        Name(destination, ref at, Column);
        Id(destination, ref at, Row);
        Id(destination, ref at, Patient);
        Id(destination, ref at, keyId);
        Number32(destination, ref at, keyVersion);
        Number32(destination, ref at, RowVersion);
        return at;
    }

    private static void Length(Span<byte> destination, ref int at, int length)
    {
        BinaryPrimitives.WriteUInt16BigEndian(destination[at..], (ushort)length);
        at += 2;
    }

    private static void Number16(Span<byte> destination, ref int at, ushort value)
    {
        Length(destination, ref at, 2);
        BinaryPrimitives.WriteUInt16BigEndian(destination[at..], value);
        at += 2;
    }

    private static void Number32(Span<byte> destination, ref int at, int value)
    {
        Length(destination, ref at, 4);
        BinaryPrimitives.WriteInt32BigEndian(destination[at..], value);
        at += 4;
    }

    private static void Id(Span<byte> destination, ref int at, Guid value)
    {
        Length(destination, ref at, 16);
        value.TryWriteBytes(destination[at..], bigEndian: true, out _);
        at += 16;
    }

    private static void Name(Span<byte> destination, ref int at, string value)
    {
        if (value is null || value.Length is 0 or > LongestName || !Ascii.IsValid(value))
        {
            throw new ArgumentException("A table or column name is 1 to 64 ASCII characters.", nameof(value));
        }

        Length(destination, ref at, value.Length);
        Ascii.FromUtf16(value, destination[at..], out var written);
        at += written;
    }
}
