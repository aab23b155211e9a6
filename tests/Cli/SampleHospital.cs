using System.Text.Json;
using Mangrove.Kernel;
using Mangrove.Tests.Shared;
using Mangrove.Vault;

namespace Mangrove.Tests.Cli;

/// <summary>One sample hospital of twenty patients that the tests of a class share.</summary>
public class SampleHospital : IAsyncLifetime
{
    private readonly Folder folder = new();

    /// <summary>Where its databases are, once it is made.</summary>
    public StorageOptions Storage { get; private set; } = StorageOptions.Sqlite(".");

    /// <summary>The same for the command line.</summary>
    public IReadOnlyList<string> StorageArguments { get; private set; } = [];

    public string Data => folder.Data;

    internal Ran Made { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Storage = StorageOptions.Sqlite(Data);
        if (await Connections() is { } connections)
        {
            var file = folder.Secret("connections", connections);
            StorageArguments = ["--storage", "postgres", "--connection", file];
            Storage = StorageOptions.Postgres(Data, file).Value;
        }

        Made = await Executable.Run(["demo", "--patients", "20", "--seed", "7", "--data", Data, "--json", .. StorageArguments]);
        Assert.True(Made.Exit == 0, $"The sample was not made: {Made.Error}");
    }

    /// <summary>The lines of the connection file where the stores lie in PostgreSQL.</summary>
    private protected virtual Task<string?> Connections() => Task.FromResult<string?>(null);

    public ValueTask DisposeAsync()
    {
        folder.Dispose();
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    internal JsonElement[] Accounts() => [.. JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Data, "demo-accounts.json"))).RootElement.EnumerateArray()];

    internal JsonElement Account(Role role) => Accounts().Single(one => one.GetProperty("role").GetString() == role.Slug());

    internal (string User, string Password) Login(Role role) =>
        (Account(role).GetProperty("user").GetString()!, Account(role).GetProperty("password").GetString()!);

    internal (string User, string PasswordFile) Account(string role)
    {
        var account = Accounts().Single(one => one.GetProperty("role").GetString() == role);
        return (account.GetProperty("user").GetString()!, folder.Secret(role, account.GetProperty("password").GetString()!));
    }

    /// <summary>Copies the hospital, while nobody has it open.</summary>
    internal virtual Task<StorageOptions> CopyTo(string copy)
    {
        Directory.CreateDirectory(copy);
        foreach (var file in Directory.EnumerateFiles(Data))
        {
            File.Copy(file, Path.Combine(copy, Path.GetFileName(file)));
        }

        return Task.FromResult(StorageOptions.Sqlite(copy));
    }

    internal string Secret(string name, string text) => folder.Secret(name, text);
}

/// <summary>The same in a PostgreSQL of its own, which a test may kill.</summary>
public sealed class SampleOnPostgres : SampleHospital
{
    private TestDatabase? database;

    internal TestDatabase Database => database ?? throw new InvalidOperationException("The sample is not made yet.");

    internal override async Task<StorageOptions> CopyTo(string copy)
    {
        await base.CopyTo(copy);
        var connections = TestPostgres.Connections(await TestPostgres.Copy(Database));
        return StorageOptions.Postgres(copy, Secret(Path.GetFileName(copy) + ".connections", connections)).Value;
    }

    private protected override async Task<string?> Connections()
    {
        database = await TestPostgres.CreateAlone();
        return await TestPostgres.ForProduct(database);
    }
}
