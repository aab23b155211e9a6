using System.Collections.Concurrent;
using System.Data.Common;
using System.Text;
using Mangrove.Kernel;
using Mangrove.Sealing;

namespace Mangrove.Vault.Keys;

/// <summary>The purposes that have a key of their own, random and wrapped by the root key (seeds 2.3: separate keys).</summary>
internal enum KeyPurpose
{
    Data = 1,
    Index = 2,
    Audit = 3,
    Backup = 4,
    Sync = 5,
    Pepper = 6,
    Ring = 7,
}

/// <summary>A patient's own data key while it is in use. Dispose zeroes it.</summary>
internal sealed class PatientKey(Guid id, int version, KeyMaterial material) : IDisposable
{
    public Guid Id => id;

    public int Version => version;

    public KeyMaterial Material => material;

    public void Dispose() => material.Dispose();
}

/// <summary>
/// Every key of the hospital while the system is unsealed: purpose keys in memory, patients' keys wrapped in keys.db
/// and unwrapped only while a row of theirs is opened. keys.db is never part of a data backup.
/// </summary>
internal sealed partial class KeyRing : IDisposable
{
    private const int CacheSize = 200_000;

    private const string Schema = """
        CREATE TABLE IF NOT EXISTS purpose_key (
            purpose INTEGER NOT NULL, version INTEGER NOT NULL, id BLOB NOT NULL, wrapped BLOB NOT NULL, created INTEGER NOT NULL,
            PRIMARY KEY (purpose, version));
        CREATE TABLE IF NOT EXISTS patient_key (
            patient BLOB NOT NULL PRIMARY KEY, id BLOB NOT NULL, version INTEGER NOT NULL, wrapped BLOB NOT NULL, created INTEGER NOT NULL) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS secret (
            name TEXT NOT NULL PRIMARY KEY, wrapped BLOB NOT NULL, created INTEGER NOT NULL) WITHOUT ROWID
        """;

    private readonly Store store;
    private readonly TimeProvider clock;
    private readonly ConcurrentDictionary<PatientId, WrappedKey> cache = new();

    // One writer of keys.db at a time, in the order in which they came: a rotation's batches do not starve a registration.
    private readonly SemaphoreSlim writing = new(1, 1);

    // Kept while the system is unsealed: a version that the schedule makes at night is wrapped by it (decision 15).
    private KeyMaterial root;

    // Replaced whole, never changed: whoever has taken it sees one state of the keys.
    private volatile PurposeKeys purposes = PurposeKeys.None;

    // Asking the dictionary for its count takes every lock of it, for each key that is remembered.
    private int cached;

    private KeyRing(Store store, KeyMaterial root, TimeProvider clock)
    {
        this.store = store;
        this.root = root;
        this.clock = clock;
    }

    /// <summary>Creates the tables where they are missing.</summary>
    public static async Task CreateTables(Store store, CancellationToken cancel)
    {
        await store.Create(Schema, cancel);
        await Upgrade(store, cancel);
    }

    /// <summary>Creates keys.db with one new random key for every purpose.</summary>
    public static async Task Create(Store store, KeyMaterial root, TimeProvider clock, CancellationToken cancel)
    {
        await CreateTables(store, cancel);
        await using var connection = await store.Open(cancel);
        await using var transaction = await connection.BeginTransactionAsync(cancel);
        foreach (var purpose in Enum.GetValues<KeyPurpose>())
        {
            using var key = KeyMaterial.Generate();
            await connection.Run(
                "INSERT INTO purpose_key (purpose, version, id, wrapped, created) VALUES (@purpose, 1, @id, @wrapped, @created)",
                cancel,
                ("@purpose", (long)purpose),
                ("@id", Ids.New()),
                ("@wrapped", KeyWrap.WrapBound(root, key, Context(purpose, 1))),
                ("@created", clock.GetUtcNow().ToUnixTimeMilliseconds()));
        }

        await transaction.CommitAsync(cancel);
    }

    /// <summary>Opens keys.db with the root key, and makes the tables in it that an earlier version did not know.</summary>
    /// <exception cref="RefusedInput"><c>keys.wrong-root</c>: the root key is not the one that wrapped these keys.</exception>
    public static async Task<KeyRing> Open(Store store, KeyMaterial root, TimeProvider clock, CancellationToken cancel)
    {
        await Upgrade(store, cancel);
        return await OpenAsItIs(store, root, clock, cancel);
    }

    /// <summary>The same for a store whose tables nobody may change yet. What an earlier version did not have is a fault of the database here.</summary>
    /// <exception cref="RefusedInput"><c>keys.wrong-root</c>, <c>keys.incomplete</c>.</exception>
    public static async Task<KeyRing> OpenAsItIs(Store store, KeyMaterial root, TimeProvider clock, CancellationToken cancel)
    {
        KeyRing? ring = new(store, KeyMaterial.From(root.Bytes), clock);
        try
        {
            await using var connection = await store.Open(cancel);
            var rows = await connection.Query(
                "SELECT purpose, version, id, wrapped, created FROM purpose_key ORDER BY purpose, version",
                reader => ((KeyPurpose)reader.GetInt64(0), (int)reader.GetInt64(1), reader.Guid(2), reader.Bytes(3), reader.GetInt64(4)),
                cancel);
            var least = await Least(connection, cancel);
            foreach (var (purpose, version, id, wrapped, created) in rows)
            {
                // A retired version that somebody put back from an old copy opens nothing (threats K5).
                if (version >= least.GetValueOrDefault(purpose, 1))
                {
                    var key = KeyWrap.UnwrapBound(root, wrapped, Context(purpose, version));
                    ring.purposes = ring.purposes.With(new PurposeKey(purpose, version, id, key, DateTimeOffset.FromUnixTimeMilliseconds(created)));
                }
            }

            foreach (var purpose in Enum.GetValues<KeyPurpose>())
            {
                if (!ring.purposes.Has(purpose))
                {
                    throw new RefusedInput("keys.incomplete", $"keys.db has no key for {purpose}. Restore keys.db from its own backup.");
                }
            }

            var opened = ring;
            ring = null;
            return opened;
        }
        catch (SealBroken)
        {
            throw new RefusedInput(WrongRoot, "The root key does not open keys.db of this folder. Use the passphrase or key file chosen at its set-up.");
        }
        finally
        {
            ring?.Dispose();
        }
    }

    /// <summary>The key now in use for a purpose. Owned by the ring: do not dispose.</summary>
    public KeyMaterial Of(KeyPurpose purpose) => purposes.Newest(purpose).Key;

    /// <summary>Every key of every purpose, by purpose and version.</summary>
    public IReadOnlyList<KeyState> States() =>
        [.. purposes.All.Select(key => new KeyState(Word(key.Purpose), key.Id, key.Version, key.Created, key == purposes.Newest(key.Purpose)))];

    /// <summary>How many patients have a key of their own, by its version.</summary>
    public async Task<IReadOnlyList<PatientKeyState>> PatientKeys(CancellationToken cancel)
    {
        await using var connection = await store.Open(cancel);
        return await connection.Query(
            "SELECT version, COUNT(*), MIN(created), MAX(created) FROM patient_key GROUP BY version ORDER BY version",
            reader => new PatientKeyState((int)reader.GetInt64(0), reader.GetInt64(1), DateTimeOffset.FromUnixTimeMilliseconds(reader.GetInt64(2)), DateTimeOffset.FromUnixTimeMilliseconds(reader.GetInt64(3))),
            cancel);
    }

    /// <summary>Makes a key for each patient that has none; durable when the task ends.</summary>
    public async Task CreateFor(IReadOnlyCollection<PatientId> patients, CancellationToken cancel)
    {
        using var held = Hold();
        using var turn = await Writing(cancel);
        var data = Newest(KeyPurpose.Data);
        await using var connection = await store.Open(cancel);
        await using var transaction = await connection.BeginTransactionAsync(cancel);
        await using var insert = connection.Prepared(
            // A patient whose keys were destroyed never gets one again: nothing can be sealed for that id.
            "INSERT INTO patient_key (patient, id, version, wrapped, created, data_version) SELECT @patient, @id, @version, @wrapped, @created, @data WHERE NOT EXISTS (SELECT 1 FROM patient_tombstone WHERE patient = @patient) ON CONFLICT (patient) DO NOTHING",
            "@patient",
            "@id",
            "@version",
            "@wrapped",
            "@created",
            "@data");
        var now = clock.GetUtcNow().ToUnixTimeMilliseconds();
        var made = new List<(PatientId, WrappedKey)>(patients.Count);
        foreach (var patient in patients)
        {
            using var key = KeyMaterial.Generate();
            var wrapped = new WrappedKey(Ids.New(), 1, KeyWrap.WrapBound(data.Key, key, Context(patient)), data.Version);
            if (await insert.Run(cancel, patient.Value, wrapped.Id, wrapped.Version, wrapped.Wrapped, now, data.Version) == 1)
            {
                made.Add((patient, wrapped));
            }
        }

        await transaction.CommitAsync(cancel);
        foreach (var (patient, wrapped) in made)
        {
            Remember(patient, wrapped);
        }
    }

    /// <summary>The wrapped keys of these patients, read from the cache or keys.db in few statements.</summary>
    /// <param name="patients">Whose keys.</param>
    /// <param name="remember">Whether they will be asked for again soon. Passing by everybody would drive out those that are.</param>
    /// <param name="cancel">Ends the wait.</param>
    public async Task<Dictionary<PatientId, WrappedKey>> Load(IReadOnlyCollection<PatientId> patients, bool remember, CancellationToken cancel)
    {
        var found = new Dictionary<PatientId, WrappedKey>(patients.Count);
        var newest = Newest(KeyPurpose.Data).Version;
        List<PatientId>? missing = null;
        foreach (var patient in patients)
        {
            // One that hangs from an older data key is read anew: it may have been rewrapped since, and the older key gone.
            if (Turned(patient) is { } next && next.HangsFrom(newest))
            {
                found[patient] = next;
            }
            else if (cache.TryGetValue(patient, out var wrapped) && wrapped.HangsFrom(newest))
            {
                found[patient] = wrapped;
            }
            else
            {
                (missing ??= []).Add(patient);
            }
        }

        if (missing is null)
        {
            return found;
        }

        await using var connection = await store.Open(cancel);
        foreach (var chunk in missing.Chunk(200))
        {
            var values = chunk.Select((patient, index) => ($"@p{index}", (object?)patient.Value)).ToArray();
            var list = string.Join(',', values.Select(value => value.Item1));
            foreach (var (patient, key) in await Chains(connection, list, cancel, values))
            {
                found[patient] = key;
                if (remember)
                {
                    Remember(patient, key);
                }
            }
        }

        return found;
    }

    /// <summary>Unwraps a patient's key for as long as the caller keeps it.</summary>
    public PatientKey Unwrap(PatientId patient, WrappedKey wrapped) =>
        new(wrapped.Id, wrapped.Version, KeyWrap.UnwrapBound(Of(KeyPurpose.Data, wrapped.DataVersion), wrapped.Wrapped, Context(patient)));

    /// <summary>Keeps a secret of the system (signing key, certificate key), wrapped by a purpose key and bound to its name.</summary>
    public async Task PutSecret(KeyPurpose purpose, string name, ReadOnlyMemory<byte> value, CancellationToken cancel)
    {
        using var held = Hold();
        using var turn = await Writing(cancel);
        var key = Newest(purpose);
        await using var connection = await store.Open(cancel);
        await connection.Run(
            "INSERT INTO secret (name, wrapped, created, purpose) VALUES (@name, @wrapped, @created, @purpose) ON CONFLICT (name) DO UPDATE SET wrapped = excluded.wrapped, created = excluded.created, purpose = excluded.purpose",
            cancel,
            ("@name", name),
            ("@wrapped", Envelope.Seal(value.Span, key.Key, Guid.Empty, key.Version, SecretAddress(name))),
            ("@created", clock.GetUtcNow().ToUnixTimeMilliseconds()),
            ("@purpose", (int)purpose));
    }

    public async Task<byte[]?> Secret(KeyPurpose purpose, string name, CancellationToken cancel)
    {
        using var held = Hold();
        await using var connection = await store.Open(cancel);
        return await connection.Scalar("SELECT wrapped FROM secret WHERE name = @name", cancel, ("@name", name)) is byte[] wrapped
            ? Envelope.Open(wrapped, Of(purpose, Envelope.ReadHeader(wrapped).KeyVersion), SecretAddress(name))
            : null;
    }

    public async Task<IReadOnlyList<string>> SecretNames(string prefix, CancellationToken cancel)
    {
        await using DbConnection connection = await store.Open(cancel);
        return await connection.Query("SELECT name FROM secret WHERE name LIKE @prefix ORDER BY name", reader => reader.GetString(0), cancel, ("@prefix", prefix + "%"));
    }

    public void Dispose()
    {
        foreach (var key in purposes.All)
        {
            key.Key.Dispose();
        }

        purposes = PurposeKeys.None;
        root.Dispose();
        writing.Dispose();
        cache.Clear();
    }

    private void Remember(PatientId patient, WrappedKey key)
    {
        if (!cache.TryAdd(patient, key))
        {
            cache[patient] = key;
        }
        else if (Interlocked.Increment(ref cached) > CacheSize)
        {
            // Wrapped keys are cheap to read again; starting over is simpler than keeping an order, and bounds the memory.
            Interlocked.Exchange(ref cached, 0);
            cache.Clear();
        }
    }

    private static CellAddress SecretAddress(string name) => new(Guid.Empty, "secret", name, Guid.Empty, Guid.Empty, 1);

    private static byte[] Context(KeyPurpose purpose, int version) => Encoding.UTF8.GetBytes($"purpose:{(int)purpose}:{version}");

    private static byte[] Context(PatientId patient) => [.. "patient:"u8, .. patient.Value.ToByteArray(bigEndian: true)];
}

/// <summary>A patient's data key as keys.db holds it.</summary>
/// <param name="Id">Of the patient's key.</param>
/// <param name="Version">Of the patient's key.</param>
/// <param name="Wrapped">The key, wrapped by the data key.</param>
/// <param name="DataVersion">Version of the data key that it hangs from.</param>
internal sealed record WrappedKey(Guid Id, int Version, byte[] Wrapped, int DataVersion)
{
    /// <summary>The key of before, while something may still be sealed under it.</summary>
    public WrappedKey? Before { get; init; }

    /// <summary>This key or an older one of the same patient, by the id that an envelope names; null when there is none.</summary>
    public WrappedKey? Named(Guid id) => Id == id ? this : Before?.Named(id);

    /// <summary>Whether it and every older one are wrapped by this version of the data key.</summary>
    public bool HangsFrom(int version) => DataVersion == version && (Before is null || Before.HangsFrom(version));
}

/// <summary>A purpose key as health pages show it: no material.</summary>
/// <param name="Purpose">In lower case: <c>data</c>, <c>index</c>, <c>audit</c>, <c>backup</c>, <c>sync</c>, <c>pepper</c>, <c>ring</c>.</param>
/// <param name="Id">Random; stands in backups and certificates for the key.</param>
/// <param name="Version">From 1.</param>
/// <param name="Created">When it was made.</param>
/// <param name="InUse">Whether new things are sealed under it; else it opens what is older.</param>
public sealed record KeyState(string Purpose, Guid Id, int Version, DateTimeOffset Created, bool InUse);

/// <summary>The patients' own keys of one version: how many, and when the first and the last was made. No patient is named.</summary>
public sealed record PatientKeyState(int Version, long Count, DateTimeOffset Oldest, DateTimeOffset Newest);
