using Mangrove.Vault;

namespace Mangrove.Tests.Vault.Identity;

internal sealed class SqliteFolder : IDisposable
{
    public string Folder { get; } = Directory.CreateTempSubdirectory("mangrove-identity-").FullName;

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}

public sealed class SignInOnSqliteTests : SignInTests
{
    private readonly List<SqliteFolder> folders = [];

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        folders.ForEach(folder => folder.Dispose());
    }

    protected override Task<StorageOptions> NewStorage()
    {
        folders.Add(new SqliteFolder());
        return Task.FromResult(StorageOptions.Sqlite(folders[^1].Folder));
    }

    private protected override async Task<byte[]> Bytes(IdentityHouse house)
    {
        // Idle connections hold files that vanish with them.
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        var bytes = new List<byte>();
        foreach (var file in Directory.GetFiles(folders[^1].Folder).Concat(Directory.GetFiles(Path.GetDirectoryName(house.AuditFile)!)))
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
    private readonly List<SqliteFolder> folders = [];

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        folders.ForEach(folder => folder.Dispose());
    }

    protected override Task<StorageOptions> NewStorage()
    {
        folders.Add(new SqliteFolder());
        return Task.FromResult(StorageOptions.Sqlite(folders[^1].Folder));
    }
}

public sealed class StaffOnSqliteTests : StaffTests
{
    private readonly List<SqliteFolder> folders = [];

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        folders.ForEach(folder => folder.Dispose());
    }

    protected override Task<StorageOptions> NewStorage()
    {
        folders.Add(new SqliteFolder());
        return Task.FromResult(StorageOptions.Sqlite(folders[^1].Folder));
    }
}

public sealed class OwnPasswordOnSqliteTests : OwnPasswordTests
{
    private readonly List<SqliteFolder> folders = [];

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        folders.ForEach(folder => folder.Dispose());
    }

    protected override Task<StorageOptions> NewStorage()
    {
        folders.Add(new SqliteFolder());
        return Task.FromResult(StorageOptions.Sqlite(folders[^1].Folder));
    }
}
