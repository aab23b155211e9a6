using System.Data.Common;
using Mangrove.Clinic;
using Mangrove.Vault;
using Mangrove.Vault.Audit;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Storage.ValueConversion;

namespace Mangrove.Storage.Sqlite;

/// <summary>The clinic's tables in clinic.db. Ids are stored as 16 bytes.</summary>
public sealed class SqliteClinicContext(DbContextOptions<SqliteClinicContext> options, LogHead log) : ClinicContext(options, log)
{
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
public sealed class SqliteClinics : IDbContextFactory<ClinicContext>
{
    private readonly DbContextOptions<SqliteClinicContext> options;
    private readonly LogHead log;

    public SqliteClinics(StorageOptions storage, LogHead log)
    {
        this.log = log;
        options = Options(storage.ConnectionString("clinic"));
    }

    public ClinicContext CreateDbContext()
    {
        var context = new SqliteClinicContext(options, log);
        try
        {
            // Open for the context's life: otherwise every query takes a connection and sets it up anew.
            context.Database.OpenConnection();
            return context;
        }
        catch
        {
            context.Dispose();
            throw;
        }
    }

    internal static DbContextOptions<SqliteClinicContext> Options(string connectionString) => new DbContextOptionsBuilder<SqliteClinicContext>()
        .UseSqlite(connectionString)
        .AddInterceptors(new Durability())
        .Options;

    /// <summary>Every connection waits for its turn, syncs each commit and overwrites what is deleted.</summary>
    private sealed class Durability : DbConnectionInterceptor
    {
        private const string Pragmas = "PRAGMA synchronous=FULL; PRAGMA secure_delete=ON; PRAGMA busy_timeout=30000";

        public override void ConnectionOpened(DbConnection connection, ConnectionEndEventData eventData)
        {
            using var command = connection.CreateCommand();
            command.CommandText = Pragmas;
            command.ExecuteNonQuery();
        }

        public override async Task ConnectionOpenedAsync(DbConnection connection, ConnectionEndEventData eventData, CancellationToken cancellationToken = default)
        {
            await using var command = connection.CreateCommand();
            command.CommandText = Pragmas;
            await command.ExecuteNonQueryAsync(cancellationToken);
        }
    }
}

/// <summary>For the migration tool only.</summary>
public sealed class SqliteDesign : IDesignTimeDbContextFactory<SqliteClinicContext>
{
    public SqliteClinicContext CreateDbContext(string[] args) => new(SqliteClinics.Options("Data Source=:memory:"), LogHead.Unset());
}
