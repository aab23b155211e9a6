using System.Data.Common;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
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
public sealed class SqliteClinics(StorageOptions storage, LogHead log) : IDbContextFactory<ClinicContext>
{
    private readonly PooledDbContextFactory<SqliteClinicContext> contexts = new(Options(storage.ConnectionString("clinic")));

    public ClinicContext CreateDbContext()
    {
        var context = contexts.CreateDbContext();
        try
        {
            context.Follow(log);

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

    /// <summary>Whether clinic.db has this version's tables.</summary>
    public static async Task<bool> IsCurrent(StorageOptions storage, CancellationToken cancel)
    {
        await using var connection = new SqliteConnection(storage.ConnectionString("clinic"));
        return await Schema.IsCurrent(connection, "\"__EFMigrationsHistory\"", typeof(SqliteClinics), cancel);
    }

    internal static DbContextOptions<SqliteClinicContext> Options(string connectionString) => new DbContextOptionsBuilder<SqliteClinicContext>()
        .UseSqlite(connectionString)
        .AddInterceptors(new Durability())
        .Options;

    /// <summary>Every connection waits for its turn, syncs each commit and overwrites what is deleted.</summary>
    private sealed class Durability : DbConnectionInterceptor
    {
        private const string Pragmas = "PRAGMA synchronous=FULL; PRAGMA secure_delete=ON; PRAGMA busy_timeout=30000";

        // Connections go back to a pool open; what was set on one holds until it is closed for good.
        private readonly ConditionalWeakTable<SafeHandle, object> done = [];

        public override void ConnectionOpened(DbConnection connection, ConnectionEndEventData eventData)
        {
            var handle = ((SqliteConnection)connection).Handle!;
            if (done.TryGetValue(handle, out _))
            {
                return;
            }

            using var command = connection.CreateCommand();
            command.CommandText = Pragmas;
            command.ExecuteNonQuery();
            done.AddOrUpdate(handle, Pragmas);
        }

        public override async Task ConnectionOpenedAsync(DbConnection connection, ConnectionEndEventData eventData, CancellationToken cancellationToken = default)
        {
            var handle = ((SqliteConnection)connection).Handle!;
            if (done.TryGetValue(handle, out _))
            {
                return;
            }

            await using var command = connection.CreateCommand();
            command.CommandText = Pragmas;
            await command.ExecuteNonQueryAsync(cancellationToken);
            done.AddOrUpdate(handle, Pragmas);
        }
    }
}

/// <summary>For the migration tool only.</summary>
public sealed class SqliteDesign : IDesignTimeDbContextFactory<SqliteClinicContext>
{
    public SqliteClinicContext CreateDbContext(string[] args) => new(SqliteClinics.Options("Data Source=:memory:"));
}
