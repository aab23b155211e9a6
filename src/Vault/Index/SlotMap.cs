using Mangrove.Kernel;

namespace Mangrove.Vault.Index;

/// <summary>
/// Gives each patient a slot, a small number that stands for the patient in every set, and keeps birth date and sex
/// beside it. Slots of removed patients are used again.
/// </summary>
internal sealed class SlotMap
{
    private readonly Stack<int> free = [];
    private PatientId[] ids = new PatientId[1 << 10];
    private int[] next = new int[1 << 10];
    private uint[] born = new uint[1 << 10];
    private int[] buckets = NewBuckets(1 << 10);

    /// <summary>Slots handed out, used or free: sets need as many bits.</summary>
    public int Used { get; private set; }

    public int Count { get; private set; }

    public PatientId IdOf(int slot) => ids[slot];

    /// <summary>Birth date, packed by <see cref="MatchScore.Pack(BirthAndSex)"/>.</summary>
    public ref uint BornOf(int slot) => ref born[slot];

    public int Find(PatientId id)
    {
        for (var slot = buckets[Bucket(id)]; slot >= 0; slot = next[slot])
        {
            if (ids[slot] == id)
            {
                return slot;
            }
        }

        return -1;
    }

    public int Add(PatientId id)
    {
        if (!free.TryPop(out var slot))
        {
            if (Used == ids.Length)
            {
                Resize(Used * 2);
            }

            slot = Used++;
        }

        var bucket = Bucket(id);
        ids[slot] = id;
        next[slot] = buckets[bucket];
        buckets[bucket] = slot;
        Count++;
        return slot;
    }

    public void Remove(PatientId id)
    {
        ref var link = ref buckets[Bucket(id)];
        while (link >= 0)
        {
            var slot = link;
            if (ids[slot] == id)
            {
                link = next[slot];
                ids[slot] = default;
                free.Push(slot);
                Count--;
                return;
            }

            link = ref next[slot];
        }
    }

    public void Expect(int patients)
    {
        if (patients > ids.Length)
        {
            Resize(patients);
        }
    }

    private void Resize(int length)
    {
        Array.Resize(ref ids, length);
        Array.Resize(ref next, length);
        Array.Resize(ref born, length);
        var size = 1 << 10;
        while (size < length)
        {
            size *= 2;
        }

        if (size == buckets.Length)
        {
            return;
        }

        buckets = NewBuckets(size);
        var unused = new HashSet<int>(free);
        for (var slot = 0; slot < Used; slot++)
        {
            if (!unused.Contains(slot))
            {
                ref var head = ref buckets[Bucket(ids[slot])];
                next[slot] = head;
                head = slot;
            }
        }
    }

    // Ids are random (Ids.New), so any of their bits spread well; an imported id that is not costs a longer chain.
    private int Bucket(PatientId id) => id.GetHashCode() & (buckets.Length - 1);

    private static int[] NewBuckets(int length)
    {
        var heads = new int[length];
        Array.Fill(heads, -1);
        return heads;
    }
}
