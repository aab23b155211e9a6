using System.Data.Common;
using Mangrove.Kernel;
using Mangrove.Sealing;

namespace Mangrove.Vault.Keys;

/// <summary>
/// The versions of the purpose keys: what was made under one opens under exactly that one, new things are made under the
/// newest, and a version is taken away only when nothing hangs from it (threats K5, K7).
/// </summary>
internal sealed partial class KeyRing
{
    private const int AuditPurpose = (int)KeyPurpose.Audit;
    private const int RingPurpose = (int)KeyPurpose.Ring;

    /// <summary>The code of a root key that is not the one that wrapped these keys.</summary>
    internal const string WrongRoot = "keys.wrong-root";

    private readonly KeyHolds holds = new();

    /// <summary>The version in use, with its number, for whoever seals something and has to say under what.</summary>
    public PurposeKey Newest(KeyPurpose purpose) => purposes.Newest(purpose);

    /// <summary>The version that a thing says it was made under. Owned by the ring: do not dispose, and hold (<see cref="Hold"/>) while it is used.</summary>
    /// <exception cref="SealBroken">No such version, or one that was retired: the same answer as for a broken seal.</exception>
    public KeyMaterial Of(KeyPurpose purpose, int version) => purposes.Find(purpose, version)?.Key ?? throw new SealBroken();

    /// <summary>Every version of a purpose that still opens something, newest first.</summary>
    public IReadOnlyList<PurposeKey> Versions(KeyPurpose purpose) => [.. purposes.All.Where(key => key.Purpose == purpose).Reverse()];

    /// <summary>
    /// Says that keys are in use from here until it is disposed: whatever is read, opened or stored meanwhile stays openable.
    /// Taken BEFORE a row is read that names a version, and before the newest version is taken to seal with.
    /// </summary>
    public KeyHolds.Hold Hold() => holds.Take();

    /// <summary>Waits for everybody who holds keys now; false when somebody still does at the end of the time.</summary>
    internal Task<bool> Drain(TimeSpan longest, CancellationToken cancel) => holds.Drain(longest, clock, cancel);

    /// <summary>Makes the next version of a purpose's key. Durable, then in use, when the task ends.</summary>
    /// <param name="purpose">Whose.</param>
    /// <param name="note">Writes the entry, inside the transaction: without one there is no new version.</param>
    /// <param name="cancel">Gives up.</param>
    internal async Task<PurposeKey> AddVersion(KeyPurpose purpose, Func<int, Task> note, CancellationToken cancel)
    {
        using var turn = await Writing(cancel);
        var material = KeyMaterial.Generate();
        try
        {
            await using var connection = await store.Open(cancel);
            await using var transaction = await connection.BeginTransactionAsync(cancel);

            // From the table, not from memory: a version whose commit was in doubt is not made twice.
            var version = 1 + (int)(long)(await connection.Scalar("SELECT MAX(version) FROM purpose_key WHERE purpose = @purpose", cancel, ("@purpose", (int)purpose)) ?? 0L);
            var now = clock.GetUtcNow();
            var made = new PurposeKey(purpose, version, Ids.New(), material, DateTimeOffset.FromUnixTimeMilliseconds(now.ToUnixTimeMilliseconds()));
            await connection.Run(
                "INSERT INTO purpose_key (purpose, version, id, wrapped, created) VALUES (@purpose, @version, @id, @wrapped, @created)",
                cancel,
                ("@purpose", (int)purpose),
                ("@version", version),
                ("@id", made.Id),
                ("@wrapped", KeyWrap.WrapBound(root, material, Context(purpose, version))),
                ("@created", now.ToUnixTimeMilliseconds()));
            await note(version);
            await transaction.CommitAsync(CancellationToken.None);
            purposes = purposes.With(made);
            material = null;
            return made;
        }
        finally
        {
            material?.Dispose();
        }
    }

    /// <summary>
    /// Takes an older version away for good: its wrapped key leaves keys.db, its material is zeroed, and the purpose refuses
    /// it from then on. The caller has counted that nothing hangs from it, after everybody who held it had gone.
    /// </summary>
    internal async Task Retire(PurposeKey old, Func<Task> note, CancellationToken cancel)
    {
        if (old == Newest(old.Purpose))
        {
            throw new InvalidOperationException("The version in use is never retired.");
        }

        using var turn = await Writing(cancel);
        await using (var connection = await store.Open(cancel))
        {
            await using var transaction = await connection.BeginTransactionAsync(cancel);
            await connection.Run("DELETE FROM purpose_key WHERE purpose = @purpose AND version = @version", cancel, ("@purpose", (int)old.Purpose), ("@version", old.Version));

            // The least version that opens: the lowest that is left.
            await connection.Run(
                """
                INSERT INTO key_least (purpose, version) SELECT @purpose, MIN(version) FROM purpose_key WHERE purpose = @purpose
                ON CONFLICT (purpose) DO UPDATE SET version = excluded.version
                """,
                cancel,
                ("@purpose", (int)old.Purpose));
            await note();
            await transaction.CommitAsync(CancellationToken.None);
        }

        purposes = purposes.Without(old);
        old.Key.Dispose();
        await Settle(cancel);
    }

    /// <summary>Asks for the root key that wraps this ring's keys.</summary>
    /// <exception cref="RefusedInput"><c>keys.wrong-root</c>: it is another one.</exception>
    internal void RequireRoot(KeyMaterial shown)
    {
        if (!System.Security.Cryptography.CryptographicOperations.FixedTimeEquals(shown.Bytes, root.Bytes))
        {
            throw new RefusedInput(WrongRoot, "root.json of this folder has another root key than the hospital that is open. Restore the root.json that it was opened with.");
        }
    }

    /// <summary>Wraps every purpose key anew under another root key, in one transaction; that one is the ring's from then on.</summary>
    /// <param name="next">The new root key; copied.</param>
    /// <param name="note">Writes the entry, inside the transaction, given how many keys there are.</param>
    /// <param name="cancel">Gives up.</param>
    internal async Task ChangeRoot(KeyMaterial next, Func<int, Task> note, CancellationToken cancel)
    {
        using var turn = await Writing(cancel);
        var all = purposes.All;
        await using (var connection = await store.Open(cancel))
        {
            await using var transaction = await connection.BeginTransactionAsync(cancel);

            // What is not in use here (a version whose making was in doubt, one put back by hand) is under the old root for good.
            await connection.Run("DELETE FROM purpose_key", cancel);
            foreach (var key in all)
            {
                await connection.Run(
                    "INSERT INTO purpose_key (purpose, version, id, wrapped, created) VALUES (@purpose, @version, @id, @wrapped, @created)",
                    cancel,
                    ("@purpose", (int)key.Purpose),
                    ("@version", key.Version),
                    ("@id", key.Id),
                    ("@wrapped", KeyWrap.WrapBound(next, key.Key, Context(key.Purpose, key.Version))),
                    ("@created", key.Created.ToUnixTimeMilliseconds()));
            }

            await note(all.Count);
            await transaction.CommitAsync(CancellationToken.None);
        }

        var old = root;
        root = KeyMaterial.From(next.Bytes);
        old.Dispose();
        await Settle(cancel);
    }

    /// <summary>Patients' keys, or their older ones, by the version of the data key that wraps them.</summary>
    internal async Task<IReadOnlyList<Hanging>> CountPatientKeys(bool before, CancellationToken cancel)
    {
        await using var connection = await store.Open(cancel);
        return await connection.Query(
            $"SELECT data_version, COUNT(*) FROM {PatientTable(before)} GROUP BY data_version ORDER BY data_version",
            row => new Hanging((int)row.GetInt64(0), row.GetInt64(1)),
            cancel);
    }

    /// <summary>
    /// Wraps the next patients' keys anew, from an older data key to the newest: one transaction. The patients' own keys stay
    /// what they are, so no record is touched. One that does not unwrap is left as it is and counted.
    /// </summary>
    internal async Task<MovedBatch> RewrapPatientKeys(bool older, PurposeKey old, byte[]? after, int most, CancellationToken cancel)
    {
        var table = PatientTable(older);
        using var turn = await Writing(cancel);
        var to = Newest(KeyPurpose.Data);
        await using var connection = await store.Open(cancel);
        await using var transaction = await connection.BeginTransactionAsync(cancel);
        var rows = await connection.Query(
            $"SELECT patient, wrapped FROM {table} WHERE data_version = @from AND patient > @after ORDER BY patient LIMIT @most",
            row => (Patient: new PatientId(row.Guid(0)), Wrapped: row.Bytes(1)),
            cancel,
            ("@from", old.Version),
            ("@after", after ?? []),
            ("@most", most));
        await using var update = connection.Prepared(
            $"UPDATE {table} SET wrapped = @wrapped, data_version = @to WHERE patient = @patient AND data_version = @from AND wrapped = @before",
            "@wrapped",
            "@to",
            "@patient",
            "@from",
            "@before");
        var (moved, broken) = (0, 0);
        foreach (var (patient, before) in rows)
        {
            try
            {
                using var key = KeyWrap.UnwrapBound(old.Key, before, Context(patient));
                moved += await update.Run(cancel, KeyWrap.WrapBound(to.Key, key, Context(patient)), to.Version, patient.Value, old.Version, before);
            }
            catch (SealBroken)
            {
                broken++;
            }
        }

        await transaction.CommitAsync(CancellationToken.None);
        return new MovedBatch(moved, broken, rows.Count < most ? null : rows[^1].Patient.Value.ToByteArray(bigEndian: true));
    }

    private static string PatientTable(bool before) => before ? "patient_key_before" : "patient_key";

    /// <summary>Secrets of the system by the version of the purpose key that seals them.</summary>
    internal async Task<IReadOnlyList<Hanging>> CountSecrets(KeyPurpose purpose, CancellationToken cancel)
    {
        await using var connection = await store.Open(cancel);
        var rows = await connection.Query("SELECT wrapped FROM secret WHERE purpose = @purpose", row => row.Bytes(0), cancel, ("@purpose", (int)purpose));
        return Hanging.ByVersion(rows.Select(Hanging.VersionIn));
    }

    /// <summary>Seals the secrets of a purpose anew under its newest version: one transaction, for there are few. The secrets themselves stay what they are.</summary>
    internal async Task<MovedBatch> ResealSecrets(PurposeKey old, CancellationToken cancel)
    {
        using var turn = await Writing(cancel);
        var to = Newest(old.Purpose);
        await using var connection = await store.Open(cancel);
        await using var transaction = await connection.BeginTransactionAsync(cancel);
        var rows = await connection.Query("SELECT name, wrapped FROM secret WHERE purpose = @purpose", row => (Name: row.GetString(0), Envelope: row.Bytes(1)), cancel, ("@purpose", (int)old.Purpose));
        var (moved, broken) = (0, 0);
        foreach (var (name, before) in rows.Where(row => Hanging.VersionIn(row.Envelope) == old.Version))
        {
            byte[] plain;
            try
            {
                plain = Envelope.Open(before, old.Key, SecretAddress(name));
            }
            catch (SealBroken)
            {
                broken++;
                continue;
            }

            moved += await connection.Run(
                "UPDATE secret SET wrapped = @wrapped, created = @now WHERE name = @name AND wrapped = @before",
                cancel,
                ("@wrapped", Envelope.Seal(plain, to.Key, Guid.Empty, to.Version, SecretAddress(name))),
                ("@now", clock.GetUtcNow().ToUnixTimeMilliseconds()),
                ("@name", name),
                ("@before", before));
            System.Security.Cryptography.CryptographicOperations.ZeroMemory(plain);
        }

        await transaction.CommitAsync(CancellationToken.None);
        return new MovedBatch(moved, broken, null);
    }

    /// <summary>The purpose as people and the log name it.</summary>
    internal static string Word(KeyPurpose purpose) => purpose.ToString().ToLowerInvariant();

    /// <summary>Brings keys.db of an earlier version to this one; nothing to do for one that is.</summary>
    private static async Task Upgrade(Store store, CancellationToken cancel)
    {
        await store.Create(
            "CREATE TABLE IF NOT EXISTS key_least (purpose INTEGER NOT NULL PRIMARY KEY, version INTEGER NOT NULL)",
            cancel);
        await store.AddColumn("patient_key", "data_version", "INTEGER NOT NULL DEFAULT 1", null, cancel);

        // Before there was a column, the log's signing key was the one secret that hung from another key than the ring's.
        await store.AddColumn("secret", "purpose", $"INTEGER NOT NULL DEFAULT {RingPurpose}", $"UPDATE secret SET purpose = {AuditPurpose} WHERE name = 'audit-signer'", cancel);
        await store.Create("CREATE INDEX IF NOT EXISTS patient_key_data ON patient_key (data_version, patient)", cancel);
        await store.Create(PatientsSchema, cancel);
        await store.Create(Destruction.DestructionStore.Tombstones, cancel);
    }

    private static async Task<Dictionary<KeyPurpose, int>> Least(DbConnection connection, CancellationToken cancel) =>
        (await connection.Query("SELECT purpose, version FROM key_least", row => (Purpose: (KeyPurpose)row.GetInt64(0), Version: (int)row.GetInt64(1)), cancel))
            .ToDictionary(row => row.Purpose, row => row.Version);

    /// <summary>Takes what was overwritten (secure_delete) out of the write-ahead log too. Where a reader stands in the way for longer, it goes with the next turn of that log.</summary>
    private async Task Settle(CancellationToken cancel)
    {
        if (store.IsSqlite)
        {
            await using var connection = await store.Open(cancel);
            await connection.Run("PRAGMA busy_timeout=200; PRAGMA wal_checkpoint(TRUNCATE)", cancel);
        }
    }

    private async Task<Turn> Writing(CancellationToken cancel)
    {
        await writing.WaitAsync(cancel);
        return new Turn(writing);
    }

    private readonly struct Turn(SemaphoreSlim of) : IDisposable
    {
        public void Dispose() => of.Release();
    }
}
