using Mangrove.Kernel;
using Mangrove.Sealing;
using Mangrove.Vault.Access;
using Mangrove.Vault.Audit;
using Mangrove.Vault.Backups;
using Mangrove.Vault.Clients;
using Mangrove.Vault.Destruction;
using Mangrove.Vault.Glass;
using Mangrove.Vault.Health;
using Mangrove.Vault.Holds;
using Mangrove.Vault.Identity;
using Mangrove.Vault.Incidents;
using Mangrove.Vault.Index;
using Mangrove.Vault.Integrations;
using Mangrove.Vault.Keys;
using Mangrove.Vault.Keys.Hardware;
using Npgsql;
using Mangrove.Vault.Watching;

namespace Mangrove.Vault;

/// <summary>
/// The trusted room, unsealed: made once by the process that owns the data folder. It gives out the door and the desks
/// beside it, and keeps the keys.
/// </summary>
public sealed class VaultRoom : IAsyncDisposable
{
    private const string SignerName = "audit-signer";

    private readonly KeyRing keys;
    private readonly AuditLog log;
    private readonly CheckpointSigner signer;
    private readonly PatientIndex index;
    private readonly Receipt.Log receipts;
    private readonly string folder;

    private VaultRoom(StorageOptions storage, RootProtector protector, KeyRing keys, CheckpointSigner signer, AuditLog log, ICareRelationships care, LogHead head, TimeProvider clock)
    {
        this.keys = keys;
        this.signer = signer;
        this.log = log;
        folder = storage.Folder;
        index = new PatientIndex();
        Space = new SpaceWatch(folder, clock);
        Facility = protector.Facility;
        FacilityName = protector.FacilityName;
        head.Follow(() => log.Newest);
        Copy = storage.Copy;
        var standings = new Standings { Copy = storage.Copy };
        receipts = new Receipt.Log(log, standings);
        Acts = new ActComparison(log, receipts);
        var vault = new Store(storage, "vault");
        var integrations = new IntegrationGate(vault, receipts, clock);
        Door = new Door(new Grant.Policy(care, standings, clock, integrations, Space), receipts, keys, index, Facility);
        Fingerprints = new Fingerprints(keys);
        Secrets = new SystemSecrets(keys);
        Review = new AuditReview(log, Door);
        Identity = new IdentityDesk(vault, keys, Door, receipts, standings, FacilityName, clock);
        Glass = new GlassDesk(vault, Identity, Door, receipts, standings, clock);
        Questions = new AccessQuestions(vault, Door, standings);
        Integrations = new IntegrationDesk(vault, integrations, Identity, Door, receipts, Secrets, Facility, clock);
        Clients = new ClientCertificates(vault, Identity, Door, receipts, Secrets, clock);
        Recovery = new RecoveryRecipients(keys, Identity, Door, receipts, clock);
        Backups = new BackupDesk(storage, vault, keys, Identity, Door, receipts, Facility, FacilityName, clock);
        Copies = new CopyLog(vault, log, Door, clock);
        Health = new HealthDesk(vault, Identity, Door, receipts, Secrets, clock);
        Watch = new WatchDesk(vault, log, receipts, index, Identity, Door, clock);
        Holds = new HoldDesk(vault, Identity, Glass, Door, receipts, standings, clock);
        Retention = new RetentionDesk(vault, log, Identity, Backups, Door, clock);
        var rotations = new KeyRotations(keys, receipts);
        foreach (var kind in Backups.Kinds())
        {
            rotations.Register(kind);
        }

        Destruction = new DestructionDesk(storage, vault, keys, rotations, Identity, Door, receipts, log, signer, index, Facility, FacilityName, clock);
        Keys = new KeyDesk(keys, rotations, new PatientRotation(keys, Door, receipts, Space, clock), new RootKeeper(storage.Folder, protector, keys), Recovery, Door, receipts, Identity, clock);
        Incidents = new IncidentDesk(vault, storage.Folder, log, Identity, Glass, Integrations.Directory, Keys, Door, receipts, standings, clock);
    }

    public Guid Facility { get; }

    /// <summary>What this is a read-only copy of; null for a hospital.</summary>
    public CopyMark? Copy { get; }

    public string FacilityName { get; }

    /// <summary>How the root key is protected.</summary>
    public RootGuard RootGuard => Keys.Protector.Guard;

    public Door Door { get; }

    public AuditReview Review { get; }

    public IdentityDesk Identity { get; }

    /// <summary>Emergency access.</summary>
    public GlassDesk Glass { get; }

    /// <summary>Why a colleague may read something, or may not.</summary>
    public AccessQuestions Questions { get; }

    /// <summary>Programs of others that call here.</summary>
    public IntegrationDesk Integrations { get; }

    /// <summary>Certificates of programs and desktop devices.</summary>
    public ClientCertificates Clients { get; }

    /// <summary>Backups: who makes them, their keys, where they go.</summary>
    public BackupDesk Backups { get; }

    /// <summary>What people did at read-only copies during downtimes.</summary>
    public CopyLog Copies { get; }

    /// <summary>What was measured of the server, alarms, and letters about them.</summary>
    public HealthDesk Health { get; }

    /// <summary>Rules over the log, what they found, and who judged it.</summary>
    public WatchDesk Watch { get; }

    /// <summary>Legal holds.</summary>
    public HoldDesk Holds { get; }

    /// <summary>The rules of retention, and what time it is for them.</summary>
    public RetentionDesk Retention { get; }

    /// <summary>Incidents: their record, containment, extent and what was sent.</summary>
    public IncidentDesk Incidents { get; }

    /// <summary>Orders to destroy records, and their execution.</summary>
    public DestructionDesk Destruction { get; }

    /// <summary>Who can open a backup when the hospital's own keys are gone.</summary>
    public RecoveryRecipients Recovery { get; }

    /// <summary>The hospital's keys and their rotation.</summary>
    public KeyDesk Keys { get; }

    public Fingerprints Fingerprints { get; }

    /// <summary>Secrets of the system itself, such as the key of its certificate. Never patient data.</summary>
    public SystemSecrets Secrets { get; }

    /// <summary>How many patients the index holds.</summary>
    public int IndexedPatients => index.Count;

    /// <summary>Whether the index holds every patient; until then a search says that it is incomplete.</summary>
    public bool IndexReady => index.Ready;

    /// <summary>How the root key of a hospital is protected, told without opening anything.</summary>
    /// <exception cref="RefusedInput"><c>data.not-initialised</c> or <c>keys.protector-bad</c>.</exception>
    public static RootGuard ProtectorIn(string folder) => RootProtector.Read(folder).Guard;

    /// <summary>The room on the volume that the data folder lies on.</summary>
    public SpaceWatch Space { get; }

    /// <summary>The name of a hospital, told without opening anything.</summary>
    /// <exception cref="RefusedInput"><c>data.not-initialised</c> or <c>keys.protector-bad</c>.</exception>
    public static string FacilityNameIn(string folder) => RootProtector.Read(folder).FacilityName;

    /// <summary>The acts of the log beside the records of the clinic.</summary>
    public ActComparison Acts { get; }

    public IReadOnlyList<KeyState> KeyStates() => keys.States();

    public Task<IReadOnlyList<PatientKeyState>> PatientKeys(CancellationToken cancel) => keys.PatientKeys(cancel);

    /// <summary>Makes the keys and the vault's own stores of a new hospital.</summary>
    /// <exception cref="RefusedInput"><c>init.already</c>: the folder holds a hospital. Codes of <see cref="RootSecret"/> likewise. Nothing is left behind.</exception>
    public static async Task Create(StorageOptions storage, RootSecret secret, string facilityName, TimeProvider clock, CancellationToken cancel)
    {
        if (File.Exists(RootProtector.PathIn(storage.Folder)))
        {
            throw new RefusedInput("init.already", "This folder holds a hospital already. Name an empty folder with --data.");
        }

        using var root = await RootProtector.Create(storage.Folder, secret, facilityName, cancel);
        try
        {
            await KeyRing.Create(new Store(storage, "keys"), root, clock, cancel);
            using var ring = await KeyRing.Open(new Store(storage, "keys"), root, clock, cancel);
            using var signing = CheckpointSigner.Generate();
            await ring.PutSecret(KeyPurpose.Audit, SignerName, signing.ExportPrivateKey(), cancel);
            await IdentityDesk.Create(new Store(storage, "vault"), cancel);
            await CreateLog(storage, cancel);
        }
        catch
        {
            // A half-made hospital would refuse the next attempt; nothing of it can hold data yet.
            var made = RootProtector.Read(storage.Folder);
            File.Delete(RootProtector.PathIn(storage.Folder));
            await made.Abandon(secret);
            throw;
        }
    }

    /// <summary>Makes every table of the vault's own stores, empty, for a hospital that is filled from a backup.</summary>
    public static async Task CreateTables(StorageOptions storage, CancellationToken cancel)
    {
        var vault = new Store(storage, "vault");
        var keyStore = new Store(storage, "keys");
        await KeyRing.CreateTables(keyStore, cancel);
        await CreateTables(vault, keyStore, cancel);
        await CreateLog(storage, cancel);
    }

    /// <summary>Makes what is missing of the tables of the desks: in a new hospital, at a start, and in an upgrade. The one list of them.</summary>
    internal static async Task CreateTables(Store vault, Store keys, CancellationToken cancel)
    {
        await IdentityDesk.Create(vault, cancel);
        await IntegrationDesk.Create(vault, cancel);
        await BackupStore.Create(vault, keys, cancel);
        await CopyLog.Create(vault, cancel);
        await HealthStore.Create(vault, cancel);
        await WatchStore.Create(vault, cancel);
    }

    /// <summary>Proves that a secret opens the root key, without touching any database.</summary>
    /// <exception cref="RefusedInput">A <c>keys.</c> code: it does not.</exception>
    public static async Task RequireOpens(string folder, RootSecret secret, CancellationToken cancel)
    {
        using var root = await RootProtector.Read(folder).Open(secret, cancel);
    }

    /// <summary>Removes the key that a set-up which came to nothing left in a token.</summary>
    /// <param name="left">Module and label of the token, and the key's id.</param>
    /// <param name="pin">The token's PIN.</param>
    /// <param name="cancel">Gives up.</param>
    /// <exception cref="RefusedInput">A <c>token.</c> or <c>keys.tool-</c> code: it could not be removed. That it is not there is as well.</exception>
    public static Task RemoveFromToken(TokenWanted left, char[]? pin, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(left);
        return TokenKey.RemoveForSure(new TokenSeal { Module = left.Module, Label = left.Label, Id = left.KeyId ?? throw new ArgumentException("The key has no id.", nameof(left)) }, pin, cancel);
    }

    /// <summary>Says in the log what became of an upgrade, as the system.</summary>
    /// <param name="done">True for one that was carried out, false for one that was undone.</param>
    /// <param name="words">From which schema to which, or the code of what went wrong and when. No protected information.</param>
    /// <param name="cancel">Gives up.</param>
    public Task NoteUpgrade(bool done, string words, CancellationToken cancel) => receipts.Note(
        SystemActors.Upgrade,
        new Request { Action = done ? "UPGRADE" : "UPGRADE_FAILED", Purpose = Purpose.Administration, Resource = "hospital", Reason = words },
        cancel);

    /// <summary>Says in the log, as the system, that the files of before an upgrade are removed, which hold the wrapped keys of before.</summary>
    /// <param name="name">Of their folder: date and schema.</param>
    /// <param name="cancel">Gives up; then nothing may be removed.</param>
    public Task NoteRemovalOfBefore(string name, CancellationToken cancel) => receipts.Note(
        SystemActors.Upgrade,
        new Request { Action = "REMOVE_FILES_OF_BEFORE", Purpose = Purpose.Administration, Resource = "hospital", Reason = name },
        cancel);

    private static async Task CreateLog(StorageOptions storage, CancellationToken cancel)
    {
        if (storage.Kind == StorageKind.Postgres)
        {
            await PostgresAuditSchema.Create(
                storage.Connections.GetValueOrDefault("owner") ?? throw new RefusedInput("storage.connection-file-bad", "The connection file has no line for owner, who makes the tables of the audit log. Add it for the set-up."),
                new NpgsqlConnectionStringBuilder(storage.Connections["audit"]).Username!,
                cancel);
        }
    }

    /// <summary>Unseals the hospital: opens the root key, the key ring and the log, which is checked from its last anchored checkpoint.</summary>
    /// <exception cref="RefusedInput">A <c>keys.</c> or <c>audit.</c> code: the wrong secret, or a log that was changed.</exception>
    public static async Task<VaultRoom> Open(
        StorageOptions storage,
        RootSecret secret,
        ICareRelationships care,
        IAnchorSink anchors,
        LogHead head,
        TimeProvider clock,
        CancellationToken cancel)
    {
        var protector = RootProtector.Read(storage.Folder);
        KeyRing? ring = null;
        CheckpointSigner? signing = null;
        try
        {
            (ring, protector) = await RootProtector.Unseal(protector, storage.Folder, new Store(storage, "keys"), secret, clock, cancel);

            // A hospital that an earlier version made has no such tables yet.
            await CreateTables(new Store(storage, "vault"), new Store(storage, "keys"), cancel);
            signing = CheckpointSigner.Import(await ring.Secret(KeyPurpose.Audit, SignerName, cancel)
                ?? throw new RefusedInput("keys.incomplete", "keys.db has no signing key for the audit log. Restore keys.db from its own backup."));
            var journal = await AuditLog.Open(StoreOf(storage, protector.Facility), protector.Facility, signing, anchors, clock, Ids.New(), null, cancel);
            var room = new VaultRoom(storage, protector, ring, signing, journal, care, head, clock);
            ring = null;
            signing = null;
            try
            {
                await room.Identity.Load(cancel);
                await room.Glass.Load(cancel);

                // In a new hospital, in one of an earlier version, and after the protector was changed.
                await room.Recovery.FollowProtector(protector, secret, cancel);
                await room.Keys.Load(cancel);
                await room.Backups.Load(cancel);
            }
            catch
            {
                await room.DisposeAsync();
                throw;
            }

            return room;
        }
        finally
        {
            ring?.Dispose();
            signing?.Dispose();
        }
    }

    /// <summary>
    /// Fills the patient index through the system's own purpose: one entry for the whole act. The caller feeds it the
    /// rows, turning the opening from some patients to the next.
    /// </summary>
    /// <param name="fields">The fields that the index is made of.</param>
    /// <param name="feed">Reads the rows and puts them in.</param>
    /// <param name="cancel">Gives up; the index then stays incomplete and says so.</param>
    public async Task BuildIndex(IReadOnlyList<FieldUse> fields, Func<Opening, CancellationToken, Task> feed, CancellationToken cancel)
    {
        using var opening = await Door.Open(
            Actor.Maker.System(SystemWork.Index),
            new Request { Action = "BUILD_INDEX", Purpose = Purpose.System, Reads = fields, Everyone = true },
            cancel);
        await feed(opening, cancel);
        index.Complete();
    }

    // A hospital on PostgreSQL has one log for each server; the first one's carries the facility's own id.
    private static AuditStore StoreOf(StorageOptions storage, Guid facility) => storage.Kind == StorageKind.Sqlite
        ? new SqliteAuditStore(Path.Combine(storage.Folder, "audit.db"), TimeSpan.FromSeconds(10))
        : new PostgresAuditStore(storage.ConnectionString("audit"), facility);

    /// <summary>Seals the room: writes what waits in the log, anchors it, zeroes every key.</summary>
    public async ValueTask DisposeAsync()
    {
        Keys.Dispose();
        Integrations.Dispose();
        Recovery.Dispose();
        Copies.Dispose();
        Watch.Dispose();
        Incidents.Dispose();
        Identity.Dispose();
        await log.DisposeAsync();
        index.Dispose();
        signer.Dispose();
        keys.Dispose();
    }
}
