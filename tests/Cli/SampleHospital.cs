using System.Text.Json;
using Mangrove.Kernel;
using Mangrove.Tests.Shared;
using Mangrove.Vault;

namespace Mangrove.Tests.Cli;

/// <summary>
/// One sample hospital of twenty patients that the tests of a class share: a copy of one that is made once for all of them,
/// because making one takes longer than most of what is asked of it.
/// </summary>
public class SampleHospital : IAsyncLifetime
{
    private static readonly Lazy<Task<string>> Master = new(MakeMaster);

    private readonly Folder folder = new();
    private readonly System.Collections.Concurrent.ConcurrentDictionary<Role, int> used = new();

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

        if (!await Copied())
        {
            Made = await Executable.Run(["demo", "--patients", "20", "--seed", "7", "--data", Data, "--json", .. StorageArguments]);
            Assert.True(Made.Exit == 0, $"The sample was not made: {Made.Error}");
        }
    }

    /// <summary>Takes the copy; false where one has to be made.</summary>
    private protected virtual async Task<bool> Copied()
    {
        if (Storage.Kind != StorageKind.Sqlite)
        {
            return false;
        }

        CopyFiles(await Master.Value, Data);
        return true;
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

    /// <summary>A code of somebody's second factor that no sign-in has used: a recovery code, which waits for no clock.</summary>
    internal string Code(Role role)
    {
        var codes = Account(role).GetProperty("recoveryCodes");
        var next = used.AddOrUpdate(role, 0, (_, before) => before + 1);
        return next < codes.GetArrayLength()
            ? codes[next].GetString()!
            : throw new InvalidOperationException($"{role} has signed in {next} times: every recovery code of this hospital is used.");
    }

    internal (string User, string PasswordFile) Account(string role)
    {
        var account = Accounts().Single(one => one.GetProperty("role").GetString() == role);
        return (account.GetProperty("user").GetString()!, folder.Secret(role, account.GetProperty("password").GetString()!));
    }

    /// <summary>Copies the hospital, while nobody has it open.</summary>
    internal virtual Task<StorageOptions> CopyTo(string copy)
    {
        CopyFiles(Data, copy);
        return Task.FromResult(StorageOptions.Sqlite(copy));
    }

    private static async Task<string> MakeMaster()
    {
        var place = Directory.CreateTempSubdirectory("mangrove-cli-sample-").FullName;
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(place, recursive: true);
        var data = Path.Combine(place, "data");
        var made = await Executable.Run("demo", "--patients", "20", "--seed", "7", "--data", data, "--json");
        Assert.True(made.Exit == 0, $"The sample was not made: {made.Error}");
        return data;
    }

    private static void CopyFiles(string from, string to)
    {
        Directory.CreateDirectory(to);
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(to, File.GetUnixFileMode(from));
        }

        // The socket of a server that was killed is no file to be copied.
        foreach (var file in Directory.EnumerateFiles(from).Where(file => !file.EndsWith(".sock", StringComparison.Ordinal)))
        {
            File.Copy(file, Path.Combine(to, Path.GetFileName(file)));
        }
    }

    internal string Secret(string name, string text) => folder.Secret(name, text);
}

/// <summary>One that was made just now and is no copy, for the tests about making one.</summary>
public sealed class FreshSample : SampleHospital
{
    private protected override Task<bool> Copied() => Task.FromResult(false);
}

/// <summary>The same in a PostgreSQL of its own, which a test may kill.</summary>
public sealed class SampleOnPostgres : SampleHospital
{
    private TestDatabase? database;

    /// <summary>The line of the connection file for drills.</summary>
    internal string DrillLine { get; private set; } = string.Empty;

    internal TestDatabase Database => database ?? throw new InvalidOperationException("The sample is not made yet.");

    internal override async Task<StorageOptions> CopyTo(string copy)
    {
        await base.CopyTo(copy);
        var connections = $"{TestPostgres.Connections(await TestPostgres.Copy(Database))}\n{DrillLine}";
        return StorageOptions.Postgres(copy, Secret(Path.GetFileName(copy) + ".connections", connections)).Value;
    }

    private protected override async Task<string?> Connections()
    {
        database = await TestPostgres.CreateAlone();
        DrillLine = await TestPostgres.ForDrills(database);
        return $"{await TestPostgres.ForProduct(database)}\n{DrillLine}";
    }
}
