using System.Text.Json;
using Mangrove.Kernel;
using Mangrove.Vault;

namespace Mangrove.Tests.Cli;

/// <summary>One sample hospital of twenty patients that the tests of a class share.</summary>
public sealed class SampleHospital : IAsyncLifetime
{
    private readonly Folder folder = new();

    /// <summary>Where its databases are, once it is made.</summary>
    public StorageOptions Storage { get; private set; } = StorageOptions.Sqlite(".");

    public string Data => folder.Data;

    internal Ran Made { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Storage = StorageOptions.Sqlite(Data);
        Made = await Executable.Run("demo", "--patients", "20", "--seed", "7", "--data", Data, "--json");
        Assert.True(Made.Exit == 0, $"The sample was not made: {Made.Error}");
    }

    public ValueTask DisposeAsync()
    {
        folder.Dispose();
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

    /// <summary>Copies the hospital's folder, while nobody has it open.</summary>
    internal void CopyTo(string copy)
    {
        Directory.CreateDirectory(copy);
        foreach (var file in Directory.EnumerateFiles(Data))
        {
            File.Copy(file, Path.Combine(copy, Path.GetFileName(file)));
        }
    }

    internal string Secret(string name, string text) => folder.Secret(name, text);
}
