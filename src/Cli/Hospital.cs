using Mangrove.Cli.Backups;
using Mangrove.Cli.Destruction;
using Mangrove.Cli.Upgrades;
using Mangrove.Clinic;
using Mangrove.Clinic.Terminology;
using Mangrove.Governance;
using Mangrove.Governance.Retention;
using Mangrove.Kernel;
using Mangrove.Portability.Exchange;
using Mangrove.Storage.Postgres;
using Mangrove.Storage.Sqlite;
using Mangrove.Vault;
using Mangrove.Vault.Audit;
using Mangrove.Vault.Keys;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Mangrove.Cli;

/// <summary>What becomes of databases that an earlier version wrote.</summary>
internal enum OlderSchema
{
    /// <summary>They are not touched: a hospital that is in use is upgraded by <see cref="HospitalUpgrade"/>.</summary>
    Refuse = 1,

    /// <summary>They are changed where they lie: a hospital that is being made or restored, or a copy, which goes as a whole when it fails.</summary>
    Migrate = 2,
}

/// <summary>
/// An unsealed hospital: the folder's lock, the trusted room, the clinic's database at its newest schema, and the parts
/// that live as long as the process. It serves nothing by itself; the server, the verbs and the tests stand on it.
/// </summary>
public sealed class Hospital : IAsyncDisposable
{
    private readonly FolderLock? folder;
    private readonly CancellationTokenSource closing = new();
    private Task indexing = Task.CompletedTask;
    private bool governed;

    private Hospital(FolderLock? folder, StorageOptions storage, VaultRoom vault, IClinicDatabase clinics, TimeProvider clock)
    {
        this.folder = folder;
        Storage = storage;
        Vault = vault;
        Clinics = clinics;
        Clock = clock;
        Events = new StationEvents();
        Diagnoses = new DiagnosisList(storage.Folder);
        Backups = new HospitalBackups(this);
        Destruction = new DestructionWork(this);

        // Whoever answers for privacy is told on the page that is open.
        vault.Glass.Changed += (_, _) => Events.Changed(Station.Privacy);
    }

    public StorageOptions Storage { get; }

    public VaultRoom Vault { get; }

    public IClinicDatabase Clinics { get; }

    public StationEvents Events { get; }

    public DiagnosisList Diagnoses { get; }

    /// <summary>Backups and drills, one at a time.</summary>
    public HospitalBackups Backups { get; }

    /// <summary>Carries out orders of destruction.</summary>
    public DestructionWork Destruction { get; }

    public TimeProvider Clock { get; }

    /// <summary>The building of the patient index; faulted when it could not be built.</summary>
    public Task Indexing => indexing;

    /// <summary>Opens a hospital of this version.</summary>
    /// <param name="storage">Where it lies.</param>
    /// <param name="secret">What opens its root key.</param>
    /// <param name="clock">The time.</param>
    /// <param name="cancel">Gives up.</param>
    /// <exception cref="RefusedInput">
    /// <c>data.in-use</c>, <c>data.not-initialised</c>, <c>data.half-made</c>, <c>data.unwritable</c>, <c>upgrade.needed</c>,
    /// <c>upgrade.newer-data</c>, or a <c>keys.</c> or <c>audit.</c> code of <see cref="VaultRoom.Open"/>.
    /// </exception>
    public static async Task<Hospital> Open(StorageOptions storage, RootSecret secret, TimeProvider clock, CancellationToken cancel)
    {
        Founding.RequireFounded(storage.Folder);
        var hospital = await Open(FolderLock.Take(storage.Folder), storage, secret, clock, OlderSchema.Refuse, cancel);
        hospital.StartIndexing();
        return hospital;
    }

    /// <summary>
    /// As the other, with the lock already taken, which is given back when opening fails; and without the building of the
    /// patient index, which the caller starts. Without a lock for whoever holds it and keeps it.
    /// </summary>
    internal static async Task<Hospital> Open(FolderLock? folder, StorageOptions storage, RootSecret secret, TimeProvider clock, OlderSchema older, CancellationToken cancel)
    {
        VaultRoom? vault = null;
        var head = new LogHead { ReadOnly = storage.Copy is not null };
        var clinics = ClinicsOf(storage, head);
        try
        {
            var upgrade = await HospitalUpgrade.Needed(storage, cancel);
            if (upgrade && older == OlderSchema.Refuse)
            {
                throw new RefusedInput("upgrade.needed", "An earlier version of Mangrove wrote this hospital. Run 'mangrove upgrade' with the same --data (and --storage and --connection): what fails leaves everything as it was.");
            }

            HospitalBackups.Sweep(storage.Folder);
            await Migrate(storage, cancel);
            vault = await VaultRoom.Open(storage, secret, new CareRelationships(clinics), new LogAnchors(clinics), head, clock, cancel);
            vault.Keys.Serve(new SealedTables(clinics));
            vault.Keys.Serve(new ImportedRecords(clinics, vault.Door, vault.Fingerprints));
            await ReturnedPatients.Remove(vault, clinics, cancel);
            await UpgradeSwap.Sweep(storage.Folder, vault, clock, cancel);
            if (older == OlderSchema.Refuse)
            {
                await UpgradeNotes.WriteDown(storage.Folder, vault, cancel);
            }
            else if (upgrade || await SchemaStamp.Oldest(storage, cancel) < SchemaStamp.Newest)
            {
                await SchemaStamp.Write(storage, cancel);
            }

            return new Hospital(folder, storage, vault, clinics, clock);
        }
        catch
        {
            if (vault is not null)
            {
                await vault.DisposeAsync();
            }

            (clinics as IDisposable)?.Dispose();
            folder?.Dispose();
            throw;
        }
    }

    /// <summary>Registers the hospital's parts and every use case of the clinic. They stay the hospital's to dispose.</summary>
    public void AddTo(IServiceCollection services)
    {
        services.AddSingleton(Clock);
        services.AddSingleton(Vault);
        services.AddSingleton(Vault.Door);
        services.AddSingleton(Vault.Review);
        services.AddSingleton(Vault.Identity);
        services.AddSingleton(Vault.Identity.Sessions);
        services.AddSingleton(Vault.Identity.SignIn);
        services.AddSingleton(Vault.Identity.Staff);
        services.AddSingleton(Vault.Identity.Devices);
        services.AddSingleton(Vault.Glass);
        services.AddSingleton(Vault.Questions);
        services.AddSingleton(Vault.Integrations.Directory);
        services.AddSingleton(Vault.Integrations.Tokens);
        services.AddSingleton(Vault.Integrations.Policy);
        services.AddSingleton(Vault.Clients);
        services.AddSingleton(Vault.Recovery);
        services.AddSingleton(Vault.Keys);
        services.AddSingleton(Vault.Backups);
        services.AddSingleton(Vault.Health);
        services.AddSingleton(Vault.Watch);
        services.AddSingleton(Vault.Holds);
        services.AddSingleton(Vault.Retention);
        services.AddSingleton(Vault.Incidents);
        services.AddSingleton(Vault.Destruction);
        services.AddSingleton(Vault.Fingerprints);
        services.AddSingleton<IDbContextFactory<ClinicContext>>(Clinics);
        services.AddSingleton(Events);
        services.AddSingleton(Diagnoses);
        services.AddMangroveClinic();
        services.AddMangroveGovernance();
        Govern();
    }

    /// <summary>Has retention and legal holds asked before anything is destroyed. Where nobody called this, nothing can be destroyed.</summary>
    internal void Govern()
    {
        if (Interlocked.Exchange(ref governed, true))
        {
            return;
        }

        Vault.Destruction.Ask(new RetentionObjections(Clinics, Vault.Retention, Vault.Holds, Clock));
    }

    /// <summary>Seals the hospital: the index build stops, the log is anchored, keys are zeroed, the folder is given back.</summary>
    public async ValueTask DisposeAsync()
    {
        await closing.CancelAsync();
        await indexing.ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        Destruction.Dispose();
        await Backups.DisposeAsync();
        await Vault.DisposeAsync();
        closing.Dispose();
        (Clinics as IDisposable)?.Dispose();
        Connections.Close();
        folder?.Dispose();
    }

    internal static IClinicDatabase ClinicsOf(StorageOptions storage, LogHead head) => storage.Kind == StorageKind.Sqlite
        ? new SqliteClinics(storage, head)
        : new PostgresClinics(storage, head);

    /// <summary>Brings the clinic's tables to this version; on PostgreSQL as the owner, because the clinic's role may not.</summary>
    internal static async Task Migrate(StorageOptions storage, CancellationToken cancel)
    {
        var owner = storage;
        if (storage.Kind == StorageKind.Postgres && storage.Connections.TryGetValue("owner", out var connection))
        {
            owner = storage with { Connections = new Dictionary<string, string>(storage.Connections, StringComparer.Ordinal) { ["clinic"] = connection } };
        }

        var current = owner.Kind == StorageKind.Sqlite ? await SqliteClinics.IsCurrent(owner, cancel) : await PostgresClinics.IsCurrent(owner, cancel);
        if (!current)
        {
            var clinics = ClinicsOf(owner, LogHead.Unset());
            using (clinics as IDisposable)
            {
                await using var clinic = await clinics.CreateDbContextAsync(cancel);
                await clinic.Database.MigrateAsync(cancel);
            }

            if (!ReferenceEquals(owner, storage))
            {
                await PostgresClinics.Grant(owner, new NpgsqlConnectionStringBuilder(storage.Connections["clinic"]).Username ?? "", cancel);
            }
        }
    }

    /// <summary>Starts the building of the patient index behind everything else.</summary>
    /// <param name="after">What it leaves to others before; nothing when left out.</param>
    internal void StartIndexing(TimeSpan after = default) => indexing = Task.Run(
        async () =>
        {
            await Task.Delay(after, Clock, closing.Token);
            await IndexFeed.Build(Vault, Clinics, closing.Token);
        },
        CancellationToken.None);
}
