using Mangrove.Kernel;
using Mangrove.Sealing;
using Mangrove.Vault.Access;
using Mangrove.Vault.Audit;
using Mangrove.Vault.Index;
using Mangrove.Vault.Keys;

namespace Mangrove.Vault;

/// <summary>
/// An act that was granted and recorded, while it lasts: reads and seals the fields of its request, for its patients,
/// and nothing else. Not safe for several threads at once, but for <see cref="Index"/> and <see cref="Part"/>; each part
/// is one thread's again. Dispose zeroes the patients' keys.
/// </summary>
public sealed class Opening : IDisposable
{
    private readonly Receipt receipt;
    private readonly KeyRing keys;
    private readonly Guid facility;
    private Dictionary<PatientId, WrappedKey> wrapped;
    private readonly PatientIndex index;
    private readonly Receipt.Log log;
    private readonly HashSet<PatientId> patients;
    private readonly HashSet<FieldUse> reads;
    private readonly HashSet<FieldUse> writes;
    private readonly HashSet<Field> renews;
    private readonly HashSet<ISealedRow> advanced = new(ReferenceEqualityComparer.Instance);
    private (PatientId Patient, PatientKey Key)? current;

    // Only while patients' keys are changed: what is under the old key is opened beside what is sealed under the new one.
    private (PatientId Patient, PatientKey Key)? older;
    private readonly bool everyone;
    private readonly Opening? whole;
    private readonly KeyHolds.Hold? held;
    private volatile bool disposed;

    internal Opening(Receipt receipt, KeyRing keys, Guid facility, Dictionary<PatientId, WrappedKey> wrapped, PatientIndex index, Receipt.Log log, KeyHolds.Hold? held)
    {
        this.held = held;
        this.receipt = receipt;
        this.keys = keys;
        this.facility = facility;
        this.wrapped = wrapped;
        this.index = index;
        this.log = log;
        patients = [.. receipt.Grant.Patients.Select(patient => patient.Id)];
        everyone = receipt.Grant.Request.Everyone;
        reads = [.. receipt.Grant.Reads];
        writes = [.. receipt.Grant.Writes];
        renews = receipt.Grant.Actor.Work == SystemWork.Renewal ? [.. receipt.Grant.Writes.Select(use => use.Field)] : [];
    }

    private Opening(Opening whole, Dictionary<PatientId, WrappedKey> wrapped)
        : this(whole.receipt, whole.keys, whole.facility, wrapped, whole.index, whole.log, null) => this.whole = whole;

    private bool Ended => disposed || whole is { Ended: true };

    /// <summary>The number of the entry that recorded this act.</summary>
    public long EntrySeq => receipt.Seq;

    /// <summary>Whether the act covers this patient (a narrowed request may have left some out).</summary>
    public bool Covers(PatientId patient) => everyone || patients.Contains(patient);

    /// <summary>
    /// For acts over every patient: makes or fetches the keys of the next patients, forgetting those of the last ones.
    /// </summary>
    /// <param name="next">The patients whose rows come next.</param>
    /// <param name="create">Whether patients without a key are new.</param>
    /// <param name="cancel">Ends the wait.</param>
    public async Task Turn(IReadOnlyCollection<PatientId> next, bool create, CancellationToken cancel)
    {
        if (!everyone)
        {
            throw new InvalidOperationException("Only an act over every patient turns from some patients to others.");
        }

        if (create)
        {
            await keys.CreateFor(next, cancel);
        }

        // Rows of the last patients are done with; keeping them would hold every row of the hospital in memory.
        advanced.Clear();
        wrapped = await keys.Load(next, remember: false, cancel);
    }

    /// <summary>
    /// For acts over every patient: some of them in an opening of their own, so that several threads work at once on
    /// different patients. It is the same act, under the same grant and the same entry, and it ends with this opening at
    /// the latest.
    /// </summary>
    /// <param name="part">The patients of the part. No other part may have them at the same time.</param>
    /// <param name="cancel">Ends the wait.</param>
    public async Task<Opening> Part(IReadOnlyCollection<PatientId> part, CancellationToken cancel)
    {
        ObjectDisposedException.ThrowIf(Ended, this);
        return everyone
            ? new Opening(this, await keys.Load(part, remember: false, cancel))
            : throw new InvalidOperationException("Only an act over every patient is done in parts.");
    }

    /// <summary>Whether the act may read this field (a narrowed request may have left some out).</summary>
    public bool MayRead(FieldUse use) => reads.Contains(use);

    /// <summary>Opens one field of a row; null when the field is absent.</summary>
    /// <exception cref="InvalidOperationException">The field or the patient was not in the request: a bug of the caller.</exception>
    /// <exception cref="SealBroken">The envelope is damaged or not of this place; that is an entry of its own.</exception>
    public T? Read<TRow, T>(TRow row, Field<TRow, T> field)
        where TRow : class, ISealedRow
        where T : class
    {
        ObjectDisposedException.ThrowIf(Ended, this);
        if (!Covers(row.PatientId) || !reads.Contains(new FieldUse(field, field.CategoryOf(row))))
        {
            throw new InvalidOperationException($"{field.Table}.{field.Column} was not granted to this act.");
        }

        return field.Envelope(row) is { } envelope
            ? field.Decode(Plain(envelope, row, field, row.RowVersion))
            : null;
    }

    /// <summary>As <see cref="Read"/>, for work over many rows that a damaged one must not stop.</summary>
    /// <returns>False when the envelope is damaged or not of this place, which is an entry of its own.</returns>
    /// <exception cref="InvalidOperationException">The field or the patient was not in the request: a bug of the caller.</exception>
    public bool TryRead<TRow, T>(TRow row, Field<TRow, T> field, out T? value)
        where TRow : class, ISealedRow
        where T : class
    {
        try
        {
            value = Read(row, field);
            return true;
        }
        catch (SealBroken)
        {
            value = null;
            return false;
        }
    }

    /// <summary>Reads the field if the act may, else gives null. For pages that show what a role may see.</summary>
    public T? ReadIfGranted<TRow, T>(TRow row, Field<TRow, T> field)
        where TRow : class, ISealedRow
        where T : class =>
        Covers(row.PatientId) && reads.Contains(new FieldUse(field, field.CategoryOf(row))) ? Read(row, field) : null;

    /// <summary>
    /// Seals a value into a row. The first change of a row in this act moves the whole row to its next version (every
    /// sealed field of it is sealed anew, so that an old cell cannot be put back) and marks it with this act's entry.
    /// </summary>
    public void Set<TRow, T>(TRow row, Field<TRow, T> field, T? value)
        where TRow : class, ISealedRow
        where T : class
    {
        ObjectDisposedException.ThrowIf(Ended, this);
        if (!Covers(row.PatientId) || !writes.Contains(new FieldUse(field, field.CategoryOf(row))))
        {
            throw new InvalidOperationException($"{field.Table}.{field.Column} was not granted to this act.");
        }

        var key = KeyFor(row.PatientId);
        Advance(row, key);
        field.Replace(row, value is null ? null : SealBytes(field.Encode(value), key, row, field));
    }

    /// <summary>
    /// Seals a stored cell anew under its patient's newest key, for the same place and the same version of its row. The
    /// plaintext does not leave this call. Null when the cell is under that key, in today's format, already.
    /// </summary>
    /// <exception cref="SealBroken">The envelope is damaged or not of this place; that is an entry of its own.</exception>
    internal byte[]? Renew(Field field, Guid row, PatientId patient, int version, byte[] envelope)
    {
        ObjectDisposedException.ThrowIf(Ended, this);
        if (!Covers(patient) || !renews.Contains(field))
        {
            throw new InvalidOperationException($"{field.Table}.{field.Column} was not granted to this act.");
        }

        var address = new CellAddress(facility, field.Table, field.Column, row, patient.Value, version);
        try
        {
            var key = KeyFor(patient);
            if (Envelope.IsNewest(envelope, key.Id))
            {
                return null;
            }

            var plain = Envelope.Open(envelope, KeyOf(patient, envelope).Material, address);
            var anew = Envelope.Seal(plain, key.Material, key.Id, key.Version, address, PaddingOf(field));
            System.Security.Cryptography.CryptographicOperations.ZeroMemory(plain);
            return anew;
        }
        catch (SealBroken)
        {
            _ = log.Broken(receipt.Grant, patient, field);
            throw;
        }
    }

    /// <summary>
    /// Puts a patient's index entry in place after the clinic has committed the same values. May run beside the reading
    /// and sealing of other rows.
    /// </summary>
    public void Index(PatientId patient, string mrn, PersonName name, BirthAndSex person, IReadOnlyList<string> phones)
    {
        if (!Covers(patient))
        {
            throw new InvalidOperationException("The patient was not granted to this act.");
        }

        if (receipt.Grant.Request.Purpose == Purpose.System)
        {
            // What the load at start brings is older than what a registration has put meanwhile.
            index.Load(new IndexEntry(patient, mrn, name, person, phones));
            return;
        }

        index.Put(patient, mrn, name, person, phones);
    }

    public void Dispose()
    {
        disposed = true;
        current?.Key.Dispose();
        current = null;
        older?.Key.Dispose();
        older = null;
        held?.Dispose();
        if (whole is null)
        {
            receipt.End();
        }
    }

    private void Advance(ISealedRow row, PatientKey key)
    {
        if (!advanced.Add(row))
        {
            return;
        }

        var version = row.RowVersion;
        row.RowVersion = version + 1;
        row.EntrySeq = receipt.Seq;
        if (version == 0)
        {
            return;
        }

        foreach (var field in Field.Of(row.GetType()))
        {
            if (field.Envelope(row) is { } envelope)
            {
                var plain = Plain(envelope, row, field, version);
                field.Replace(row, SealBytes(plain, key, row, field));
                System.Security.Cryptography.CryptographicOperations.ZeroMemory(plain);
            }
        }
    }

    private byte[] Plain(byte[] envelope, ISealedRow row, Field field, int version)
    {
        try
        {
            return Envelope.Open(envelope, KeyOf(row.PatientId, envelope).Material, Address(row, field, version));
        }
        catch (SealBroken)
        {
            // Not waited for: nothing was opened, so nothing is owed to the log before this act may fail. Entries keep
            // their order, so any later act has this one before it.
            _ = log.Broken(receipt.Grant, row.PatientId, field);
            throw;
        }
    }

    private byte[] SealBytes(byte[] plain, PatientKey key, ISealedRow row, Field field) =>
        Envelope.Seal(plain, key.Material, key.Id, key.Version, Address(row, field, row.RowVersion), PaddingOf(field));

    private static Padding PaddingOf(Field field) => field.Width == 0 ? Padding.Padme : Padding.To(field.Width);

    private CellAddress Address(ISealedRow row, Field field, int version) =>
        new(facility, field.Table, field.Column, row.Id, row.PatientId.Value, version);

    // The key that seals: always the newest, also when it came after this act had begun.
    private PatientKey KeyFor(PatientId patient) => Held(ref current, patient, Newest(patient));

    // The key that opens: the one that the envelope names, and no other is tried. One that names none of this patient's is
    // opened with the newest, and answers like any broken seal.
    private PatientKey KeyOf(PatientId patient, byte[] envelope)
    {
        var newest = Newest(patient);
        if (newest?.Before is null)
        {
            return Held(ref current, patient, newest);
        }

        var id = Envelope.ReadHeader(envelope).KeyId;
        return newest.Named(id) is { } before && before != newest ? Held(ref older, patient, before) : Held(ref current, patient, newest);
    }

    // What was loaded with this act hangs from a data key that is held; what came later is taken only where it is newer.
    private WrappedKey? Newest(PatientId patient)
    {
        var loaded = wrapped.GetValueOrDefault(patient);
        return loaded is not null && keys.Turned(patient) is { } next && next.Version > loaded.Version ? next : loaded;
    }

    // Rows come patient by patient, so one unwrapped key at a time is enough and the least is in memory.
    private PatientKey Held(ref (PatientId Patient, PatientKey Key)? slot, PatientId patient, WrappedKey? wanted)
    {
        if (wanted is null)
        {
            throw new RefusedInput("keys.patient-key-missing", "The key of this record is gone: it was destroyed, or keys.db is older than the record.");
        }

        if (slot is { } held)
        {
            if (held.Patient == patient && held.Key.Id == wanted.Id)
            {
                return held.Key;
            }

            held.Key.Dispose();
            slot = null;
        }

        var key = keys.Unwrap(patient, wanted);
        slot = (patient, key);
        return key;
    }
}
