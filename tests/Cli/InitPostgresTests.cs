using Mangrove.Tests.Shared;
using Npgsql;

namespace Mangrove.Tests.Cli;

/// <summary>A hospital on PostgreSQL is made whole or not at all, and never over another one.</summary>
public sealed class InitPostgresTests : IDisposable
{
    private readonly Folder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task A_failed_init_leaves_nothing_in_the_database_and_the_next_one_succeeds()
    {
        var database = await Database();
        // Without an owner the log's tables cannot be made, which shows when keys and accounts are there already.
        var failed = await Init("one", Connections(database, owner: false));
        Assert.Equal((2, "storage.connection-file-bad"), (failed.Exit, failed.Code));
        Assert.Empty(await Tables(database));
        Assert.False(Directory.Exists(folder["one"]));

        var made = await Init("one", Connections(database));
        Assert.True(made.Exit == 0, made.Error + made.Out);
        var log = await Executable.Run("audit", "verify", "--data", folder["one"], "--storage", "postgres", "--connection", folder["connections"], "--passphrase-file", folder["pass"], "--json");
        Assert.True(log.Json.GetProperty("ok").GetBoolean(), log.Out);
    }

    [Fact]
    public async Task What_a_killed_init_left_is_removed_by_the_next_one_with_the_same_folder_only()
    {
        var database = await Database();
        var ground = Guid.Parse("6f0d7a52-0f5b-4b43-9d0e-2f3b8f1f6a11");
        await Run(database.Keys, $"CREATE TABLE founding (id uuid NOT NULL, made text NOT NULL); INSERT INTO founding VALUES ('{ground}', ''); CREATE TABLE purpose_key (purpose int PRIMARY KEY)");
        await Run(database.Vault, "CREATE TABLE account (id int PRIMARY KEY); CREATE TABLE session (account int REFERENCES account (id))");
        var foreign = await Init("two", Connections(database));
        Assert.Equal((2, "init.not-empty"), (foreign.Exit, foreign.Code));
        Assert.Equal(4, (await Tables(database)).Count);

        Directory.CreateDirectory(folder["one"]);
        await File.WriteAllTextAsync(Path.Combine(folder["one"], "founding.json"), $"{{\"KeyFile\":null,\"Ground\":\"{ground}\"}}");
        var elsewhere = await Executable.Run("init", "--data", folder["one"], "--facility", "Kivuko Hospital", "--passphrase-file", folder["pass"], "--json");
        Assert.Equal((2, "init.half-made-elsewhere"), (elsewhere.Exit, elsewhere.Code));
        Assert.Equal(0, (await Init("one", Connections(database))).Exit);
    }

    [Fact]
    public async Task A_database_that_holds_a_hospital_is_refused_and_stays_as_it_is()
    {
        var database = await Database();
        Assert.Equal(0, (await Init("one", Connections(database))).Exit);
        var tables = await Tables(database);

        var second = await Init("two", Connections(database));

        Assert.Equal((2, "init.not-empty"), (second.Exit, second.Code));
        Assert.False(Directory.Exists(folder["two"]));
        Assert.Equal(tables, await Tables(database));
        var log = await Executable.Run("audit", "verify", "--data", folder["one"], "--storage", "postgres", "--connection", folder["connections"], "--passphrase-file", folder["pass"], "--json");
        Assert.True(log.Json.GetProperty("ok").GetBoolean(), log.Out);
    }

    /// <summary>As a hospital has it: the tables of clinic and log belong to the owner, and their roles may not alter them.</summary>
    private static async Task<TestDatabase> Database()
    {
        var database = await TestPostgres.Create();
        await TestPostgres.Sql(database.Folder, database.Name, $"ALTER SCHEMA clinic OWNER TO {database.Roles}_owner");
        return database;
    }

    private Task<Ran> Init(string name, string connections) => Executable.Run(
        "init", "--data", folder[name], "--facility", "Kivuko Hospital", "--passphrase-file", folder.Secret("pass", "seven brown herons wade slowly"), "--storage", "postgres", "--connection", connections, "--json");

    private string Connections(TestDatabase database, bool owner = true) => folder.Secret(
        "connections",
        $"clinic={database.Clinic}\nvault={database.Vault}\nkeys={database.Keys}\naudit={database.Audit}{(owner ? $"\nowner={database.Owner}" : "")}");

    private static async Task<IReadOnlyList<string>> Tables(TestDatabase database)
    {
        await using var connection = new NpgsqlConnection(database.Owner);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand("SELECT tablename FROM pg_tables WHERE schemaname IN ('clinic', 'vault', 'keys', 'audit') ORDER BY schemaname, tablename", connection);
        await using var reader = await command.ExecuteReaderAsync();
        var tables = new List<string>();
        while (await reader.ReadAsync())
        {
            tables.Add(reader.GetString(0));
        }

        return tables;
    }

    private static async Task Run(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}
