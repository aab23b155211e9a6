using System.Data.Common;
using Mangrove.Clinic;
using Mangrove.Vault;
using Mangrove.Vault.Audit;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Npgsql;

namespace Mangrove.Storage.Postgres;

/// <summary>The clinic's tables in PostgreSQL, schema <c>clinic</c>.</summary>
public sealed class PostgresClinicContext(DbContextOptions<PostgresClinicContext> options) : ClinicContext(options)
{
    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.HasDefaultSchema("clinic");
        base.OnModelCreating(modelBuilder);
    }
}

/// <summary>Opens contexts on one PostgreSQL database.</summary>
public sealed class PostgresClinics(StorageOptions storage, LogHead log) : IClinicDatabase
{
    private readonly Lazy<DbContextOptions<PostgresClinicContext>> options = new(() => OptionsOf(storage.ConnectionString("clinic")));

    // Made when the first rows are asked for: a start asks for none, and the mapper takes its time.
    private PooledDbContextFactory<PostgresClinicContext>? contexts;

    public DbContextOptions Options => options.Value;

    public string RowOrder => "id";

    public ClinicContext CreateDbContext()
    {
        var context = LazyInitializer.EnsureInitialized(ref contexts, () => new(options.Value)).CreateDbContext();
        context.Follow(log);
        return context;
    }

    public async Task<DbConnection> Connect(CancellationToken cancel)
    {
        var connection = new NpgsqlConnection(storage.ConnectionString("clinic"));
        try
        {
            await connection.OpenAsync(cancel);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>Whether the schema <c>clinic</c> has this version's tables.</summary>
    public static async Task<bool> IsCurrent(StorageOptions storage, CancellationToken cancel)
    {
        await using var connection = new NpgsqlConnection(storage.ConnectionString("clinic"));
        return await Schema.IsCurrent(connection, "clinic.\"__ef_migrations\"", typeof(PostgresClinics), cancel);
    }

    /// <summary>The newest migration that the tables have, whichever version made them.</summary>
    public static async Task<string> Migrated(StorageOptions storage, CancellationToken cancel)
    {
        await using var connection = new NpgsqlConnection(storage.ConnectionString("clinic"));
        await connection.OpenAsync(cancel);
        await using var command = new NpgsqlCommand("SELECT \"MigrationId\" FROM clinic.\"__ef_migrations\" ORDER BY \"MigrationId\" COLLATE \"C\" DESC LIMIT 1", connection);
        return await command.ExecuteScalarAsync(cancel) as string ?? string.Empty;
    }

    /// <summary>Lets the role that the server runs as use the tables, which belong to the owner, and alter none of them.</summary>
    /// <param name="owner">With the owner's connection for the clinic.</param>
    /// <param name="role">The role that the server runs as.</param>
    /// <param name="cancel">Gives up.</param>
    public static async Task Grant(StorageOptions owner, string role, CancellationToken cancel)
    {
        await using var connection = new NpgsqlConnection(owner.ConnectionString("clinic"));
        await connection.OpenAsync(cancel);
        await Grant(connection, role, cancel);
    }

    /// <summary>Brings the tables to this version in a transaction that somebody else holds, and lets the role use them.</summary>
    /// <param name="connection">As the owner of the tables.</param>
    /// <param name="transaction">Of that connection.</param>
    /// <param name="role">The role that the server runs as; null where it owns the tables itself.</param>
    /// <param name="cancel">Gives up.</param>
    public static async Task Migrate(DbConnection connection, DbTransaction transaction, string? role, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(connection);
        var held = new DbContextOptionsBuilder<PostgresClinicContext>()
            .UseNpgsql(connection, postgres => postgres.MigrationsHistoryTable("__ef_migrations", "clinic"))

            // The mapper would rather have a transaction of its own for each migration; here all of them hold or none.
            .ConfigureWarnings(warnings => warnings.Ignore(RelationalEventId.MigrationsUserTransactionWarning))
            .Options;
        await using (var clinic = new PostgresClinicContext(held))
        {
            await clinic.Database.UseTransactionAsync(transaction, cancel);
            await clinic.Database.MigrateAsync(cancel);
        }

        if (role is not null)
        {
            await Grant((NpgsqlConnection)connection, role, cancel);
        }
    }

    private static async Task Grant(NpgsqlConnection connection, string role, CancellationToken cancel)
    {
        // A role name cannot be a parameter; quote_ident of the server itself makes it one harmless word.
        await using var quote = new NpgsqlCommand("SELECT quote_ident($1)", connection) { Parameters = { new() { Value = role } } };
        var quoted = (string)(await quote.ExecuteScalarAsync(cancel))!;
        await using var grant = new NpgsqlCommand($"GRANT USAGE ON SCHEMA clinic TO {quoted}; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA clinic TO {quoted}", connection);
        await grant.ExecuteNonQueryAsync(cancel);
    }

    internal static DbContextOptions<PostgresClinicContext> OptionsOf(string connectionString) => new DbContextOptionsBuilder<PostgresClinicContext>()
        .UseNpgsql(connectionString, postgres => postgres.MigrationsHistoryTable("__ef_migrations", "clinic"))
        .Options;
}

/// <summary>For the migration tool only.</summary>
public sealed class PostgresDesign : IDesignTimeDbContextFactory<PostgresClinicContext>
{
    public PostgresClinicContext CreateDbContext(string[] args) => new(PostgresClinics.OptionsOf("Host=localhost"));
}
