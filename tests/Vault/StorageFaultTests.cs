using Mangrove.Tests.Vault.Audit;
using Mangrove.Vault;
using Npgsql;

namespace Mangrove.Tests.Vault;

public sealed class StorageFaultTests
{
    /// <summary>The statement that meets the break, and the next one on the transaction that ended with it.</summary>
    [Fact]
    public async Task A_connection_that_breaks_inside_a_transaction_is_an_unreachable_database_at_every_statement()
    {
        await using var home = await PostgresHome.Create();
        await using var connection = new NpgsqlConnection(home.Database.Audit);
        await connection.OpenAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using (var other = new NpgsqlConnection(home.Database.Audit))
        {
            await other.OpenAsync();
            await using var end = new NpgsqlCommand($"SELECT pg_terminate_backend({connection.ProcessID}, 5000)", other);
            Assert.Equal(true, await end.ExecuteScalarAsync());
        }

        await using var first = new NpgsqlCommand("SELECT 1", connection, transaction);
        var broke = await Record.ExceptionAsync(() => first.ExecuteNonQueryAsync());
        await using var second = new NpgsqlCommand("SELECT 1", connection);
        var later = Record.Exception(() => second.Transaction = transaction);

        Assert.Equal("storage.unreachable", StorageFault.Of(broke!)?.Code);
        Assert.IsNotAssignableFrom<NpgsqlException>(later);
        Assert.Equal("storage.unreachable", StorageFault.Of(later!)?.Code);
    }

    [Theory]
    [InlineData(13, "data.full")]
    [InlineData(778, "data.disk")]
    [InlineData(14, "data.unwritable")]
    public void The_code_that_copying_a_database_gives_is_understood_like_any_other(int code, string reason) =>
        Assert.Equal(reason, StorageFault.Of(new Microsoft.Data.Sqlite.SqliteException("", code, code))?.Code);

    [Theory]
    [InlineData(5, "data.disk")]
    [InlineData(28, "data.full")]
    [InlineData(17, null)]
    public void A_file_that_the_disk_fails_is_told_from_one_that_is_in_the_way(int number, string? reason)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "These numbers are Linux's.");
        Assert.Equal(reason, StorageFault.Of(new InvalidOperationException("", new IOException("", number)))?.Code);
    }

    [Fact]
    public void A_fault_of_our_own_is_not_one_of_storage() => Assert.Null(StorageFault.Of(Record.Exception(() => Array.Empty<int>().Single())!));
}
