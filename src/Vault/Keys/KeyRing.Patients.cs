using System.Collections.Concurrent;
using System.Data.Common;
using System.Globalization;
using Mangrove.Kernel;
using Mangrove.Sealing;

namespace Mangrove.Vault.Keys;

/// <summary>
/// The rotation of patients' own keys. The new key of a patient takes the place of the old one, which stays beside it and opens
/// what was sealed under it until nothing is; then it is deleted for good.
/// </summary>
internal sealed partial class KeyRing
{
    private const string PatientsSchema = """
        CREATE TABLE IF NOT EXISTS patient_key_before (
            patient BLOB NOT NULL, version INTEGER NOT NULL, id BLOB NOT NULL, wrapped BLOB NOT NULL, created INTEGER NOT NULL, data_version INTEGER NOT NULL,
            PRIMARY KEY (patient, version)) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS patient_rotation (
            one INTEGER NOT NULL PRIMARY KEY, asked INTEGER NOT NULL)
        """;

    // Patients whose key was changed while this process ran. An act that took its keys before finds the new one here, when it
    // reads a row that was sealed anew meanwhile.
    private readonly ConcurrentDictionary<PatientId, WrappedKey> turned = new();
    private volatile bool turning;

    /// <summary>Whether every patient's key is being changed, and how far that is; null when it is not.</summary>
    public async Task<PatientTurn?> PatientTurn(CancellationToken cancel)
    {
        await using var connection = await store.Open(cancel);
        var asked = await connection.Scalar("SELECT asked FROM patient_rotation WHERE one = 1", cancel) as long?;
        var before = (long)(await connection.Scalar("SELECT COUNT(*) FROM patient_key_before", cancel))!;
        if (asked is null && before == 0)
        {
            return null;
        }

        var waiting = asked is null ? 0 : (long)(await connection.Scalar("SELECT COUNT(*) FROM patient_key WHERE created < @asked", cancel, ("@asked", asked)))!;
        return new PatientTurn(asked is { } at ? DateTimeOffset.FromUnixTimeMilliseconds(at) : null, waiting, before);
    }

    /// <summary>Asks for a new key for every patient that has one now. Durable when the task ends.</summary>
    /// <param name="note">Writes the entry, inside the transaction, given how many patients there are.</param>
    /// <param name="cancel">Gives up.</param>
    internal async Task<long> AskPatientTurn(Func<long, Task> note, CancellationToken cancel)
    {
        using var turn = await Writing(cancel);
        await using var connection = await store.Open(cancel);
        await using var transaction = await connection.BeginTransactionAsync(cancel);

        // Later than any key there is, whatever the clock says: made before means made before this.
        var newest = await connection.Scalar("SELECT MAX(created) FROM patient_key", cancel) as long? ?? 0;
        var patients = (long)(await connection.Scalar("SELECT COUNT(*) FROM patient_key", cancel))!;
        await connection.Run(
            "INSERT INTO patient_rotation (one, asked) VALUES (1, @asked) ON CONFLICT (one) DO UPDATE SET asked = excluded.asked",
            cancel,
            ("@asked", Math.Max(clock.GetUtcNow().ToUnixTimeMilliseconds(), newest + 1)));
        await note(patients);
        await transaction.CommitAsync(CancellationToken.None);
        return patients;
    }

    /// <summary>Gives the next patients a new key each, in one transaction. What is sealed from then on is sealed under it.</summary>
    /// <returns>How many; 0 when everybody has one.</returns>
    internal async Task<int> TurnPatients(int most, CancellationToken cancel)
    {
        using var turn = await Writing(cancel);
        var data = Newest(KeyPurpose.Data);
        await using var connection = await store.Open(cancel);
        await using var transaction = await connection.BeginTransactionAsync(cancel);
        if (await connection.Scalar("SELECT asked FROM patient_rotation WHERE one = 1", cancel) is not long asked)
        {
            return 0;
        }

        var rows = await Chains(connection, "SELECT patient FROM patient_key WHERE created < @asked ORDER BY patient LIMIT @most", cancel, ("@asked", asked), ("@most", most));
        await using var keep = connection.Prepared(
            "INSERT INTO patient_key_before (patient, version, id, wrapped, created, data_version) SELECT patient, version, id, wrapped, created, data_version FROM patient_key WHERE patient = @patient",
            "@patient");
        await using var replace = connection.Prepared(
            "UPDATE patient_key SET id = @id, version = @version, wrapped = @wrapped, created = @created, data_version = @data WHERE patient = @patient",
            "@id",
            "@version",
            "@wrapped",
            "@created",
            "@data",
            "@patient");
        var now = Math.Max(clock.GetUtcNow().ToUnixTimeMilliseconds(), asked);
        var made = new List<(PatientId, WrappedKey)>(rows.Count);
        foreach (var (patient, before) in rows)
        {
            using var key = KeyMaterial.Generate();
            var next = new WrappedKey(Ids.New(), before.Version + 1, KeyWrap.WrapBound(data.Key, key, Context(patient)), data.Version) { Before = before };
            await keep.Run(cancel, patient.Value);
            await replace.Run(cancel, next.Id, next.Version, next.Wrapped, now, data.Version, patient.Value);
            made.Add((patient, next));
        }

        await transaction.CommitAsync(CancellationToken.None);
        foreach (var (patient, next) in made)
        {
            // Before the cache, which may hold the old one: whoever asks from now on seals under the new one.
            turned[patient] = next;
            cache.TryRemove(patient, out _);
        }

        turning |= made.Count > 0;
        return made.Count;
    }

    /// <summary>
    /// Deletes the older keys of every patient but those named, for good. The caller has looked through everything that is
    /// sealed, after everybody who held an older key had gone.
    /// </summary>
    /// <param name="kept">Patients of whom something does not open: their older keys stay.</param>
    /// <param name="note">Writes the entry, inside the transaction, given how many keys go.</param>
    /// <param name="cancel">Gives up.</param>
    internal async Task<long> RetirePatientKeys(IReadOnlySet<PatientId> kept, Func<long, Task> note, CancellationToken cancel)
    {
        using var turn = await Writing(cancel);
        var gone = 0L;
        await using (var connection = await store.Open(cancel))
        {
            await using var transaction = await connection.BeginTransactionAsync(cancel);
            await using var stay = connection.Prepared("UPDATE patient_key_before SET data_version = -data_version WHERE patient = @patient", "@patient");
            foreach (var patient in kept)
            {
                await stay.Run(cancel, patient.Value);
            }

            gone = await connection.Run("DELETE FROM patient_key_before WHERE data_version > 0", cancel);
            await connection.Run("UPDATE patient_key_before SET data_version = -data_version", cancel);
            await connection.Run("DELETE FROM patient_rotation", cancel);
            await note(gone);
            await transaction.CommitAsync(CancellationToken.None);
        }

        turning = false;
        turned.Clear();

        // What is remembered of a patient names the keys that are gone.
        cache.Clear();
        Interlocked.Exchange(ref cached, 0);
        await Settle(cancel);
        return gone;
    }

    /// <summary>Patients' keys, each with the older ones that are still there.</summary>
    /// <param name="connection">To keys.db.</param>
    /// <param name="which">Which patients: parameters, or a statement that gives them.</param>
    /// <param name="cancel">Ends the wait.</param>
    /// <param name="values">Of the parameters.</param>
    private static async Task<List<(PatientId Patient, WrappedKey Key)>> Chains(DbConnection connection, string which, CancellationToken cancel, params (string Name, object? Value)[] values)
    {
        var rows = await connection.Query(
            $"""
             SELECT k.patient, k.id, k.version, k.wrapped, k.data_version, b.id, b.version, b.wrapped, b.data_version
             FROM patient_key k LEFT JOIN patient_key_before b ON b.patient = k.patient WHERE k.patient IN ({which}) ORDER BY k.patient, b.version
             """,
            row => (Patient: new PatientId(row.Guid(0)), Key: Wrapped(row, 1), Before: row.IsDBNull(5) ? null : Wrapped(row, 5)),
            cancel,
            values);
        var chains = new List<(PatientId, WrappedKey)>(rows.Count);
        WrappedKey? older = null;
        for (var at = 0; at < rows.Count; at++)
        {
            // One row for each older key of a patient, the oldest first.
            var (patient, key, before) = rows[at];
            older = before is null ? null : before with { Before = older };
            if (at + 1 == rows.Count || rows[at + 1].Patient != patient)
            {
                chains.Add((patient, key with { Before = older }));
                older = null;
            }
        }

        return chains;

        static WrappedKey Wrapped(DbDataReader row, int at) => new(row.Guid(at), (int)row.GetInt64(at + 1), row.Bytes(at + 2), (int)row.GetInt64(at + 3));
    }

    /// <summary>The key that a patient got while this process ran; null for one that did not.</summary>
    internal WrappedKey? Turned(PatientId patient) => turning && turned.TryGetValue(patient, out var key) ? key : null;
}

/// <summary>How far the change of every patient's key is.</summary>
/// <param name="Asked">When it was asked for; null when only what is left over is looked through again.</param>
/// <param name="Waiting">Patients that have no new key yet.</param>
/// <param name="Before">Older keys that are still there.</param>
internal readonly record struct PatientTurn(DateTimeOffset? Asked, long Waiting, long Before)
{
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Waiting} waiting, {Before} older");
}
