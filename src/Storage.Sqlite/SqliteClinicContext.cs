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
public sealed class SqliteClinics : IDbContextFactory<ClinicContext>, IDisposable
{
    private readonly KeptConnections connections;
    private readonly PooledDbContextFactory<SqliteClinicContext> contexts;
    private readonly LogHead log;

    public SqliteClinics(StorageOptions storage, LogHead log)
    {
        this.log = log;
        var connectionString = storage.ConnectionString("clinic");
        var statements = new KeptStatements();
        connections = new(connectionString, statements);
        contexts = new(Options(connectionString, connections, statements));
    }

    public ClinicContext CreateDbContext()
    {
        var context = contexts.CreateDbContext();
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

    /// <summary>Whether clinic.db has this version's tables.</summary>
    public static async Task<bool> IsCurrent(StorageOptions storage, CancellationToken cancel)
    {
        await using var connection = new SqliteConnection(storage.ConnectionString("clinic"));
        return await Schema.IsCurrent(connection, "\"__EFMigrationsHistory\"", typeof(SqliteClinics), cancel);
    }

    /// <summary>Closes the connections of the kept contexts; none may be in use.</summary>
    public void Dispose() => connections.Dispose();

    internal static DbContextOptions<SqliteClinicContext> Options(string connectionString, params IInterceptor[] interceptors) => new DbContextOptionsBuilder<SqliteClinicContext>()
        .UseSqlite(connectionString)
        .AddInterceptors(interceptors)
        .Options;
}

/// <summary>For the migration tool only.</summary>
public sealed class SqliteDesign : IDesignTimeDbContextFactory<SqliteClinicContext>
{
    public SqliteClinicContext CreateDbContext(string[] args) => new(SqliteClinics.Options("Data Source=:memory:"));
}
