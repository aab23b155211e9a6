using Mangrove.Vault;

namespace Mangrove.Tests.Vault.Identity;

internal sealed class SqliteFolder : IDisposable
{
    public string Folder { get; } = Directory.CreateTempSubdirectory("mangrove-identity-").FullName;

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}

public sealed class SignInOnSqliteTests : SignInTests
{
    protected override Task<StorageOptions> NewStorage() => Task.FromResult(InNewFolder());

    private protected override async Task<byte[]> Bytes(IdentityHouse house)
    {
        // Idle connections hold files that vanish with them.
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        var bytes = new List<byte>();
        foreach (var file in Directory.GetFiles(LastFolder).Concat(Directory.GetFiles(Path.GetDirectoryName(house.AuditFile)!)))
        {
            await using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            var content = new byte[stream.Length];
            await stream.ReadExactlyAsync(content);
            bytes.AddRange(content);
        }

        return [.. bytes];
    }
}

public sealed class SessionsOnSqliteTests : SessionTests
{
    protected override Task<StorageOptions> NewStorage() => Task.FromResult(InNewFolder());
}

public sealed class StaffOnSqliteTests : StaffTests
{
    protected override Task<StorageOptions> NewStorage() => Task.FromResult(InNewFolder());
}

public sealed class OwnPasswordOnSqliteTests : OwnPasswordTests
{
    protected override Task<StorageOptions> NewStorage() => Task.FromResult(InNewFolder());
}

public sealed class PinOnSqliteTests : PinTests
{
    protected override Task<StorageOptions> NewStorage() => Task.FromResult(InNewFolder());
}

public sealed class SecondFactorOnSqliteTests : SecondFactorTests
{
    protected override Task<StorageOptions> NewStorage() => Task.FromResult(InNewFolder());
}

public sealed class DeviceOnSqliteTests : DeviceTests
{
    protected override Task<StorageOptions> NewStorage() => Task.FromResult(InNewFolder());
}

public sealed class SessionRulesOnSqliteTests : SessionRulesTests
{
    protected override Task<StorageOptions> NewStorage() => Task.FromResult(InNewFolder());
}

public sealed class StandingOnSqliteTests : StandingTests
{
    protected override Task<StorageOptions> NewStorage() => Task.FromResult(InNewFolder());
}

public sealed class PasskeyOnSqliteTests : PasskeyTests
{
    protected override Task<StorageOptions> NewStorage() => Task.FromResult(InNewFolder());
}

public sealed class LeakedPasswordOnSqliteTests : LeakedPasswordTests
{
    protected override Task<StorageOptions> NewStorage() => Task.FromResult(InNewFolder());
}

public sealed class SignInTraceOnSqliteTests : SignInTraceTests
{
    protected override Task<StorageOptions> NewStorage() => Task.FromResult(InNewFolder());
}

public sealed class PasskeyActOnSqliteTests : PasskeyActTests
{
    protected override Task<StorageOptions> NewStorage() => Task.FromResult(InNewFolder());
}
