using System.Globalization;
using System.Security.Cryptography;
using Mangrove.Kernel;
using Mangrove.Sealing;
using Mangrove.Tests.Shared;
using Mangrove.Tests.Vault.Audit;
using Mangrove.Tests.Vault.Clients;
using Mangrove.Tests.Vault.Identity;
using Mangrove.Vault;
using Mangrove.Vault.Access;
using Mangrove.Vault.Audit;
using Mangrove.Vault.Clients;
using Mangrove.Vault.Identity;
using Mangrove.Vault.Index;
using Mangrove.Vault.Integrations;
using Mangrove.Vault.Keys;

namespace Mangrove.Tests.Vault.Integrations;

/// <summary>One sealed value of one patient.</summary>
internal sealed class SealedRow : ISealedRow
{
    public static Field<SealedRow, string> Name { get; } = new("probe", "name", "name", Category.Name, row => row.NameText, (row, value) => row.NameText = value);

    public static Field<SealedRow, string> Result { get; } = new("probe", "result", "lab_result", Category.LabResults, row => row.ResultText, (row, value) => row.ResultText = value);

    public Guid Id { get; init; } = Ids.New();

    public PatientId PatientId { get; init; }

    public int RowVersion { get; set; }

    public long EntrySeq { get; set; }

    public Sealed<string> NameText { get; set; }

    public Sealed<string> ResultText { get; set; }
}

/// <summary>A door with a patient behind it, on a real database with a real log and real keys, and the desk of programs before it. Only time is made up.</summary>
internal sealed class IntegrationHouse : IAsyncDisposable
{
    public const string Address = "10.0.0.7";
    public const string Audience = "https://kivuko.test/auth/token";
    public const string Secret = "Amina Yusuf of the marked bed";
    public const string Scopes = "system/Patient.r?part=name system/Observation.s?part=vitals";

    private readonly StorageOptions storage;
    private readonly KeyMaterial root = KeyMaterial.Generate();
    private readonly SqliteHome home = new();
    private readonly FirstSetUp setUp = new(demonstration: true);
    private KeyRing keys = null!;
    private AuditLog audit = null!;
    private IdentityDesk identity = null!;
    private IntegrationDesk desk = null!;
    private Receipt.Log log = null!;

    private IntegrationHouse(StorageOptions storage) => this.storage = storage;

    public FakeClock Clock { get; } = new();

    private readonly Standings standings = new();

    public Store Store { get; private set; } = null!;

    public Door Door { get; private set; } = null!;

    public IntegrationDirectory Directory => desk.Directory;

    public ServiceTokens Tokens => desk.Tokens;

    public PolicySettings Policy => desk.Policy;

    public ClientCertificates Clients { get; private set; } = null!;

    public CertificateRegister Register => identity.Certificates;

    public TestAuthority Authority { get; private set; } = null!;

    public FirstSetUp SetUp => setUp;

    public PatientRef Patient { get; } = new(PatientId.New(), "P-1000007");

    public SealedRow Row { get; private set; } = null!;

    public ECDsa Key { get; } = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    public DateOnly Today => DateOnly.FromDateTime(Clock.GetLocalNow().DateTime);

    public static async Task<IntegrationHouse> Build(StorageOptions storage)
    {
        var house = new IntegrationHouse(storage);
        await house.Start();
        return house;
    }

    /// <summary>A signed-in administrator of this staff number.</summary>
    public Actor Administrator(int number = 1, Role role = Role.Admin) => Actor.Maker.Staff(
        new Account { Id = Ids.New(), User = string.Create(CultureInfo.InvariantCulture, $"boss{number}"), DisplayName = "The Boss", Staff = new StaffId(number), Role = role, State = AccountState.Active, Created = Clock.GetUtcNow() },
        "Office",
        "sess_test");

    public NewIntegration Asked(string client = "lab-bridge") => new(client, "Laboratory bridge", Purpose.Treatment, Key.ExportSubjectPublicKeyInfoPem(), Scopes);

    public NewAgreement Signed(int days = 30) => new(new string('a', 64), "Jo Partner, Bridge Ltd", Today.AddDays(days));

    /// <summary>Registered, agreed and approved by two.</summary>
    public async Task<Integration> Active(string client = "lab-bridge")
    {
        _ = (await Directory.Register(Administrator(), Asked(client), default)).Value;
        var filing = (await Directory.FileAgreement(Administrator(), client, Signed(), default)).Value.Filing;
        _ = (await Directory.Approve(Administrator(1), client, filing, default)).Value;
        return (await Directory.Approve(Administrator(2), client, filing, default)).Value;
    }

    public Assertion Assertion(string client = "lab-bridge") => new(this, client);

    public async Task<string> Token(string client = "lab-bridge", string scope = "system/Patient.r?part=name") =>
        (await Tokens.Issue(new TokenRequest(Assertion(client).Signed(), scope, Audience, Address), default)).Value.Text;

    public async Task<Actor> Caller(string client = "lab-bridge") => (await Tokens.Check(await Token(client), Address, null, default)).Value;

    /// <summary>What a call over the door reads: the patient's name, or null when it is refused.</summary>
    public async Task<string?> Read(Actor actor)
    {
        try
        {
            using var opening = await Door.Open(actor, Request(SealedRow.Name), default);
            return opening.Read(Row, SealedRow.Name);
        }
        catch (Refused)
        {
            return null;
        }
    }

    public Request Request(params FieldUse[] reads) => new() { Action = "FHIR_READ", Purpose = Purpose.Treatment, Patients = [Patient], Reads = reads };

    public async Task<List<AuditEntry>> Entries(string? action = null)
    {
        var entries = new List<AuditEntry>();
        await foreach (var entry in audit.List(new AuditFilter { NewestFirst = false, Action = action }))
        {
            entries.Add(entry);
        }

        return entries;
    }

    public async Task<int> Run(string sql)
    {
        await using var connection = await Store.Open(default);
        return await connection.Run(sql, default);
    }

    /// <summary>A second process on the same database, as far as programs are concerned: it shares nothing in memory.</summary>
    public IntegrationDesk Elsewhere()
    {
        var gate = new IntegrationGate(Store, log, Clock);
        var door = new Door(new Grant.Policy(new Nobody(), standings, Clock, gate), log, keys, new PatientIndex(), home.Facility);
        var other = new IdentityDesk(Store, keys, door, log, standings, IdentityHouse.Hospital, Clock, new IdentityOptions { PasswordCost = 4 });
        return new IntegrationDesk(Store, gate, other, door, log, new SystemSecrets(keys), home.Facility, Clock);
    }

    public async ValueTask DisposeAsync()
    {
        Authority.Dispose();
        desk.Dispose();
        identity.Dispose();
        await audit.DisposeAsync();
        keys.Dispose();
        root.Dispose();
        setUp.Dispose();
        Key.Dispose();
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        if (storage.Kind == StorageKind.Postgres)
        {
            foreach (var store in (string[])["vault", "keys"])
            {
                await using var connection = new Npgsql.NpgsqlConnection(storage.ConnectionString(store));
                Npgsql.NpgsqlConnection.ClearPool(connection);
            }
        }

        await home.DisposeAsync();
    }

    private async Task Start()
    {
        Store = new Store(storage, "vault");
        standings.Set("sess_test", open: true);
        var keyStore = new Store(storage, "keys");
        await KeyRing.Create(keyStore, root, Clock, default);
        await IdentityDesk.Create(Store, default);
        await IntegrationDesk.Create(Store, default);
        keys = await KeyRing.Open(keyStore, root, Clock, default);
        audit = await home.Open();
        log = new Receipt.Log(audit, standings);
        var gate = new IntegrationGate(Store, log, Clock);
        Door = new Door(new Grant.Policy(new Nobody(), standings, Clock, gate), log, keys, new PatientIndex(), home.Facility);
        identity = new IdentityDesk(Store, keys, Door, log, standings, IdentityHouse.Hospital, Clock, new IdentityOptions { PasswordCost = 4 });
        desk = new IntegrationDesk(Store, gate, identity, Door, log, new SystemSecrets(keys), home.Facility, Clock);
        Authority = await TestAuthority.Make(new SystemSecrets(keys), Clock);
        Clients = new ClientCertificates(Store, identity, Door, log, new SystemSecrets(keys), Clock);
        Row = new SealedRow { PatientId = Patient.Id };
        using var writing = await Door.Open(
            setUp.Sample,
            new Request { Action = "WRITE_SAMPLE", Purpose = Purpose.Portability, Patients = [Patient], Writes = [SealedRow.Name, SealedRow.Result], Creates = true },
            default);
        writing.Set(Row, SealedRow.Name, Secret);
        writing.Set(Row, SealedRow.Result, "positive");
    }

    private sealed class Nobody : ICareRelationships
    {
        public Task<IReadOnlySet<PatientId>> InCare(IReadOnlyCollection<PatientId> patients, TimeSpan window, DateTimeOffset now, CancellationToken cancel) =>
            Task.FromResult<IReadOnlySet<PatientId>>(new HashSet<PatientId>());
    }
}

/// <summary>Tests that hold on every database; each database is a class of its own below.</summary>
public abstract class IntegrationsOnEveryDatabase : IAsyncLifetime
{
    private readonly List<IntegrationHouse> houses = [];
    private readonly List<SqliteFolder> folders = [];

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

    internal async Task<IntegrationHouse> House()
    {
        var house = await IntegrationHouse.Build(await NewStorage());
        houses.Add(house);
        return house;
    }

    protected abstract Task<StorageOptions> NewStorage();

    private protected StorageOptions InNewFolder()
    {
        folders.Add(new SqliteFolder());
        return StorageOptions.Sqlite(folders[^1].Folder);
    }
}

public sealed class IntegrationsOnSqliteTests : IntegrationTests
{
    protected override Task<StorageOptions> NewStorage() => Task.FromResult(InNewFolder());
}

public sealed class IntegrationsOnPostgresTests : IntegrationTests
{
    protected override Task<StorageOptions> NewStorage() => PostgresStorage.Create();
}

public sealed class ServiceTokensOnSqliteTests : ServiceTokenTests
{
    protected override Task<StorageOptions> NewStorage() => Task.FromResult(InNewFolder());
}

public sealed class ServiceTokensOnPostgresTests : ServiceTokenTests
{
    protected override Task<StorageOptions> NewStorage() => PostgresStorage.Create();
}

public sealed class IntegrationGateOnSqliteTests : IntegrationGateTests
{
    protected override Task<StorageOptions> NewStorage() => Task.FromResult(InNewFolder());
}

public sealed class IntegrationGateOnPostgresTests : IntegrationGateTests
{
    protected override Task<StorageOptions> NewStorage() => PostgresStorage.Create();
}
