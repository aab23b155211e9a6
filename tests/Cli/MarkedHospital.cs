using Mangrove.Kernel;
using Mangrove.Vault;
using Microsoft.AspNetCore.Http;

namespace Mangrove.Tests.Cli;

/// <summary>The server over a sample hospital into which each test plants marked patients.</summary>
public sealed class MarkedHospital : IAsyncLifetime
{
    private readonly SampleHospital sample = new();
    private HostedHospital hosted = null!;

    public IReadOnlyList<Endpoint> Endpoints => hosted.Endpoints;

    public async ValueTask InitializeAsync()
    {
        await sample.InitializeAsync();
        hosted = await HostedHospital.Open(sample, StorageOptions.Sqlite(sample.Data), TimeProvider.System, Ids.New);
    }

    public async ValueTask DisposeAsync()
    {
        await hosted.DisposeAsync();
        await sample.DisposeAsync();
    }

    public Task<IReadOnlyList<(Marked Patient, bool InCare)>> Arrive() => hosted.Patients.Arrive();

    internal Task<Browser> SignIn(Role role) => hosted.SignIn(role);
}
