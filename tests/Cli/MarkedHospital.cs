using Mangrove.Kernel;
using Microsoft.AspNetCore.Http;

namespace Mangrove.Tests.Cli;

/// <summary>The server over a sample hospital into which each test plants marked patients.</summary>
public class MarkedHospital : IAsyncLifetime
{
    private readonly SampleHospital sample;
    private HostedHospital hosted = null!;

    public MarkedHospital()
        : this(new SampleHospital())
    {
    }

    private protected MarkedHospital(SampleHospital sample) => this.sample = sample;

    public IReadOnlyList<Endpoint> Endpoints => hosted.Endpoints;

    public async ValueTask InitializeAsync()
    {
        await sample.InitializeAsync();
        hosted = await HostedHospital.Open(sample, sample.Storage, TimeProvider.System, Ids.New);
    }

    public async ValueTask DisposeAsync()
    {
        await hosted.DisposeAsync();
        await sample.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    public Task<IReadOnlyList<(Marked Patient, bool InCare)>> Arrive() => hosted.Patients.Arrive();

    internal Task<Browser> SignIn(Role role) => hosted.SignIn(role);
}

/// <summary>The same in PostgreSQL.</summary>
public sealed class MarkedOnPostgres() : MarkedHospital(new SampleOnPostgres());
