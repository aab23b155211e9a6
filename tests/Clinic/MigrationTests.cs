using Mangrove.Storage.Postgres;
using Mangrove.Storage.Sqlite;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Tests.Clinic;

/// <summary>A hospital that is upgraded gets its tables from the migrations, so they must say what the records say.</summary>
public class MigrationTests
{
    [Fact]
    public void The_migrations_of_SQLite_make_the_tables_of_the_model()
    {
        using var clinic = new SqliteDesign().CreateDbContext([]);
        Assert.NotEmpty(clinic.Database.GetMigrations());
        Assert.False(clinic.Database.HasPendingModelChanges(), "The records changed and no migration says so: dotnet ef migrations add NAME --project src/Storage.Sqlite");
    }

    [Fact]
    public void The_migrations_of_PostgreSQL_make_the_tables_of_the_model()
    {
        using var clinic = new PostgresDesign().CreateDbContext([]);
        Assert.NotEmpty(clinic.Database.GetMigrations());
        Assert.False(clinic.Database.HasPendingModelChanges(), "The records changed and no migration says so: dotnet ef migrations add NAME --project src/Storage.Postgres");
    }
}
