using Mangrove.Kernel;
using Mangrove.Vault.Access;
using Mangrove.Vault.Identity;

namespace Mangrove.Vault.Index;

/// <summary>One patient on the way into the index.</summary>
internal readonly record struct IndexEntry(PatientId Id, string Mrn, PersonName Name, BirthAndSex Person, IReadOnlyList<string> Phones)
{
    /// <summary>Nothing: an entry is PHI.</summary>
    public override string ToString() => nameof(IndexEntry);
}

/// <summary>How far the load at start has come.</summary>
/// <param name="Loaded">Patients in the index.</param>
/// <param name="Expected">Patients that the load will bring; 0 when not known yet.</param>
/// <param name="Ready">Whether a search sees every patient.</param>
internal readonly record struct IndexProgress(int Loaded, int Expected, bool Ready);

/// <summary>
/// The patients of the hospital in memory, found by name, hospital number and telephone. It holds protected information
/// in the clear and never leaves the process: nothing of it is written anywhere. Searches run side by side; a change
/// waits for them and they for it, some microseconds.
/// </summary>
/// <remarks>
/// An index begins as not ready: <see cref="Expect"/>, <see cref="Load"/> or <see cref="PutMany"/> as often as needed,
/// <see cref="Complete"/>. Until then numbers may not be found by their beginning.
/// It can be searched and changed meanwhile; what was put or removed by itself during the load is newer than what the
/// load brings, and stands.
/// </remarks>
internal sealed partial class PatientIndex : IDisposable
{
    private readonly ReaderWriterLockSlim gate = new();
    private readonly SlotMap slots = new();
    private readonly TokenTable table = new();
    private readonly PatientRecords records = new();
    private readonly NumberOrder numbers = new();
    private readonly PhoneEndings phones = new();
    private readonly List<FiledKey> filing = [];
    private readonly byte[] scratchRecord = new byte[4096];

    // Only during the load: patients whose entry is newer than the load's.
    private readonly HashSet<PatientId> newer = [];
    private int expected;
    private bool ready;

    /// <summary>Patients in the index.</summary>
    public int Count => Progress.Loaded;

    /// <summary>Whether the load at start is complete, so that "not found" means not registered.</summary>
    public bool Ready => Progress.Ready;

    public IndexProgress Progress
    {
        get
        {
            gate.EnterReadLock();
            try
            {
                return new IndexProgress(slots.Count, expected, ready);
            }
            finally
            {
                gate.ExitReadLock();
            }
        }
    }

    /// <summary>Which categories of the index somebody may see in hits; empty when they may not search patients at all.</summary>
    public static IReadOnlyList<Category> FieldsFor(Actor actor) => FieldsFor(actor.Rights.Reads);

    internal static IReadOnlyList<Category> FieldsFor(IReadOnlyCollection<Category> reads) =>
        reads.Contains(Category.Name) ? [.. new[] { Category.Name, Category.BirthAndSex, Category.Contact }.Where(reads.Contains)] : [];

    /// <summary>How the audit log names what a hit shows of a category.</summary>
    public static string FieldName(Category category) => category switch
    {
        Category.Name => "name",
        Category.BirthAndSex => "birth_and_sex",
        Category.Contact => "phone",
        _ => throw new ArgumentOutOfRangeException(nameof(category)),
    };

    /// <summary>Makes room for so many patients before a load.</summary>
    public void Expect(int patients)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(patients);
        gate.EnterWriteLock();
        try
        {
            expected = patients;
            slots.Expect(patients);
            records.Expect(patients);
        }
        finally
        {
            gate.ExitWriteLock();
        }
    }

    /// <summary>Says that the load is complete: every registered patient is in the index.</summary>
    public void Complete()
    {
        gate.EnterWriteLock();
        try
        {
            numbers.Sort();
            ready = true;
            newer.Clear();
            newer.TrimExcess();
        }
        finally
        {
            gate.ExitWriteLock();
        }
    }

    /// <summary>Adds a patient, or puts these details in place of the former ones.</summary>
    public void Put(PatientId id, string mrn, PersonName name, BirthAndSex person, IReadOnlyList<string> phones)
    {
        var keys = KeysOf(mrn, name);
        gate.EnterWriteLock();
        try
        {
            if (!ready)
            {
                newer.Add(id);
            }

            Write(id, mrn, name, person, phones, keys, bulk: !ready);
        }
        finally
        {
            gate.ExitWriteLock();
        }
    }

    /// <summary>Adds one patient of a load, unless it was put or removed since the load began.</summary>
    public void Load(in IndexEntry entry) => LoadOne(entry, KeysOf(entry.Mrn, entry.Name));

    /// <summary>Adds the patients of a load.</summary>
    public void PutMany(IEnumerable<IndexEntry> entries, CancellationToken cancel = default)
    {
        var keys = new List<NameKey>();
        foreach (var entry in entries)
        {
            cancel.ThrowIfCancellationRequested();
            Collect(entry.Mrn, entry.Name, keys);
            LoadOne(entry, keys);
        }
    }

    public void Remove(PatientId id)
    {
        gate.EnterWriteLock();
        try
        {
            if (!ready)
            {
                newer.Add(id);
            }

            var slot = slots.Find(id);
            if (slot >= 0)
            {
                Unfile(slot);
                records.Remove(slot);
                slots.Remove(id);
            }
        }
        finally
        {
            gate.ExitWriteLock();
        }
    }

    /// <summary>A patient's name as it stands here; null for somebody who is not here. Inside the vault only.</summary>
    internal PersonName? NameOf(PatientId id)
    {
        gate.EnterReadLock();
        try
        {
            var slot = slots.Find(id);
            return slot < 0 ? null : NameIn(slot);
        }
        finally
        {
            gate.ExitReadLock();
        }
    }

    /// <summary>A patient's hospital number; null for somebody who is not here.</summary>
    internal string? NumberOf(PatientId id)
    {
        gate.EnterReadLock();
        try
        {
            var slot = slots.Find(id);
            return slot < 0 ? null : records.Read(slot).Mrn();
        }
        finally
        {
            gate.ExitReadLock();
        }
    }

    /// <summary>The family name of each patient who has one, in no order. Inside the vault only.</summary>
    /// <remarks>Taken some at a time, so that registrations go on; what changes meanwhile is in it or not.</remarks>
    internal IEnumerable<string> Families()
    {
        const int together = 4_096;
        for (var from = 0; ; from += together)
        {
            var some = new List<string>(together);
            int used;
            gate.EnterReadLock();
            try
            {
                used = slots.Used;
                for (var slot = from; slot < Math.Min(used, from + together); slot++)
                {
                    if (records.Holds(slot) && NameIn(slot).Family is { Length: > 0 } family)
                    {
                        some.Add(family);
                    }
                }
            }
            finally
            {
                gate.ExitReadLock();
            }

            foreach (var family in some)
            {
                yield return family;
            }

            if (from + together >= used)
            {
                yield break;
            }
        }
    }

    public void Dispose() => gate.Dispose();

    private PersonName NameIn(int slot)
    {
        var reader = records.Read(slot);
        _ = reader.Mrn();
        return reader.Name();
    }

    private void LoadOne(in IndexEntry entry, List<NameKey> keys)
    {
        gate.EnterWriteLock();
        try
        {
            if (!newer.Contains(entry.Id))
            {
                Write(entry.Id, entry.Mrn, entry.Name, entry.Person, entry.Phones, keys, bulk: !ready);
            }
        }
        finally
        {
            gate.ExitWriteLock();
        }
    }

    private static List<NameKey> KeysOf(string mrn, PersonName name)
    {
        var keys = new List<NameKey>();
        Collect(mrn, name, keys);
        return keys;
    }

    private static void Collect(string mrn, PersonName name, List<NameKey> keys)
    {
        NameKeys.Collect(name, keys);
        if (NumberOrder.KeyOf(mrn) < 0)
        {
            // A number of another system, with letters in it, is found as a word.
            var last = NameKeys.MostWords - 1;
            foreach (var word in NameKeys.Words(mrn, 4))
            {
                keys.Add(new NameKey(NameKeys.Forms(word.Joined)[0], NamePart.Text, last--, true));
            }
        }
    }

    private void Write(PatientId id, string mrn, PersonName name, BirthAndSex person, IReadOnlyList<string> telephones, List<NameKey> keys, bool bulk)
    {
        var slot = slots.Find(id);
        if (slot >= 0)
        {
            Unfile(slot);
        }
        else
        {
            slot = slots.Add(id);
        }

        var patients = Math.Max(expected, slots.Used);
        filing.Clear();
        foreach (var key in keys)
        {
            var token = table.Count < FiledKey.MostTokens ? table.Intern(key.Text) : table.Find(key.Text);
            var filed = FiledKey.Of(Math.Max(0, token), key);
            if (token >= 0 && !filing.Contains(filed))
            {
                filing.Add(filed);
                table.Add(token, slot, patients);
            }
        }

        foreach (var telephone in telephones)
        {
            if (PhoneEndings.Digits(telephone) is { Length: >= PhoneEndings.Least } digits)
            {
                phones.Ending(digits).Add(slot, patients);
            }
        }

        if (NumberOrder.KeyOf(mrn) is >= 0 and var number)
        {
            numbers.Add(number, slot, bulk);
        }

        slots.BornOf(slot) = MatchScore.Pack(person);
        records.Put(slot, System.Runtime.InteropServices.CollectionsMarshal.AsSpan(filing), mrn, name, person, telephones, scratchRecord);
    }

    private void Unfile(int slot)
    {
        foreach (var key in records.KeysOf(slot))
        {
            table.Remove(key.Token, slot);
        }

        var reader = records.Read(slot);
        if (NumberOrder.KeyOf(reader.Mrn()) is >= 0 and var number)
        {
            numbers.Remove(number, slot);
        }

        reader = records.Read(slot);
        reader.SkipToPhones();
        foreach (var telephone in reader.Phones())
        {
            if (PhoneEndings.Digits(telephone) is { Length: >= PhoneEndings.Least } digits)
            {
                phones.Ending(digits).Remove(slot);
            }
        }
    }
}
