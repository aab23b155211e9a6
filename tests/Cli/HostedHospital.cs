using System.Security.Cryptography.X509Certificates;
using Mangrove.Cli;
using Mangrove.Cli.Serving;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Audit;
using Mangrove.Vault.Identity;
using Mangrove.Vault.Keys;
using Microsoft.AspNetCore.Http;

namespace Mangrove.Tests.Cli;

/// <summary>The real server over a sample hospital, in this process, so that a test can also look behind it.</summary>
internal sealed class HostedHospital : IAsyncDisposable
{
    private readonly SampleHospital sample;
    private readonly Server server;

    private readonly Actor importer;

    private HostedHospital(SampleHospital sample, Hospital hospital, Server server, Actor importer, Func<Guid> ids)
    {
        this.sample = sample;
        this.server = server;
        this.importer = importer;
        Hospital = hospital;
        Patients = new MarkedPatients(hospital, importer, role => Staff(role), ids);
    }

    public Hospital Hospital { get; }

    public MarkedPatients Patients { get; }

    public Uri Address => server.Address;

    /// <summary>Where clients with a certificate are answered.</summary>
    public Uri ClientAddress => server.ClientAddress ?? throw new InvalidOperationException("This hospital has no listener for clients.");

    public IReadOnlyList<Endpoint> Endpoints => server.Endpoints;

    /// <param name="sample">Whose accounts and key.</param>
    /// <param name="storage">The sample's own folder, or a copy of it.</param>
    /// <param name="clock">The time of the hospital.</param>
    /// <param name="ids">Ids of what is planted.</param>
    /// <param name="clients">Whether it also listens for clients with a certificate.</param>
    public static async Task<HostedHospital> Open(SampleHospital sample, StorageOptions storage, TimeProvider clock, Func<Guid> ids, bool clients = false)
    {
        var hospital = await Hospital.Open(storage, new RootSecret { KeyFile = Path.Combine(storage.Folder, "demo.key") }, clock, default);
        try
        {
            await hospital.Indexing;
            var (user, password) = sample.Login(Role.Admin);
            var administrator = (await hospital.Vault.Identity.SignIn.CommandLine(user, password, default)).Value;
            var free = new Uri("https://localhost:0");
            return new HostedHospital(sample, hospital, clients ? await Server.Start(hospital, free, free, default) : await Server.Start(hospital, free, default), administrator, ids);
        }
        catch
        {
            await hospital.DisposeAsync();
            throw;
        }
    }

    /// <summary>Signs somebody of the role in over a connection with a certificate.</summary>
    public Task<Browser> SignIn(Role role, X509Certificate2 certificate)
    {
        var (user, password) = sample.Login(role);
        return Browser.SignIn(ClientAddress, user, password, () => sample.Code(role), certificate);
    }

    /// <summary>Signs somebody of the role in; a session that this person had before ends.</summary>
    public Task<Browser> SignIn(Role role)
    {
        var (user, password) = sample.Login(role);
        return Browser.SignIn(server.Address, user, password, () => sample.Code(role));
    }

    /// <summary>What the server does once a day: looks whether its certificate runs out.</summary>
    public Task<bool> Renew() => server.RenewCertificate(default);

    public Task<IReadOnlyList<AuditEntry>> Log() => Hospital.Vault.Review.List(importer, new AuditFilter { NewestFirst = false }, null, default);

    public async ValueTask DisposeAsync()
    {
        await server.DisposeAsync();
        await Hospital.DisposeAsync();
    }

    private StaffId Staff(Role role) =>
        StaffId.TryParse(sample.Account(role).GetProperty("staffId").GetString(), out var id) ? id : throw new InvalidOperationException($"{role} has no staff number.");
}
