using System.Numerics;

namespace Mangrove.Vault.Index;

/// <summary>
/// The slots of the patients that share a key. Most keys belong to one patient and take sixteen bytes; a list when there
/// are several; one bit a patient when more than one in <see cref="Sparse"/> has it, so that two common keys meet in
/// microseconds. Mutable: use by reference only.
/// </summary>
internal struct SlotSet
{
    public const int Sparse = 64;

    private Array? store;
    private int only;

    public int Count { get; private set; }

    /// <summary>The bits, if the set is kept that way; they may end before the last slot of the index.</summary>
    public readonly ulong[]? Bits => store as ulong[];

    /// <summary>Adds a slot that is not in the set, unless it was the last one added.</summary>
    /// <param name="slot">The slot.</param>
    /// <param name="patients">How many patients there are or will be; decides between list and bits.</param>
    public void Add(int slot, int patients)
    {
        if (store is ulong[] bits)
        {
            var word = slot >> 6;
            if (word >= bits.Length)
            {
                Array.Resize(ref bits, Math.Max(word + 1, Math.Min(bits.Length + (bits.Length >> 1), (patients >> 6) + 1)));
                store = bits;
            }

            if ((bits[word] & (1UL << (slot & 63))) == 0)
            {
                bits[word] |= 1UL << (slot & 63);
                Count++;
            }

            return;
        }

        if (Count == 0)
        {
            // A list that was emptied must go too: while it is there, it and not the one slot is what counts.
            store = null;
            only = slot;
            Count = 1;
            return;
        }

        var list = (int[]?)store;
        if (list is null)
        {
            if (only == slot)
            {
                return;
            }

            store = new[] { only, slot };
            Count = 2;
            return;
        }

        if (list[Count - 1] == slot)
        {
            return;
        }

        if (Count == list.Length)
        {
            if (Count > Math.Max(256, patients / Sparse))
            {
                ToBits(list, slot);
                return;
            }

            Array.Resize(ref list, Count + Math.Max(2, Count >> 1));
            store = list;
        }

        list[Count++] = slot;
    }

    public void Remove(int slot)
    {
        if (store is ulong[] bits)
        {
            if (slot >> 6 < bits.Length && (bits[slot >> 6] & (1UL << (slot & 63))) != 0)
            {
                bits[slot >> 6] &= ~(1UL << (slot & 63));
                Count--;
            }

            return;
        }

        if (store is int[] list)
        {
            var at = Array.IndexOf(list, slot, 0, Count);
            if (at >= 0)
            {
                list[at] = list[--Count];
            }

            return;
        }

        if (Count == 1 && only == slot)
        {
            Count = 0;
        }
    }

    /// <summary>Adds every slot to <paramref name="target"/>, which covers the whole index.</summary>
    public readonly void UnionInto(ulong[] target)
    {
        if (store is ulong[] bits)
        {
            var length = Math.Min(bits.Length, target.Length);
            var i = 0;
            for (; i <= length - Vector<ulong>.Count; i += Vector<ulong>.Count)
            {
                (new Vector<ulong>(target, i) | new Vector<ulong>(bits, i)).CopyTo(target, i);
            }

            for (; i < length; i++)
            {
                target[i] |= bits[i];
            }
        }
        else if (store is int[] list)
        {
            foreach (var slot in list.AsSpan(0, Count))
            {
                target[slot >> 6] |= 1UL << (slot & 63);
            }
        }
        else if (Count == 1)
        {
            target[only >> 6] |= 1UL << (only & 63);
        }
    }

    /// <summary>Copies up to <paramref name="most"/> slots, lowest first when kept as bits.</summary>
    public readonly void CopyTo(List<int> slots, int most)
    {
        if (store is ulong[] bits)
        {
            for (var i = 0; i < bits.Length && slots.Count < most; i++)
            {
                for (var word = bits[i]; word != 0 && slots.Count < most; word &= word - 1)
                {
                    slots.Add((i << 6) + BitOperations.TrailingZeroCount(word));
                }
            }
        }
        else if (store is int[] list)
        {
            for (var i = 0; i < Count && slots.Count < most; i++)
            {
                slots.Add(list[i]);
            }
        }
        else if (Count == 1 && slots.Count < most)
        {
            slots.Add(only);
        }
    }

    private void ToBits(int[] list, int slot)
    {
        var highest = slot;
        foreach (var one in list)
        {
            highest = Math.Max(highest, one);
        }

        var bits = new ulong[(highest >> 6) + 1];
        foreach (var one in list)
        {
            bits[one >> 6] |= 1UL << (one & 63);
        }

        bits[slot >> 6] |= 1UL << (slot & 63);
        var count = 0;
        foreach (var word in bits)
        {
            count += BitOperations.PopCount(word);
        }

        store = bits;
        Count = count;
    }
}
