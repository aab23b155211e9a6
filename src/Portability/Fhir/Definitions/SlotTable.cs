using System.Buffers.Binary;
using System.Numerics;
using System.Text;

namespace Mangrove.Portability.Fhir.Definitions;

/// <summary>
/// The properties of a type, found by their names as they stand in the JSON. Every property of every resource that comes
/// or goes is looked up here, so its bytes are not made into text for it.
/// </summary>
internal sealed class SlotTable
{
    private readonly (byte[] Name, Slot? Slot)[] places;

    public SlotTable(IReadOnlyCollection<Slot> slots)
    {
        // At most half full, so that a name that is not there is soon known not to be.
        places = new (byte[], Slot?)[BitOperations.RoundUpToPowerOf2((uint)(slots.Count * 2) + 1)];
        foreach (var slot in slots)
        {
            var name = Encoding.UTF8.GetBytes(slot.Name);
            var at = Place(name);
            while (places[at].Slot is not null)
            {
                at = (at + 1) & (places.Length - 1);
            }

            places[at] = (name, slot);
        }
    }

    public static SlotTable Empty { get; } = new([]);

    public Slot? Find(ReadOnlySpan<byte> name)
    {
        for (var at = Place(name); places[at].Slot is { } slot; at = (at + 1) & (places.Length - 1))
        {
            if (name.SequenceEqual(places[at].Name))
            {
                return slot;
            }
        }

        return null;
    }

    private int Place(ReadOnlySpan<byte> name)
    {
        // Names of one type differ in their length, their first or their last four letters, nearly always.
        var (first, last) = name.Length >= 4
            ? (BinaryPrimitives.ReadUInt32LittleEndian(name), BinaryPrimitives.ReadUInt32LittleEndian(name[^4..]))
            : name.Length > 0 ? (name[0], name[^1]) : (0U, 0U);
        var mixed = unchecked(((first * 0x9E3779B1U) ^ (last * 0x85EBCA77U)) + (uint)name.Length);
        return (int)((mixed ^ (mixed >> 15)) & (uint)(places.Length - 1));
    }
}
