using Mangrove.Cli.Demo;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Identity;
using Mangrove.Vault.Keys;

namespace Mangrove.Cli.Bench;

/// <summary>A sample hospital of the benches: made, and opened and closed as they need it.</summary>
internal sealed class BenchHospital(StorageOptions storage, DemoTeam team, IReadOnlyList<(int Patients, TimeSpan Took)> slices, int patients, TimeProvider clock)
{
    private Hospital? open;

    public string Folder => storage.Folder;

    public int Patients => patients;

    /// <summary>How long the registering of each slice of its patients took.</summary>
    public IReadOnlyList<(int Patients, TimeSpan Took)> Slices => slices;

    /// <summary>The open hospital, with its index still being built when it was shut before.</summary>
    public async Task<Hospital> Open(CancellationToken cancel) => open ??= await Hospital.Open(storage, new RootSecret(), clock, cancel);

    /// <summary>The open hospital with a whole index.</summary>
    public async Task<Hospital> OpenWhole(CancellationToken cancel)
    {
        var hospital = await Open(cancel);
        await hospital.Indexing.WaitAsync(cancel);
        return hospital;
    }

    /// <summary>Closes it, so that another process can open it.</summary>
    public async Task Close()
    {
        if (open is { } hospital)
        {
            open = null;
            await hospital.DisposeAsync();
        }
    }

    /// <summary>A member of staff for acts outside a browser.</summary>
    public async Task<Actor> Actor(Role role, CancellationToken cancel)
    {
        var account = Account(role);
        return (await (await Open(cancel)).Vault.Identity.SignIn.CommandLine(account.User, account.Password, cancel)).Value;
    }

    /// <summary>A session of a member of staff, as a browser has one: the token of its cookie.</summary>
    public async Task<string> Session(Role role, CancellationToken cancel)
    {
        var account = Account(role);
        var step = (await (await Open(cancel)).Vault.Identity.SignIn.Password(account.User, account.Password, SignIn.UnregisteredDevice, cancel)).Value;
        return step.Session?.Token ?? throw new InvalidOperationException($"{role} signs in with a second factor, which the bench has not.");
    }

    private DemoAccount Account(Role role) => team.Accounts.Single(account => account.Role == role.Slug());
}
