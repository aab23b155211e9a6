using System.Data.Common;
using Mangrove.Clinic;
using Mangrove.Vault;
using Mangrove.Vault.Audit;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage.ValueConversion;

namespace Mangrove.Storage.Sqlite;

/// <summary>The clinic's tables in clinic.db. Ids are stored as 16 bytes.</summary>
public sealed class SqliteClinicContext(DbContextOptions<SqliteClinicContext> options) : ClinicContext(options)
{
    private bool keeps;

    public override bool KeepsConnection => keeps;

    /// <summary>Gives the context an open connection for its life.</summary>
    internal void Keep(SqliteConnection connection)
    {
        Database.SetDbConnection(connection);
        keeps = true;
    }

    protected override void ConfigureConventions(ModelConfigurationBuilder configurationBuilder)
    {
        base.ConfigureConventions(configurationBuilder);
        configurationBuilder.Properties<Guid>().HaveConversion<GuidConverter>();
        configurationBuilder.Properties<Kernel.PatientId>().HaveConversion<PatientIdConverter>();
    }

    private sealed class GuidConverter() : ValueConverter<Guid, byte[]>(id => id.ToByteArray(true), bytes => new Guid(bytes, true));

    private sealed class PatientIdConverter() : ValueConverter<Kernel.PatientId, byte[]>(id => id.Value.ToByteArray(true), bytes => new Kernel.PatientId(new Guid(bytes, true)));
}

/// <summary>Opens contexts on one data folder.</summary>
public sealed class SqliteClinics : IClinicDatabase, IDisposable
{
    private readonly KeptConnections connections;
    private readonly Lazy<DbContextOptions<SqliteClinicContext>> options;
    private readonly Lazy<PooledDbContextFactory<SqliteClinicContext>> contexts;
    private readonly LogHead log;
    private readonly string connectionString;

    public SqliteClinics(StorageOptions storage, LogHead log)
    {
        this.log = log;
        connectionString = storage.ConnectionString("clinic");
        var statements = new KeptStatements();
        connections = new(connectionString, statements);
        options = new(() => OptionsOf(connectionString, connections, statements));

        // Made when the first rows are asked for: a start asks for none, and the mapper takes its time.
        contexts = new(() => new(options.Value));
    }

    public DbContextOptions Options => options.Value;

    public string RowOrder => "rowid";

    public ClinicContext CreateDbContext()
    {
        var context = contexts.Value.CreateDbContext();
        try
        {
            context.Follow(log);
            connections.OpenFor(context);
            return context;
        }
        catch
        {
            context.Dispose();
            throw;
        }
    }

    public async Task<DbConnection> Connect(CancellationToken cancel)
    {
        var connection = new SqliteConnection(connectionString);
        try
        {
            await connection.OpenAsync(cancel);
            KeptConnections.Set(connection);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>Whether clinic.db has this version's tables. Its journal is a write-ahead log afterwards.</summary>
    public static async Task<bool> IsCurrent(StorageOptions storage, CancellationToken cancel)
    {
        await using var connection = new SqliteConnection(storage.ConnectionString("clinic"));
        try
        {
            await connection.OpenAsync(cancel);

            // The mapper says this only of a file that it makes itself, and this connection makes the file before it.
            await using var journal = new SqliteCommand("PRAGMA journal_mode=WAL", connection);
            await journal.ExecuteNonQueryAsync(cancel);
        }
        catch (SqliteException)
        {
            // Whatever is wrong with the file, the migration runs into it and says it.
            return false;
        }

        return await Schema.IsCurrent(connection, "\"__EFMigrationsHistory\"", typeof(SqliteClinics), cancel);
    }

    /// <summary>Closes the connections of the kept contexts; none may be in use.</summary>
    public void Dispose() => connections.Dispose();

    internal static DbContextOptions<SqliteClinicContext> OptionsOf(string connectionString, params IInterceptor[] interceptors) => new DbContextOptionsBuilder<SqliteClinicContext>()
        .UseSqlite(connectionString)
        .AddInterceptors(interceptors)
        .Options;
}

/// <summary>For the migration tool only.</summary>
public sealed class SqliteDesign : IDesignTimeDbContextFactory<SqliteClinicContext>
{
    public SqliteClinicContext CreateDbContext(string[] args) => new(SqliteClinics.OptionsOf("Data Source=:memory:"));
}
