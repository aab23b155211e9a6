using System.Data.Common;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Mangrove.Kernel;
using Mangrove.Sealing;
using Mangrove.Vault.Access;
using Mangrove.Vault.Audit;
using Mangrove.Vault.Backups;
using Mangrove.Vault.Identity;
using Mangrove.Vault.Index;
using Mangrove.Vault.Keys;

namespace Mangrove.Vault.Destruction;

/// <summary>
/// Orders to destroy records: proposed by one administrator, approved by another, carried out step by step. What stands against it is
/// asked of <see cref="IDestructionObjection"/>; where nobody answers for that, nothing can be destroyed.
/// </summary>
public sealed partial class DestructionDesk
{
    /// <summary>How long an order waits to be carried out before it lapses.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromDays(30);

    /// <summary>Patients in one order at most.</summary>
    public const int MostPatients = 500;

    /// <summary>Characters of the words at most.</summary>
    public const int LongestWords = 1_000;

    private const int MostListed = 200;

    private const string ProposeAction = "PROPOSE_DESTRUCTION";
    private const string DestroyAction = "DESTROY_PATIENTS";
    private const int SaltSize = 16;

    private const string Columns = "id, number, state, step, reason, proposed, proposed_by, decided, decided_by, started, ended, failure, facts, certificate IS NOT NULL";

    private readonly Store vault;
    private readonly KeyRing ring;
    private readonly KeyRotations rotations;
    private readonly BackupKeys backups;
    private readonly IdentityDesk identity;
    private readonly Door door;
    private readonly Receipt.Log receipts;
    private readonly AuditLog log;
    private readonly CheckpointSigner signer;
    private readonly PatientIndex index;
    private readonly StorageOptions storage;
    private readonly Guid facility;
    private readonly string facilityName;
    private readonly TimeProvider clock;
    private readonly List<IDestructionObjection> objections = [];

    internal DestructionDesk(
        StorageOptions storage, Store vault, KeyRing ring, KeyRotations rotations, IdentityDesk identity, Door door, Receipt.Log receipts, AuditLog log, CheckpointSigner signer, PatientIndex index, Guid facility, string facilityName, TimeProvider clock)
    {
        this.storage = storage;
        this.vault = vault;
        this.ring = ring;
        this.rotations = rotations;
        this.identity = identity;
        this.door = door;
        this.receipts = receipts;
        this.log = log;
        this.signer = signer;
        this.index = index;
        this.facility = facility;
        this.facilityName = facilityName;
        this.clock = clock;
        backups = new BackupKeys(new Store(storage, "keys"), ring, clock);
    }

    private static Error Missing { get; } = new("destruction.no-order", "There is no such order. Look at the list of orders.");

    private long Now => clock.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Adds somebody who is asked before anything is destroyed; called while the hospital is put together.</summary>
    public void Ask(IDestructionObjection objection) => objections.Add(objection);

    /// <summary>Proposes the destruction of records. Another administrator has to approve it.</summary>
    /// <param name="admin">The administrator.</param>
    /// <param name="patients">Whose records, 1 to <see cref="MostPatients"/>.</param>
    /// <param name="reason">Why.</param>
    /// <param name="words">Why, in words: 10 to <see cref="LongestWords"/> characters. Sealed, and deleted with the records.</param>
    /// <param name="proof">The administrator's own second factor.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>
    /// The order, or <c>destruction.patients</c>, <c>destruction.reason</c>, <c>destruction.words</c>, <c>destruction.proposed</c>, <c>destruction.unchecked</c>,
    /// a code of an objection, <c>factor.code</c>, <c>factor.too-many</c>, <c>passkey.refused</c>, <c>passkey.expired</c>, <c>passkey.count</c>.
    /// </returns>
    /// <exception cref="Refused">The actor is no administrator.</exception>
    public Task<Result<DestructionOrder>> Propose(Actor admin, IReadOnlyList<PatientRef> patients, DestructionReason reason, string? words, FactorProof proof, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(patients);
        return identity.Acts.Run<DestructionOrder>(
            admin,
            ProposeAction,
            "destruction",
            async change =>
            {
                IReadOnlyList<PatientRef> wanted = [.. patients.DistinctBy(patient => patient.Id)];
                if (wanted.Count is 0 or > MostPatients)
                {
                    return new Error("destruction.patients", string.Create(CultureInfo.InvariantCulture, $"Name 1 to {MostPatients} patients by their hospital numbers."));
                }

                if (!Enum.IsDefined(reason))
                {
                    return new Error("destruction.reason", "Choose why the records are to be destroyed.");
                }

                var said = (words ?? string.Empty).Trim();
                if (said.Length is < 10 or > LongestWords)
                {
                    return new Error("destruction.words", string.Create(CultureInfo.InvariantCulture, $"Say in 10 to {LongestWords} characters why, for whoever has to approve it."));
                }

                foreach (var patient in wanted)
                {
                    if (await change.Connection.Scalar(
                        "SELECT o.number FROM destruction_patient p JOIN destruction_order o ON o.id = p.destruction WHERE p.patient = @patient AND o.state IN (1, 2, 3, 4, 5)",
                        cancel,
                        ("@patient", patient.Id.Value)) is long open)
                    {
                        return new Error("destruction.proposed", $"Order {DestructionOrder.NameOf(open)} names one of these patients already. Carry that one out or withdraw it.");
                    }
                }

                if (await Against(wanted, cancel) is { } obstacle)
                {
                    return obstacle;
                }

                if (await identity.SecondFactor.Ask(change, admin, proof, FactorActs.Destruction, cancel) is { } refused)
                {
                    return refused;
                }

                var id = Ids.New();
                var number = (await change.Connection.Scalar("SELECT MAX(number) FROM destruction_order", cancel) as long? ?? 0) + 1;
                await change.Connection.Run(
                    "INSERT INTO destruction_order (id, number, state, step, reason, words, proposed, proposed_by, facts) VALUES (@id, @number, @state, 0, @reason, @words, @now, @by, @facts)",
                    cancel,
                    ("@id", id),
                    ("@number", number),
                    ("@state", (int)DestructionState.Proposed),
                    ("@reason", (int)reason),
                    ("@words", identity.Pepper.Seal(DestructionStore.Use, Encoding.UTF8.GetBytes(said), DestructionStore.Address(id))),
                    ("@now", Now),
                    ("@by", admin.Staff.Number),
                    ("@facts", new DestructionFacts().ToJson()));
                foreach (var patient in wanted)
                {
                    var salt = RandomNumberGenerator.GetBytes(SaltSize);
                    await change.Connection.Run(
                        "INSERT INTO destruction_patient (destruction, patient, mrn, salt, mrn_hash) VALUES (@order, @patient, @mrn, @salt, @hash)",
                        cancel,
                        ("@order", id),
                        ("@patient", patient.Id.Value),
                        ("@mrn", patient.Mrn),
                        ("@salt", salt),
                        ("@hash", DestructionPatient.HashOf(salt, patient.Mrn)));
                }

                var order = (await One(change.Connection, id, cancel))!;
                return new Acted<DestructionOrder>(order, Resource(order), string.Create(CultureInfo.InvariantCulture, $"none -> proposed, {reason}, {wanted.Count} patients")) { Patients = wanted };
            },
            cancel);
    }

    /// <summary>Approves what another administrator proposed. From then on it may be carried out.</summary>
    /// <returns>The order, or <c>destruction.no-order</c>, <c>destruction.state</c>, <c>destruction.same-person</c>, and as <see cref="Propose"/>.</returns>
    /// <exception cref="Refused">The actor is no administrator.</exception>
    public Task<Result<DestructionOrder>> Approve(Actor admin, Guid order, FactorProof proof, CancellationToken cancel) =>
        Decide(admin, "APPROVE_DESTRUCTION", order, DestructionState.Approved, proof, cancel);

    /// <summary>Says no to what another administrator proposed. It asks for no second factor: nothing is lost by it.</summary>
    /// <returns>The order, or <c>destruction.no-order</c>, <c>destruction.state</c>, <c>destruction.same-person</c>.</returns>
    /// <exception cref="Refused">The actor is no administrator.</exception>
    public Task<Result<DestructionOrder>> Refuse(Actor admin, Guid order, CancellationToken cancel) =>
        Decide(admin, "REFUSE_DESTRUCTION", order, DestructionState.Refused, null, cancel);

    /// <summary>Takes an order back that was not begun. Any administrator may.</summary>
    /// <returns>The order, or <c>destruction.no-order</c>, <c>destruction.state</c>.</returns>
    /// <exception cref="Refused">The actor is no administrator.</exception>
    public Task<Result<DestructionOrder>> Withdraw(Actor admin, Guid order, CancellationToken cancel) =>
        Decide(admin, "WITHDRAW_DESTRUCTION", order, DestructionState.Withdrawn, null, cancel);

    /// <summary>Every order, the newest first, at most 200. Looking is an entry.</summary>
    /// <exception cref="Refused">The actor is no administrator.</exception>
    public Task<IReadOnlyList<DestructionOrder>> List(Actor admin, CancellationToken cancel) => List(admin, MostListed, cancel);

    /// <summary>As the other, at most so many.</summary>
    public async Task<IReadOnlyList<DestructionOrder>> List(Actor admin, int most, CancellationToken cancel)
    {
        await door.Record(admin, Rights.Administration, Sessions.Act("LIST_DESTRUCTIONS", "destruction", null), cancel);
        await using var connection = await vault.Open(cancel);
        return await Read(connection, string.Create(CultureInfo.InvariantCulture, $"ORDER BY number DESC LIMIT {most}"), cancel);
    }

    /// <summary>One order with what was written about it; null words once it was carried out. Looking is an entry that names the patients.</summary>
    /// <returns>The order, or <c>destruction.no-order</c>.</returns>
    /// <exception cref="Refused">The actor is no administrator.</exception>
    public async Task<Result<(DestructionOrder Order, string? Words)>> Open(Actor admin, Guid id, CancellationToken cancel)
    {
        await using var connection = await vault.Open(cancel);
        var order = await One(connection, id, cancel);
        await door.Record(admin, Rights.Administration, Sessions.Act("VIEW_DESTRUCTION", order is null ? "destruction" : Resource(order), null) with { Patients = Refs(order) }, cancel);
        if (order is null)
        {
            return Missing;
        }

        return await connection.Scalar("SELECT words FROM destruction_order WHERE id = @id", cancel, ("@id", id)) is byte[] words
            ? (order, Encoding.UTF8.GetString(identity.Pepper.Open(DestructionStore.Use, words, DestructionStore.Address(id))))
            : (order, null);
    }

    /// <summary>The order of a name such as <c>D-0007</c>, or of an id; null where there is none. Says nothing of a patient and is no entry.</summary>
    public async Task<Guid?> Named(string? name, CancellationToken cancel)
    {
        await using var connection = await vault.Open(cancel);
        var found = DestructionOrder.NumberIn(name) is { } number
            ? await connection.Query("SELECT id FROM destruction_order WHERE number = @number", row => row.Guid(0), cancel, ("@number", number))
            : Guid.TryParseExact(name, "N", out var id)
                ? await connection.Query("SELECT id FROM destruction_order WHERE id = @id", row => row.Guid(0), cancel, ("@id", id))
                : [];
        return found is [var one] ? one : null;
    }

    /// <summary>The signed certificate of an order as it is stored. Giving it out is an entry.</summary>
    /// <returns>The file's bytes, or <c>destruction.no-order</c>, <c>destruction.no-certificate</c>.</returns>
    /// <exception cref="Refused">The actor is no administrator.</exception>
    public async Task<Result<byte[]>> Certificate(Actor admin, Guid id, CancellationToken cancel)
    {
        await using var connection = await vault.Open(cancel);
        var order = await One(connection, id, cancel);
        await door.Record(admin, Rights.Administration, Sessions.Act("VIEW_DESTRUCTION_CERTIFICATE", order is null ? "destruction" : Resource(order), null), cancel);
        return order is null ? Missing
            : await connection.Scalar("SELECT certificate FROM destruction_order WHERE id = @id", cancel, ("@id", id)) is byte[] stored ? stored
            : new Error("destruction.no-certificate", "This order has no certificate: it was not carried out.");
    }

    /// <summary>Orders that are being carried out, and those that wait for targets of backups.</summary>
    public async Task<IReadOnlyList<DestructionOrder>> Unfinished(CancellationToken cancel)
    {
        await using var connection = await vault.Open(cancel);
        return await Read(connection, "WHERE state IN (3, 4) ORDER BY number", cancel);
    }

    /// <summary>Lets orders lapse that were not carried out in time.</summary>
    /// <returns>How many.</returns>
    public async Task<int> Lapse(CancellationToken cancel)
    {
        var due = clock.GetUtcNow() - Lifetime;
        return await identity.Sessions.Change(
            async change =>
            {
                var over = await Read(change.Connection, "WHERE state IN (1, 2) ORDER BY number", cancel);
                var count = 0;
                foreach (var order in over.Where(order => order.Proposed <= due))
                {
                    await change.Connection.Run("UPDATE destruction_order SET state = @state, ended = @now, words = NULL WHERE id = @id", cancel, ("@state", (int)DestructionState.Lapsed), ("@now", Now), ("@id", order.Id));
                    await receipts.Note(SystemActors.Destruction, Sessions.Act("LAPSE_DESTRUCTION", Resource(order), $"{order.State} -> lapsed") with { Patients = Refs(order) }, cancel);
                    count++;
                }

                change.Keep = count > 0;
                return count;
            },
            cancel);
    }

    private Task<Result<DestructionOrder>> Decide(Actor admin, string action, Guid id, DestructionState to, FactorProof? proof, CancellationToken cancel) => identity.Acts.Run<DestructionOrder>(
        admin,
        action,
        "destruction",
        async change =>
        {
            if (await One(change.Connection, id, cancel) is not { } order)
            {
                return Missing;
            }

            var open = order.State == DestructionState.Proposed || (order.State == DestructionState.Approved && to == DestructionState.Withdrawn);
            if (!open || order.Lapses <= clock.GetUtcNow())
            {
                return new Acted<DestructionOrder>(null, Resource(order), null, new Error("destruction.state", $"Order {order.Name} does not wait for this: it is {order.State.ToString().ToLowerInvariant()}{(open ? ", and its time is over" : "")}."));
            }

            if (to != DestructionState.Withdrawn && order.ProposedBy == admin.Staff)
            {
                return new Acted<DestructionOrder>(null, Resource(order), null, new Error("destruction.same-person", "Another administrator has to decide this: who proposed it can only withdraw it."));
            }

            if (to == DestructionState.Approved)
            {
                if (await Against(Refs(order), cancel) is { } obstacle)
                {
                    return new Acted<DestructionOrder>(null, Resource(order), null, obstacle);
                }

                if (await identity.SecondFactor.Ask(change, admin, proof ?? default, FactorActs.Destruction, cancel) is { } refused)
                {
                    return refused;
                }
            }

            await change.Connection.Run(
                "UPDATE destruction_order SET state = @state, decided = @now, decided_by = @by, ended = @ended, words = CASE WHEN @gone = 1 THEN NULL ELSE words END WHERE id = @id",
                cancel,
                ("@state", (int)to),
                ("@now", Now),
                ("@by", admin.Staff.Number),
                ("@ended", to == DestructionState.Approved ? null : Now),
                ("@gone", to == DestructionState.Approved ? 0 : 1),
                ("@id", id));
            var after = (await One(change.Connection, id, cancel))!;
            return new Acted<DestructionOrder>(after, Resource(order), $"{order.State.ToString().ToLowerInvariant()} -> {to.ToString().ToLowerInvariant()}") { Patients = Refs(order) };
        },
        cancel);

    /// <summary>What stands against it, as one refusal; null for nothing. Nobody to ask is a refusal.</summary>
    private async Task<Error?> Against(IReadOnlyList<PatientRef> patients, CancellationToken cancel)
    {
        if (objections.Count == 0)
        {
            return new Error("destruction.unchecked", "Nothing here knows retention periods and legal holds, so nothing may be destroyed. Ask whoever installed this version.");
        }

        var against = new List<DestructionObstacle>();
        foreach (var objection in objections)
        {
            against.AddRange(await objection.Against(patients, cancel));
        }

        return against is [var first, ..]
            ? new Error(first.Code, against.Count == 1 ? first.Words : string.Create(CultureInfo.InvariantCulture, $"{first.Words} ({against.Select(one => one.Patient).Distinct().Count()} of {patients.Count} patients must not be destroyed.)"))
            : null;
    }

    private static string Resource(DestructionOrder order) => $"destruction:{order.Name}";

    private static IReadOnlyList<PatientRef> Refs(DestructionOrder? order) => order is null ? [] : [.. order.Patients.Select(patient => new PatientRef(patient.Id, patient.Mrn ?? string.Empty))];

    private static async Task<DestructionOrder?> One(DbConnection connection, Guid id, CancellationToken cancel) =>
        await Read(connection, "WHERE id = @id", cancel, ("@id", id)) is [var one] ? one : null;

    private static async Task<IReadOnlyList<DestructionOrder>> Read(DbConnection connection, string which, CancellationToken cancel, params (string Name, object? Value)[] values)
    {
        var orders = await connection.Query(
            $"SELECT {Columns} FROM destruction_order {which}",
            row => new DestructionOrder(
                row.Guid(0),
                row.GetInt64(1),
                (DestructionState)row.GetInt64(2),
                (DestructionStep)row.GetInt64(3),
                (DestructionReason)row.GetInt64(4),
                DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(5)),
                new StaffId((int)row.GetInt64(6)),
                Time(row.LongOrNull(7)),
                row.LongOrNull(8) is { } by ? new StaffId((int)by) : null,
                Time(row.LongOrNull(9)),
                Time(row.LongOrNull(10)),
                row.TextOrNull(11),
                DestructionFacts.Parse(row.GetString(12)),
                Convert.ToBoolean(row.GetValue(13), CultureInfo.InvariantCulture),
                []),
            cancel,
            values);
        for (var at = 0; at < orders.Count; at++)
        {
            orders[at] = orders[at] with
            {
                Patients = await connection.Query(
                    "SELECT patient, mrn, salt, mrn_hash FROM destruction_patient WHERE destruction = @id ORDER BY mrn, patient",
                    row => new DestructionPatient(new PatientId(row.Guid(0)), row.TextOrNull(1), row.Bytes(2), row.Bytes(3)),
                    cancel,
                    ("@id", orders[at].Id)),
            };
        }

        return orders;

        static DateTimeOffset? Time(long? at) => at is { } moment ? DateTimeOffset.FromUnixTimeMilliseconds(moment) : null;
    }
}
