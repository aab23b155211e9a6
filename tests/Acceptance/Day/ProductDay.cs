using System.Text.Json;
using Mangrove.Tests.Acceptance.Look;

namespace Mangrove.Tests.Acceptance.Day;

/// <summary>A test with a hospital of its own, from the first command on, in a folder that goes with it.</summary>
public abstract class ProductDay(LookHost look) : IAsyncLifetime
{
    private readonly DirectoryInfo root = Directory.CreateTempSubdirectory("mangrove-day-");
    private Product? product;

    private protected LookHost Host => look;

    private protected Product Product => product!;

    /// <summary>Where secrets and the data folder lie.</summary>
    private protected string Root => root.FullName;

    private protected string Data => Path.Combine(Root, "data");

    public ValueTask InitializeAsync()
    {
        product = new Product(Root);
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        await Product.DisposeAsync();
        root.Delete(recursive: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>The recovery codes of the sample hospital's administrator; each is good once.</summary>
    private protected async Task<string[]> RecoveryCodes()
    {
        using var accounts = JsonDocument.Parse(await File.ReadAllBytesAsync(Path.Combine(Data, "demo-accounts.json")));
        return [.. accounts.RootElement.EnumerateArray().Single(one => one.GetProperty("role").GetString() == "admin").GetProperty("recoveryCodes").EnumerateArray().Select(code => code.GetString()!)];
    }
}
