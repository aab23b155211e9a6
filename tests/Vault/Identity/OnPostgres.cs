using Mangrove.Tests.Shared;
using Mangrove.Vault;

namespace Mangrove.Tests.Vault.Identity;

/// <summary>Identity's stores in a PostgreSQL database of their own, with the roles that a hospital gives them.</summary>
internal static class PostgresStorage
{
    public static async Task<StorageOptions> Create()
    {
        var database = await TestPostgres.Create();
        return new StorageOptions
        {
            Kind = StorageKind.Postgres,
            Folder = Path.GetTempPath(),
            Connections = new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["clinic"] = database.Clinic, ["vault"] = database.Vault, ["keys"] = database.Keys, ["audit"] = database.Audit,
            },
        };
    }
}

public sealed class SessionsOnPostgresTests : SessionTests
{
    protected override Task<StorageOptions> NewStorage() => PostgresStorage.Create();
}

public sealed class StaffOnPostgresTests : StaffTests
{
    protected override Task<StorageOptions> NewStorage() => PostgresStorage.Create();
}

public sealed class SignInOnPostgresTests : SignInTests
{
    private static readonly string[] Tables = ["account", "session", "throttle", "staff_number", "clock_mark"];

    protected override Task<StorageOptions> NewStorage() => PostgresStorage.Create();

    private protected override async Task<byte[]> Bytes(IdentityHouse house)
    {
        // Other tests share the cluster's files, so every row is read as the server writes it: text, bytea in hexadecimal.
        var bytes = new List<byte>();
        await using var connection = await house.Store.Open(default);
        foreach (var table in Tables)
        {
            await using var command = connection.CreateCommand();
            command.CommandText = $"SELECT * FROM {table}";
            await using var reader = await command.ExecuteReaderAsync();
            while (await reader.ReadAsync())
            {
                for (var column = 0; column < reader.FieldCount; column++)
                {
                    bytes.AddRange(reader.GetValue(column) switch
                    {
                        byte[] value => value,
                        string value => System.Text.Encoding.UTF8.GetBytes(value),
                        _ => [],
                    });
                }
            }
        }

        return [.. bytes];
    }
}

public sealed class OwnPasswordOnPostgresTests : OwnPasswordTests
{
    protected override Task<StorageOptions> NewStorage() => PostgresStorage.Create();
}

public sealed class PinOnPostgresTests : PinTests
{
    protected override Task<StorageOptions> NewStorage() => PostgresStorage.Create();
}

public sealed class SecondFactorOnPostgresTests : SecondFactorTests
{
    protected override Task<StorageOptions> NewStorage() => PostgresStorage.Create();
}

public sealed class DeviceOnPostgresTests : DeviceTests
{
    protected override Task<StorageOptions> NewStorage() => PostgresStorage.Create();
}

public sealed class SessionRulesOnPostgresTests : SessionRulesTests
{
    protected override Task<StorageOptions> NewStorage() => PostgresStorage.Create();
}

public sealed class StandingOnPostgresTests : StandingTests
{
    protected override Task<StorageOptions> NewStorage() => PostgresStorage.Create();
}

public sealed class PasskeyOnPostgresTests : PasskeyTests
{
    protected override Task<StorageOptions> NewStorage() => PostgresStorage.Create();
}

public sealed class LeakedPasswordOnPostgresTests : LeakedPasswordTests
{
    protected override Task<StorageOptions> NewStorage() => PostgresStorage.Create();
}

public sealed class SignInTraceOnPostgresTests : SignInTraceTests
{
    protected override Task<StorageOptions> NewStorage() => PostgresStorage.Create();
}

public sealed class PasskeyActOnPostgresTests : PasskeyActTests
{
    protected override Task<StorageOptions> NewStorage() => PostgresStorage.Create();
}
