using Mangrove.Kernel;
using Mangrove.Vault.Audit;
using Mangrove.Vault.Clients;
using Mangrove.Vault.Glass;
using Mangrove.Vault.Holds;
using Mangrove.Vault.Incidents;
using Mangrove.Vault.Keys;

namespace Mangrove.Vault.Identity;

/// <summary>Who may be here: the staff's accounts, sign-in and sessions of one hospital.</summary>
public sealed class IdentityDesk : IDisposable
{
    private readonly Store store;
    private readonly PasswordGate passwords;
    private readonly SignInThrottle throttle;
    private readonly SecondFactors factors;
    private readonly PasskeyFactors passkeys;
    private readonly PendingSignIns pending;
    private readonly SignInTraces traces;
    private readonly SessionRules rules;
    private readonly OtherServers others;
    private readonly KeyRing ring;

    internal IdentityDesk(Store store, KeyRing keys, Door door, Receipt.Log log, Standings standings, string hospital, TimeProvider clock, IdentityOptions? options = null)
    {
        this.store = store;
        ring = keys;
        var settings = (options ?? new IdentityOptions()).Checked();
        Hospital = hospital;
        rules = new SessionRules(settings);
        var pepper = new Peppers(keys);
        Pepper = pepper;
        passwords = new PasswordGate(pepper, pepper.Hasher(settings.PasswordCost), Environment.ProcessorCount, settings.PasswordQueue);
        Sessions = new Sessions(store, door, log, passwords, rules, standings, clock);
        throttle = new SignInThrottle(store, pepper, settings, clock);
        factors = new SecondFactors(pepper, clock);
        passkeys = new PasskeyFactors(pepper, clock);
        pending = new PendingSignIns(clock);
        traces = new SignInTraces(store, clock);
        var fresh = new FreshCodes(clock);
        SignIn = new SignIn(store, Sessions, log, passwords, throttle, factors, passkeys, pending, fresh, traces, hospital, clock);
        var owners = new OwnerCheck(store, log, passwords, throttle);
        OwnPassword = new OwnPassword(Sessions, log, owners, hospital, clock);
        Pin = new StaffPin(Sessions, log, owners, clock);
        var asking = new FreshFactor(Sessions, factors, passkeys, clock);
        SecondFactor = new SecondFactor(Sessions, log, owners, factors, fresh, asking, door, hospital, clock);
        Passkeys = new Passkeys(Sessions, log, SecondFactor, factors, passkeys, asking, fresh, clock);
        var acts = new AdministratorAct(Sessions, door, log);
        SessionPolicy = new SessionPolicy(rules, acts, SecondFactor, clock);
        Departments = new DepartmentRules(store, standings, acts, SecondFactor);
        Certificates = new CertificateRegister(store, clock);
        Devices = new Devices(store, Sessions, standings, door, log, throttle, SecondFactor, Certificates, pepper, clock);
        others = new OtherServers(store, Sessions, rules, Departments, Certificates, Devices);
        Staff = new StaffDirectory(store, Sessions, door, log, passwords, settings, hospital, clock);
        FirstAdministrator = new FirstAdministrator(Staff);
        Peppered = new Peppered(Sessions, pepper, clock);
        Acts = acts;
    }

    internal Peppers Pepper { get; }

    /// <summary>What hangs from the pepper, for its rotation.</summary>
    internal Peppered Peppered { get; }

    internal AdministratorAct Acts { get; }

    public Sessions Sessions { get; }

    public SignIn SignIn { get; }

    public OwnPassword OwnPassword { get; }

    public StaffPin Pin { get; }

    public SecondFactor SecondFactor { get; }

    public Passkeys Passkeys { get; }

    public SessionPolicy SessionPolicy { get; }

    public DepartmentRules Departments { get; }

    public Devices Devices { get; }

    public StaffDirectory Staff { get; }

    public FirstAdministrator FirstAdministrator { get; }

    /// <summary>Name of the hospital, for the pages outside a session.</summary>
    public string Hospital { get; }

    /// <summary>Times and limits in force.</summary>
    public IdentityOptions Options => rules.Now;

    internal PasswordGate Passwords => passwords;


    /// <summary>What devices and programs show instead of a signature.</summary>
    internal CertificateRegister Certificates { get; }

    /// <summary>
    /// Begins the making of a hospital. Possible only while it has no account at all, so that nothing running later can
    /// come by the actors of set-up.
    /// </summary>
    /// <param name="demonstration">Whether sample patients are to be written.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>The set-up, to be disposed when it is done, or <c>init.already</c>.</returns>
    public async Task<Result<FirstSetUp>> BeginSetUp(bool demonstration, CancellationToken cancel)
    {
        await using var connection = await store.Open(cancel);
        return await connection.Scalar("SELECT COUNT(*) FROM account", cancel) is 0L
            ? new FirstSetUp(demonstration)
            : StaffDirectory.HasAccounts;
    }

    /// <summary>
    /// Lets this server follow what another one on the same database changed. Called every second by <see cref="SessionSweep"/>;
    /// nothing is done on SQLite, or where nothing changed.
    /// </summary>
    /// <returns>Whether anything had changed.</returns>
    public async Task<bool> Follow(CancellationToken cancel)
    {
        await ring.Follow(cancel);
        return await others.Follow(cancel);
    }

    public void Dispose()
    {
        SecondFactor.Dispose();
        pending.Dispose();
        throttle.Dispose();
        traces.Dispose();
        Sessions.Dispose();
        passwords.Dispose();
    }

    /// <summary>Reads what requests are judged by before the first one comes.</summary>
    internal async Task Load(CancellationToken cancel)
    {
        await using (var connection = await store.Open(cancel))
        {
            await rules.Load(connection, cancel);
        }

        await Departments.Load(cancel);
        await Certificates.Load(cancel);
        await Devices.Load(cancel);
    }

    /// <summary>Creates the tables of a new hospital, and those that a hospital of before lacks.</summary>
    internal static async Task Create(Store store, CancellationToken cancel)
    {
        await IdentityStore.Create(store, cancel);
        await ClientStore.Create(store, cancel);
        await GlassStore.Create(store, cancel);
        await HoldStore.Create(store, cancel);
        await IncidentStore.Create(store, cancel);
        await Destruction.DestructionStore.Create(store, cancel);
    }
}
