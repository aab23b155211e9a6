using System.Collections.Concurrent;
using Mangrove.Clinic;
using Mangrove.Clinic.Queue;
using Mangrove.Clinic.Records;
using Mangrove.Clinic.Registration;
using Mangrove.Clinic.Terminology;
using Mangrove.Kernel;
using Mangrove.Storage.Postgres;
using Mangrove.Storage.Sqlite;
using Mangrove.Tests.Clinic;
using Mangrove.Tests.Shared;
using Mangrove.Vault;
using Mangrove.Vault.Audit;
using Mangrove.Vault.Identity;
using Mangrove.Vault.Keys;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

[assembly: AssemblyFixture(typeof(TestHospitals))]

namespace Mangrove.Tests.Clinic;

/// <summary>
/// A whole hospital without its pages: real keys, a real log, a real database, accounts that really signed in. Only time
/// is made up. Tests run on both databases:
/// <code>
/// [Theory, InlineData(StorageKind.Sqlite), InlineData(StorageKind.Postgres)]
/// public async Task A_sentence(StorageKind kind)
/// {
///     var hospital = await TestHospital.Shared(kind);
///     var (patient, visit) = await hospital.Arrive();
///     var saved = await hospital.Use&lt;SaveTriage&gt;().Run(…, await hospital.As(Role.Nurse), default);
/// </code>
/// </summary>
public sealed class TestHospital : IAsyncDisposable
{
    public const string Currency = "KES";

    private const string Password = "velvet tractor mumbles quietly";

    private static readonly ConcurrentDictionary<StorageKind, Lazy<Task<TestHospital>>> SharedOnes = new();

    private readonly DirectoryInfo data = Directory.CreateTempSubdirectory("mangrove-hospital-");
    private readonly ConcurrentDictionary<string, Lazy<Task<Actor>>> staff = new(StringComparer.Ordinal);
    private readonly List<IServiceScope> scopes = [];
    private ServiceProvider services = null!;
    private FirstSetUp setUp = null!;
    private int people;

    private TestHospital()
    {
    }

    public VaultRoom Vault { get; private set; } = null!;

    public Door Door => Vault.Door;

    public IClinicDatabase Clinics { get; private set; } = null!;

    public StationEvents Events { get; } = new();

    /// <summary>Stands still. Move it only in a hospital of your own.</summary>
    public FakeClock Clock { get; } = new();

    /// <summary>
    /// The hospital that the tests of this run share, one for each database. Look only at patients of your own: others
    /// work beside you.
    /// </summary>
    public static Task<TestHospital> Shared(StorageKind kind) =>
        SharedOnes.GetOrAdd(kind, key => new Lazy<Task<TestHospital>>(() => New(key))).Value;

    /// <summary>A hospital of its own, to be disposed: for tests that move the clock or count everything.</summary>
    public static async Task<TestHospital> New(StorageKind kind)
    {
        var hospital = new TestHospital();
        await hospital.Build(kind);
        return hospital;
    }

    /// <summary>A signed-in member of staff of this role; the same name gives the same person.</summary>
    public Task<Actor> As(Role role, string? name = null) =>
        staff.GetOrAdd(name ?? role.Slug(), user => new Lazy<Task<Actor>>(() => SignIn(user, role))).Value;

    /// <summary>The same person signed in anew, as what they are by now.</summary>
    public async Task<Actor> Again(string name) => (await Vault.Identity.SignIn.CommandLine(name, Password, default)).Value;

    /// <summary>A use case as a request of its own gets it.</summary>
    public T Use<T>()
        where T : notnull => Scope().GetRequiredService<T>();

    /// <summary>The same with another clock.</summary>
    public T Use<T>(TimeProvider clock)
        where T : notnull => ActivatorUtilities.CreateInstance<T>(Scope(), clock);

    /// <summary>Looks into the database beside every use case.</summary>
    public ClinicContext Clinic() => Clinics.CreateDbContext();

    /// <summary>Registers somebody whom nobody else is like.</summary>
    public async Task<PatientRef> Register(string? family = null, string? born = "1967-03-14", AdministrativeSex sex = AdministrativeSex.Female, PayerDetails? payer = null)
    {
        var number = Interlocked.Increment(ref people);
        var registered = await Use<RegisterPatient>().Run(
            new RegisterPatient.Form(
                PatientId.New(),
                new PersonName(family ?? "Test " + Word(number), ["Person " + Word(number * 31)]),
                new BirthAndSex(born, sex),
                new ContactDetails { Phones = [FormattableString.Invariant($"07{number:00000000}")] },
                payer,
                "documents-differ"),
            await As(Role.FrontDesk),
            default);
        return registered.Value;
    }

    /// <summary>Registers somebody and opens their visit.</summary>
    public async Task<(PatientRef Patient, Visit Visit)> Arrive(string? born = "1967-03-14", AdministrativeSex sex = AdministrativeSex.Female, PayerDetails? payer = null)
    {
        var patient = await Register(null, born, sex, payer);
        var visit = await Use<OpenVisit>().Run(patient.Id, VisitKind.Outpatient, await As(Role.FrontDesk), default);
        return (patient, visit.Value);
    }

    /// <summary>What the log says of this patient, oldest first.</summary>
    public async Task<IReadOnlyList<AuditEntry>> Entries(PatientRef patient, string? action = null) =>
        await Vault.Review.List(await As(Role.Admin), new AuditFilter { Patient = patient.Id.Value, NewestFirst = false, Action = action }, patient.Mrn, default);

    public async Task<IReadOnlyList<AuditEntry>> Entries(string action) =>
        await Vault.Review.List(await As(Role.Admin), new AuditFilter { NewestFirst = false, Action = action }, null, default);

    public async ValueTask DisposeAsync()
    {
        scopes.ForEach(scope => scope.Dispose());
        setUp.Dispose();
        await services.DisposeAsync();
        await Vault.DisposeAsync();
        (Clinics as IDisposable)?.Dispose();
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        data.Delete(recursive: true);
    }

    internal static async Task Close()
    {
        foreach (var one in SharedOnes.Values)
        {
            if (one is { IsValueCreated: true, Value.IsCompletedSuccessfully: true })
            {
                await (await one.Value).DisposeAsync();
            }
        }
    }

    private IServiceProvider Scope()
    {
        var scope = services.CreateScope();
        lock (scopes)
        {
            scopes.Add(scope);
        }

        return scope.ServiceProvider;
    }

    private static string Word(int number)
    {
        // Letters only, and far apart, so that the duplicate guard has nothing to say.
        var mixed = unchecked((uint)number * 2654435761);
        return string.Concat(Enumerable.Range(0, 6).Select(place => (char)('a' + (int)((mixed >> (place * 5)) % 26))));
    }

    private async Task Build(StorageKind kind)
    {
        var storage = kind == StorageKind.Sqlite ? StorageOptions.Sqlite(data.FullName) : await Postgres();
        var secret = new RootSecret { KeyFile = Path.Combine(data.FullName, "root.key"), AcceptSameVolume = true };
        await VaultRoom.Create(storage, secret, "Kivuko Referral Hospital", Clock, default);
        var head = new LogHead();
        Clinics = kind == StorageKind.Sqlite ? new SqliteClinics(storage, head) : new PostgresClinics(storage, head);
        await using (var clinic = Clinic())
        {
            await clinic.Database.MigrateAsync();
        }

        Vault = await VaultRoom.Open(storage, secret with { AcceptSameVolume = false }, new CareRelationships(Clinics), new LogAnchors(Clinics), head, Clock, default);
        setUp = (await Vault.Identity.BeginSetUp(demonstration: false, default)).Value;
        await Vault.BuildIndex([Patient.NameField, Patient.PersonField, Patient.ContactField], (_, _) => Task.CompletedTask, default);
        services = new ServiceCollection()
            .AddSingleton<TimeProvider>(Clock)
            .AddSingleton(Vault.Door)
            .AddSingleton(Vault.Review)
            .AddSingleton(Vault.Questions)
            .AddSingleton(Vault.Identity)
            .AddSingleton(Vault.Fingerprints)
            .AddSingleton<IDbContextFactory<ClinicContext>>(Clinics)
            .AddSingleton(Events)
            .AddSingleton(new DiagnosisList(null))
            .AddMangroveClinic()
            .BuildServiceProvider(validateScopes: true);
        await using (var clinic = Clinic())
        {
            await House.Write(clinic, House.CurrencySetting, Currency, default);
            clinic.Prices.AddRange(PriceList.Load().All.Select(item =>
                new Mangrove.Clinic.Records.PriceItem { Code = item.Code, Description = item.Description, Group = item.Group, Amount = item.Amount, Currency = Currency }));
            await clinic.SaveChangesAsync();
        }
    }

    private async Task<StorageOptions> Postgres()
    {
        var database = await TestPostgres.Create();
        return new StorageOptions
        {
            Kind = StorageKind.Postgres,
            Folder = data.FullName,
            Connections = new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["clinic"] = database.Clinic, ["vault"] = database.Vault, ["keys"] = database.Keys, ["audit"] = database.Audit, ["owner"] = database.Owner,
            },
        };
    }

    private async Task<Actor> SignIn(string user, Role role)
    {
        var link = await Vault.Identity.Staff.Create(setUp.Setup, new NewStaff(user, $"Person {user}", role.Slug(), "Ward 3"), default);
        await Vault.Identity.Staff.SetPassword(link.Value.Token, Password, default);
        return (await Vault.Identity.SignIn.CommandLine(user, Password, default)).Value;
    }
}

/// <summary>Closes the shared hospitals when the run is over.</summary>
public sealed class TestHospitals : IAsyncDisposable
{
    public async ValueTask DisposeAsync() => await TestHospital.Close();
}
