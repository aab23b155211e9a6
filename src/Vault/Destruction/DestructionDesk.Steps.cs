using System.Globalization;
using Mangrove.Kernel;
using Mangrove.Vault.Identity;
using Mangrove.Vault.Keys;

namespace Mangrove.Vault.Destruction;

/// <summary>
/// The steps of an approved order that are the vault's own. Each is done again without harm: what carries an order out calls them in
/// their order, from the first one that the order has not come to (threats D1, D2).
/// </summary>
public sealed partial class DestructionDesk
{
    private static readonly TimeSpan LongestDrain = TimeSpan.FromSeconds(20);

    private static Error Busy { get; } = new("destruction.busy", "Somebody still works with keys of before, such as an import, an export or a search index that is being built. It goes on by itself when that has ended.");

    /// <summary>Begins an approved order: asks what stands against it, and announces it in the log. An order that is under way goes on.</summary>
    /// <param name="admin">An administrator.</param>
    /// <param name="id">The order.</param>
    /// <param name="rotateRoot">Whether the root key is to be changed too.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>The order, or <c>destruction.no-order</c>, <c>destruction.state</c>, <c>destruction.unchecked</c>, a code of an objection.</returns>
    /// <exception cref="Refused">The actor is no administrator.</exception>
    public Task<Result<DestructionOrder>> Begin(Actor admin, Guid id, bool rotateRoot, CancellationToken cancel) => identity.Acts.Run<DestructionOrder>(
        admin,
        "BEGIN_DESTRUCTION",
        "destruction",
        async change =>
        {
            if (await One(change.Connection, id, cancel) is not { } order)
            {
                return Missing;
            }

            if (order.State is not (DestructionState.Running or DestructionState.Outstanding)
                && (order.State != DestructionState.Approved || order.Lapses <= clock.GetUtcNow()))
            {
                return new Acted<DestructionOrder>(null, Resource(order), null, new Error("destruction.state", $"Order {order.Name} cannot be carried out: it is {order.State.ToString().ToLowerInvariant()}. Another administrator has to approve it, and it is carried out within {Lifetime.Days} days."));
            }

            if (order.Step < DestructionStep.KeysGone && await Against(Refs(order), cancel) is { } obstacle)
            {
                return new Acted<DestructionOrder>(null, Resource(order), null, obstacle);
            }

            var step = order.Step < DestructionStep.Announced ? DestructionStep.Announced : order.Step;
            var facts = order.Facts with { RootAsked = order.Facts.RootAsked || rotateRoot };
            await change.Connection.Run(
                "UPDATE destruction_order SET state = CASE WHEN state = @approved THEN @running ELSE state END, step = @step, started = COALESCE(started, @now), failure = NULL, facts = @facts WHERE id = @id",
                cancel,
                ("@approved", (int)DestructionState.Approved),
                ("@running", (int)DestructionState.Running),
                ("@step", (int)step),
                ("@now", Now),
                ("@facts", facts.ToJson()),
                ("@id", id));
            var begun = (await One(change.Connection, id, cancel))!;
            return new Acted<DestructionOrder>(begun, Resource(order), string.Create(CultureInfo.InvariantCulture, $"{order.State.ToString().ToLowerInvariant()} -> {begun.State.ToString().ToLowerInvariant()}, {order.Patients.Count} patients")) { Patients = Refs(order) };
        },
        cancel);

    /// <summary>The patients' keys leave keys.db. What stands against it is asked once more, at this moment; then the order is stopped and nothing is gone.</summary>
    /// <returns>The order, or what stands against it.</returns>
    public async Task<Result<DestructionOrder>> DestroyKeys(Guid id, CancellationToken cancel)
    {
        var order = await Underway(id, cancel);
        if (order.Step >= DestructionStep.KeysGone)
        {
            return order;
        }

        var ids = order.Patients.Select(patient => patient.Id).ToList();
        var begun = (await ring.Tombstones(cancel)).Any(stone => stone.Order == id);
        if (!begun && await Against(Refs(order), cancel) is { } obstacle)
        {
            await receipts.Refuse(SystemActors.Destruction, Act(DestroyAction, order, null), obstacle, cancel);
            await using var stopped = await vault.Open(cancel);
            await stopped.Run(
                "UPDATE destruction_order SET state = @state, ended = @now, failure = @code, words = NULL WHERE id = @id",
                cancel,
                ("@state", (int)DestructionState.Stopped),
                ("@now", Now),
                ("@code", obstacle.Code),
                ("@id", id));
            return obstacle;
        }

        var stones = await ring.DestroyPatients(id, ids, stone => signer.Sign(stone.ToBytes()), cancel);
        var keys = stones.Sum(stone => stone.KeyIds.Length / 16);
        var entry = await receipts.Numbered(SystemActors.Destruction, Act(DestroyAction, order, string.Create(CultureInfo.InvariantCulture, $"{keys} keys of {ids.Count} patients destroyed")), cancel);
        return await Keep(
            order with
            {
                Step = DestructionStep.KeysGone,
                Facts = order.Facts with
                {
                    Announced = entry,
                    Keys = [.. stones.Select(stone => new DestroyedKeys(stone.Patient.Value, stone.KeyIds.Length / 16, Convert.ToHexStringLower(stone.Digest)))],
                },
            },
            cancel);
    }

    /// <summary>Waits for everybody who took a key before, and takes the patients out of the vault's own tables and the index.</summary>
    /// <param name="id">The order.</param>
    /// <param name="clinic">Takes the rows out of the clinic's tables, and gives their number by table.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>The order, or <c>destruction.busy</c>.</returns>
    public async Task<Result<DestructionOrder>> EraseRows(Guid id, Func<IReadOnlyList<PatientId>, CancellationToken, Task<IReadOnlyDictionary<string, long>>> clinic, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(clinic);
        var order = await Underway(id, cancel);
        if (order.Step >= DestructionStep.RowsGone)
        {
            return order;
        }

        if (!await ring.Drain(LongestDrain, cancel))
        {
            return Busy;
        }

        var ids = order.Patients.Select(patient => patient.Id).ToList();
        var rows = new Dictionary<string, long>(order.Facts.Rows, StringComparer.Ordinal);
        foreach (var (table, count) in (await clinic(ids, cancel)).Concat(await EraseVault(ids, cancel)))
        {
            rows[table] = rows.GetValueOrDefault(table) + count;
        }

        foreach (var patient in ids)
        {
            index.Remove(patient);
        }

        return await Keep(order with { Step = DestructionStep.RowsGone, Facts = order.Facts with { Rows = rows } }, cancel);
    }

    /// <summary>
    /// Changes the data key and the backup key, and retires the versions of before: what lies in old copies of keys.db or on the disk under
    /// them opens with nothing that this hospital still has. After the old epochs are destroyed, never before: what is rotated while they
    /// are there is wrapped anew under the key of afterwards, and a copy of that moment would open them.
    /// </summary>
    /// <returns>The order, or <c>destruction.busy</c>: an older version is still in use.</returns>
    public async Task<Result<DestructionOrder>> RotateKeys(Guid id, CancellationToken cancel)
    {
        var order = await Underway(id, cancel);
        if (order.Step >= DestructionStep.KeysRotated)
        {
            return order;
        }

        if (order.Facts.DataVersion is null)
        {
            // Kept before anything is made: a second attempt goes on with the same rotation.
            order = await Keep(order with { Facts = order.Facts with { DataVersion = ring.Newest(KeyPurpose.Data).Version, BackupVersion = ring.Newest(KeyPurpose.Backup).Version } }, cancel);
        }

        foreach (var (purpose, last) in new[] { (KeyPurpose.Data, order.Facts.DataVersion!.Value), (KeyPurpose.Backup, order.Facts.BackupVersion!.Value) })
        {
            if (ring.Newest(purpose).Version <= last)
            {
                await rotations.Advance(cancel);
                var begun = await rotations.Begin(purpose, words => receipts.Note(SystemActors.Keys, KeyRotations.Act(KeyRotations.BeginAction, purpose, $"{words}, for destruction {order.Name}"), cancel), cancel);
                if (begun.Error is { } error)
                {
                    return error;
                }
            }
        }

        await rotations.Advance(cancel);
        return ring.Versions(KeyPurpose.Data).Any(key => key.Version <= order.Facts.DataVersion) || ring.Versions(KeyPurpose.Backup).Any(key => key.Version <= order.Facts.BackupVersion)
            ? Busy
            : await Keep(order with { Step = DestructionStep.KeysRotated }, cancel);
    }

    /// <summary>Says that the root key was changed, or that it could not be.</summary>
    public async Task<DestructionOrder> RootSettled(Guid id, bool rotated, CancellationToken cancel)
    {
        var order = await Underway(id, cancel);
        return order.Step >= DestructionStep.RootSettled ? order : await Keep(order with { Step = DestructionStep.RootSettled, Facts = order.Facts with { RootRotated = rotated } }, cancel);
    }

    /// <summary>Takes what was deleted out of free pages and write-ahead logs.</summary>
    public async Task<DestructionOrder> Purge(Guid id, CancellationToken cancel)
    {
        var order = await Underway(id, cancel);
        if (order.Step >= DestructionStep.Purged)
        {
            return order;
        }

        await ring.Purge(cancel);
        if (storage.Kind == StorageKind.Sqlite)
        {
            foreach (var store in (string[])["clinic", "vault"])
            {
                await using var connection = await new Store(storage, store).Open(cancel);
                await connection.Run("PRAGMA busy_timeout=2000; PRAGMA wal_checkpoint(TRUNCATE)", cancel);
            }
        }

        return await Keep(order with { Step = DestructionStep.Purged }, cancel);
    }

    /// <summary>Keeps what stopped an order for the page; it goes on by itself.</summary>
    public async Task Hindered(Guid id, string code, CancellationToken cancel)
    {
        await using var connection = await vault.Open(cancel);
        await connection.Run("UPDATE destruction_order SET failure = @code WHERE id = @id", cancel, ("@code", code), ("@id", id));
    }

    private async Task<IReadOnlyDictionary<string, long>> EraseVault(IReadOnlyList<PatientId> patients, CancellationToken cancel) => await identity.Sessions.Change(
        async change =>
        {
            var rows = new Dictionary<string, long>(StringComparer.Ordinal);
            foreach (var (table, sql) in VaultLocations.Statements)
            {
                foreach (var patient in patients)
                {
                    rows[table] = rows.GetValueOrDefault(table) + await change.Connection.Run(sql, cancel, ("@patient", patient.Value), ("@nobody", Guid.Empty));
                }
            }

            return rows;
        },
        cancel);

    private async Task<DestructionOrder> Underway(Guid id, CancellationToken cancel)
    {
        await using var connection = await vault.Open(cancel);
        return await One(connection, id, cancel) is { State: DestructionState.Running or DestructionState.Outstanding } order
            ? order
            : throw new RefusedInput("destruction.state", "This order is not being carried out.");
    }

    private async Task<DestructionOrder> Keep(DestructionOrder order, CancellationToken cancel)
    {
        await using var connection = await vault.Open(cancel);
        await connection.Run(
            "UPDATE destruction_order SET step = @step, facts = @facts, failure = NULL WHERE id = @id",
            cancel,
            ("@step", (int)order.Step),
            ("@facts", order.Facts.ToJson()),
            ("@id", order.Id));
        return order;
    }

    private static Request Act(string action, DestructionOrder order, string? reason) => Sessions.Act(action, Resource(order), reason) with { Patients = Refs(order) };
}
