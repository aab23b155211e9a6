using System.Security.Cryptography;
using System.Text.Json;
using Mangrove.Kernel;
using Mangrove.Tests.Acceptance.Day;
using Mangrove.Tests.Shared;
using Microsoft.Playwright;

[assembly: AssemblyFixture(typeof(DayHospital))]

namespace Mangrove.Tests.Acceptance.Day;

/// <summary>
/// One hospital that a whole day is lived through: the built executable serves it, real histories are imported into it,
/// and each role sits before a browser of its own whose profile lies in the test's folder. Begun by the first test that
/// asks for it.
/// </summary>
public class DayHospital : IAsyncLifetime
{
    private readonly string root = Directory.CreateDirectory(Path.Combine(Path.GetTempPath(), "mangrove-day-" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(6)))).FullName;
    private readonly Lazy<Task<PatientsDay>> day;
    private Product? product;
    private IPlaywright? playwright;
    private string[] storage = [];

    public DayHospital() => day = new Lazy<Task<PatientsDay>>(Live);

    internal Product Product => product ?? throw new InvalidOperationException("The hospital has not begun.");

    internal string Data => Path.Combine(root, "data");

    private readonly System.Collections.Concurrent.ConcurrentDictionary<Role, int> used = new();

    /// <summary>Temporary folder of every process of the day, browsers too.</summary>
    internal string Temporary => Path.Combine(root, "tmp");

    internal string Profiles => Path.Combine(root, "profiles");

    internal Uri Address { get; private set; } = new("https://127.0.0.1");

    /// <summary>The day, lived to its end: all seven roles, and their browsers closed again.</summary>
    internal Task<PatientsDay> Day => day.Value;

    internal (string User, string PasswordFile) Account(Role role) => AccountIn(Data, role.Slug(), root);

    internal static (string User, string PasswordFile) AccountIn(string data, string role, string secrets)
    {
        using var accounts = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(data, "demo-accounts.json")));
        var account = accounts.RootElement.EnumerateArray().Single(one => one.GetProperty("role").GetString() == role);
        var file = Path.Combine(secrets, role + ".password");
        File.WriteAllText(file, account.GetProperty("password").GetString());
        return (account.GetProperty("user").GetString()!, file);
    }

    /// <summary>The digits by which somebody unlocks the screen.</summary>
    internal string Pin(Role role)
    {
        using var accounts = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Data, "demo-accounts.json")));
        return accounts.RootElement.EnumerateArray().Single(one => one.GetProperty("role").GetString() == role.Slug()).GetProperty("pin").GetString()!;
    }

    /// <summary>A code of somebody's second factor that no sign-in has used.</summary>
    internal string Code(Role role)
    {
        using var accounts = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Data, "demo-accounts.json")));
        var codes = accounts.RootElement.EnumerateArray().Single(one => one.GetProperty("role").GetString() == role.Slug()).GetProperty("recoveryCodes");
        return codes[used.AddOrUpdate(role, 0, (_, before) => before + 1)].GetString()!;
    }

    /// <summary>Runs a command on this hospital to its end.</summary>
    internal Task<JsonElement> Run(params string[] arguments) => Product.Run([.. arguments, "--data", Data, .. storage, "--json"]);

    /// <summary>Opens a browser for a role and signs in, after one try with a wrong password where there is one.</summary>
    internal Task<Station> Sit(Role role, string? mistyped)
    {
        var (user, password) = Account(role);
        return Station.Open(playwright!, Address, role, user, File.ReadAllText(password), () => Code(role), mistyped, Path.Combine(Profiles, role.Slug()), Temporary);
    }

    /// <summary>What a command is told of where the databases are.</summary>
    private protected virtual Task<string[]> Storage(string folder) => Task.FromResult<string[]>([]);

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        if (day.IsValueCreated)
        {
            // A day that failed has been reported by the test that asked for it.
            await Task.WhenAny(day.Value);
        }

        if (product is not null)
        {
            await product.DisposeAsync();
        }

        playwright?.Dispose();
        Directory.Delete(root, recursive: true);
        GC.SuppressFinalize(this);
    }

    private async Task<PatientsDay> Live()
    {
        Directory.CreateDirectory(Temporary);
        product = new Product(Temporary);
        storage = await Storage(root);
        await Run("demo", "--patients", "24", "--seed", "11");
        var files = Path.Combine(root, "import");
        var patient = await Newcomer.Fetch(files, product, root);
        var (admin, password) = Account(Role.Admin);
        var imported = await Run("import", "fhir", files, "--as", admin, "--password-file", password);
        Assert.Equal(0, imported.GetProperty("rejected").GetArrayLength());
        Directory.Delete(files, recursive: true);

        Address = await product.Serve(["--data", Data, .. storage]);
        playwright = await Playwright.CreateAsync();
        playwright.Selectors.SetTestIdAttribute("data-test");
        return await PatientsDay.Live(this, patient);
    }
}

/// <summary>The same day on PostgreSQL.</summary>
public sealed class DayOnPostgres : DayHospital
{
    private protected override async Task<string[]> Storage(string folder)
    {
        var file = Path.Combine(folder, "connections");
        await File.WriteAllTextAsync(file, await TestPostgres.ForProduct(await TestPostgres.Create()));
        return ["--storage", "postgres", "--connection", file];
    }
}
