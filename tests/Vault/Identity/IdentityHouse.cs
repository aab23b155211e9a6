using System.Security.Cryptography;
using System.Text;
using Mangrove.Kernel;
using Mangrove.Sealing;
using Mangrove.Tests.Shared;
using Mangrove.Tests.Vault.Audit;
using Mangrove.Tests.Vault.Clients;
using Mangrove.Vault;
using Mangrove.Vault.Access;
using Mangrove.Vault.Audit;
using Mangrove.Vault.Clients;
using Mangrove.Vault.Glass;
using Mangrove.Vault.Health;
using Mangrove.Vault.Holds;
using Mangrove.Vault.Identity;
using Mangrove.Vault.Incidents;
using Mangrove.Vault.Index;
using Mangrove.Vault.Integrations;
using Mangrove.Vault.Keys;

namespace Mangrove.Tests.Vault.Identity;

/// <summary>A hospital's Identity on a real database with a real log and real keys; only time is made up, and hashing is cheap.</summary>
internal sealed class IdentityHouse : IAsyncDisposable
{
    public const string Hospital = "Kivuko Referral Hospital";
    public const string Password = "velvet tractor mumbles quietly";

    private readonly StorageOptions storage;
    private readonly DirectoryInfo roots = Directory.CreateTempSubdirectory("mangrove-root-");
    private readonly SqliteHome home = new();
    private readonly IdentityOptions options;
    private readonly Guid facility = Ids.New();
    private KeyRing keys = null!;
    private KeyRotations rotations = null!;
    private AuditLog audit = null!;
    private IdentityDesk desk = null!;
    private bool created;
    private bool stopped = true;

    private IdentityHouse(StorageOptions storage, IdentityOptions? options)
    {
        this.storage = storage;
        var given = options ?? new IdentityOptions { PasswordQueue = 1000 };
        Protection = new RootSecret { KeyFile = Path.Combine(roots.FullName, "root.key"), AcceptSameVolume = true };
        this.options = given with { PasswordCost = given.PasswordCost == PasswordHasher.StandardCost ? 4 : given.PasswordCost };
    }

    public FakeClock Clock { get; private init; } = new();

    public Store Store { get; private set; } = null!;

    public IdentityDesk Desk => desk;

    public Door Door { get; private set; } = null!;

    public ClientCertificates Clients { get; private set; } = null!;

    public RecoveryRecipients Recovery { get; private set; } = null!;

    public KeyRing Ring => keys;

    public KeyRotations Rotations => rotations;

    public KeyDesk Keys { get; private set; } = null!;

    public HealthDesk Health { get; private set; } = null!;

    public GlassDesk Glass { get; private set; } = null!;

    public HoldDesk Holds { get; private set; } = null!;

    public IncidentDesk Incidents { get; private set; } = null!;

    /// <summary>The file in which the log lies, for who breaks it.</summary>
    public AuditLog Audit => audit;

    /// <summary>The store of the keys, as somebody with the database would open it.</summary>
    public Store KeyStore => new(storage, "keys");

    /// <summary>The folder of root.json.</summary>
    public string Roots => roots.FullName;

    /// <summary>What opens the root key at the next start.</summary>
    public RootSecret Protection { get; set; }

    /// <summary>How long a rotation leaves to other servers; nothing where a test has one.</summary>
    public TimeSpan Settle { get; set; }

    /// <summary>What happens between two steps of a rotation: a power cut is an exception here and a restart after it.</summary>
    public Action<string>? Between { get; set; }

    /// <summary>The sealed rows of this house, where a test has some; they outlive a restart.</summary>
    public ISealedRecords? Records { get; set; }

    public Sessions Sessions => desk.Sessions;

    public SignIn SignIn => desk.SignIn;

    public StaffDirectory Staff => desk.Staff;

    public PasswordGate Gate => desk.Passwords;

    public FirstSetUp SetUp { get; } = new(demonstration: false);

    public string AuditFile => home.File;

    public static async Task<IdentityHouse> Build(StorageOptions storage, IdentityOptions? options = null)
    {
        var house = new IdentityHouse(storage, options);
        await house.Start();
        return house;
    }

    /// <summary>Another server of the same hospital: the same database, keys and time, a log of its own.</summary>
    public async Task<IdentityHouse> Beside()
    {
        var other = new IdentityHouse(storage, options) { Clock = Clock, created = true, Protection = Protection };
        File.Copy(RootProtector.PathIn(Roots), RootProtector.PathIn(other.Roots));
        await other.Start();
        return other;
    }

    /// <summary>Stops and starts the process, as far as Identity is concerned.</summary>
    public async Task Restart()
    {
        await Stop();
        await Start();
    }

    /// <summary>Starts after a start that was refused.</summary>
    public Task StartAgain() => Start();

    /// <summary>An account that has chosen its password.</summary>
    public async Task<StaffMember> Member(string user, Role role = Role.Nurse, string password = Password)
    {
        var link = await Staff.Create(SetUp.Setup, new NewStaff(user, $"Person {user}", role.Slug(), "Ward 3"), default);
        return (await Staff.SetPassword(link.Value.Token, password, default)).Value;
    }

    /// <summary>Signs in, with the second factor where the account has to have one: its phone is set up at the first time.</summary>
    public async Task<SignedIn> Enter(string user, string device = "Ward-3-Tablet", string password = Password)
    {
        var step = (await SignIn.Password(user, password, device, default)).Value;
        if (step.Session is { } session)
        {
            return session;
        }

        if (step.MustEnrol)
        {
            Assert.True(Base32.TryDecode(SignIn.Enrol(step.Ticket, device).Value.Secret, out var secret));
            Phones[user] = secret;
            return (await SignIn.FirstCode(step.Ticket, Code(user), device, default)).Value;
        }

        // The code of before may be used: time goes on to the next.
        Clock.Pass(TimeSpan.FromSeconds(Totp.StepSeconds));
        return (await SignIn.Code(step.Ticket, Code(user), device, default)).Value;
    }

    /// <summary>A device of the house whose browser has registered; its key is of no further use.</summary>
    public async Task Enrol(string device, string department)
    {
        var code = (await desk.Devices.Register(SetUp.Setup, device, department, default)).Value;
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var nonce = desk.Devices.Challenge();
        var signature = key.SignData(Encoding.ASCII.GetBytes($"mangrove device enrol {nonce}"), HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
        _ = (await desk.Devices.Enrol(code.Code, Convert.ToBase64String(key.ExportSubjectPublicKeyInfo()), nonce, Convert.ToBase64String(signature), "address:10.0.0.7", default)).Value;
    }

    /// <summary>The secrets on people's phones.</summary>
    public Dictionary<string, byte[]> Phones { get; } = new(StringComparer.Ordinal);

    /// <summary>What somebody's phone shows, so many steps from now.</summary>
    public string Code(string user, int steps = 0) => Totp.Code(Phones[user], (Clock.GetUtcNow().ToUnixTimeSeconds() / Totp.StepSeconds) + steps);

    public async Task<List<AuditEntry>> Entries(string? action = null)
    {
        var entries = new List<AuditEntry>();
        await foreach (var entry in audit.List(new AuditFilter { NewestFirst = false, Action = action }))
        {
            entries.Add(entry);
        }

        return entries;
    }

    public async Task<long> Count(string sql)
    {
        await using var connection = await Store.Open(default);
        return (long)(await connection.Scalar(sql, default))!;
    }

    public async ValueTask DisposeAsync()
    {
        await Stop();
        roots.Delete(recursive: true);
        SetUp.Dispose();
        await home.DisposeAsync();
    }

    private async Task Start()
    {
        Store = new Store(storage, "vault");
        var keyStore = new Store(storage, "keys");
        if (!created)
        {
            using var root = await RootProtector.Create(roots.FullName, Protection, Hospital, default);
            await KeyRing.Create(keyStore, root, Clock, default);
            await IdentityDesk.Create(Store, default);
            created = true;
        }

        (keys, var protector) = await RootProtector.Unseal(RootProtector.Read(roots.FullName), roots.FullName, keyStore, Protection, Clock, default);
        audit = await home.Open();
        stopped = false;
        var standings = new Standings();
        var log = new Receipt.Log(audit, standings);
        Door = new Door(new Grant.Policy(new NobodyInCare(), standings, Clock), log, keys, new PatientIndex(), facility);
        desk = new IdentityDesk(Store, keys, Door, log, standings, Hospital, Clock, options);
        await desk.Load(default);
        rotations = new KeyRotations(keys, log) { Between = step => Between?.Invoke(step), BatchSize = 50, LongestDrain = TimeSpan.FromSeconds(1), OthersFollow = Settle };
        Recovery = new RecoveryRecipients(keys, desk, Door, log, Clock);
        Keys = new KeyDesk(keys, rotations, new PatientRotation(keys, Door, log, null, Clock) { Between = step => Between?.Invoke(step), BatchSize = 40, PieceSize = 25, LongestDrain = TimeSpan.FromSeconds(1), Grace = TimeSpan.Zero }, new RootKeeper(roots.FullName, protector, keys) { Between = step => Between?.Invoke(step) }, Recovery, Door, log, desk, Clock);
        if (Records is { } records)
        {
            Keys.Serve(records);
        }

        await Keys.Load(default);
        var secrets = new SystemSecrets(keys);
        if (await secrets.Get(SystemSecrets.AuthorityCertificate, default) is null)
        {
            (await TestAuthority.Make(secrets, Clock)).Dispose();
        }

        Clients = new ClientCertificates(Store, desk, Door, log, secrets, Clock);
        await HealthStore.Create(Store, default);
        Health = new HealthDesk(Store, desk, Door, log, secrets, Clock);
        Glass = new GlassDesk(Store, desk, Door, log, standings, Clock);
        await Glass.Load(default);
        Holds = new HoldDesk(Store, desk, Glass, Door, log, standings, Clock);
        await IntegrationDesk.Create(Store, default);
        Incidents = new IncidentDesk(Store, roots.FullName, audit, desk, Glass, new IntegrationDirectory(Store, desk.Acts, desk.Certificates, Door, Clock), Keys, Door, log, standings, Clock);
    }

    private async Task Stop()
    {
        if (stopped)
        {
            return;
        }

        stopped = true;
        Incidents.Dispose();
        Recovery.Dispose();
        Keys.Dispose();
        desk.Dispose();
        await audit.DisposeAsync();
        keys.Dispose();
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        if (storage.Kind == StorageKind.Postgres)
        {
            // Idle connections of houses that are gone would use up the cluster's.
            foreach (var store in (string[])["vault", "keys"])
            {
                await using var connection = new Npgsql.NpgsqlConnection(storage.ConnectionString(store));
                Npgsql.NpgsqlConnection.ClearPool(connection);
            }
        }
    }

    private sealed class NobodyInCare : ICareRelationships
    {
        public Task<IReadOnlySet<PatientId>> InCare(IReadOnlyCollection<PatientId> patients, TimeSpan window, DateTimeOffset now, CancellationToken cancel) =>
            Task.FromResult<IReadOnlySet<PatientId>>(new HashSet<PatientId>());
    }
}

/// <summary>Tests that hold on every database; each database is a class of its own below.</summary>
public abstract class OnEveryDatabase : IAsyncLifetime
{
    private readonly List<IdentityHouse> houses = [];
    private readonly List<SqliteFolder> folders = [];

    /// <summary>Of the house built last, where its databases are files.</summary>
    private protected string LastFolder => folders[^1].Folder;

    public virtual ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public virtual async ValueTask DisposeAsync()
    {
        foreach (var house in houses)
        {
            await house.DisposeAsync();
        }

        folders.ForEach(folder => folder.Dispose());
        GC.SuppressFinalize(this);
    }

    internal async Task<IdentityHouse> House(IdentityOptions? options = null)
    {
        var house = await IdentityHouse.Build(await NewStorage(), options);
        houses.Add(house);
        return house;
    }

    protected abstract Task<StorageOptions> NewStorage();

    private protected StorageOptions InNewFolder()
    {
        folders.Add(new SqliteFolder());
        return StorageOptions.Sqlite(LastFolder);
    }
}
