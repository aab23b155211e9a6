using Mangrove.Governance.Destruction;
using Mangrove.Kernel;
using Mangrove.Tests.Clinic;
using Mangrove.Vault;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;

namespace Mangrove.Tests.Governance;

/// <summary>The register of where something of a patient lies. A new sealed column or one that names a patient fails here until it has a line.</summary>
public sealed class DataLocationTests
{
    private static readonly string[] Blobs = ["words", "patient", "mrn", "mrn_hash"];

    [Fact]
    public async Task Every_column_of_the_clinic_that_is_sealed_or_names_a_patient_is_in_the_register_and_every_table_is_erased()
    {
        var hospital = await TestHospital.Shared(StorageKind.Sqlite);
        await using var clinic = hospital.Clinic();
        var found = new List<string>();
        foreach (var entity in clinic.Model.GetEntityTypes())
        {
            var table = StoreObjectIdentifier.Create(entity, StoreObjectType.Table)!.Value;
            found.AddRange(entity.GetProperties()
                .Where(property => property.ClrType is { IsGenericType: true } type && type.GetGenericTypeDefinition() == typeof(Sealed<>)
                    || property.ClrType == typeof(PatientId) || property.ClrType == typeof(PatientId?) || property.Name.Contains("Mrn", StringComparison.Ordinal))
                .Select(property => $"{table.Name}.{property.GetColumnName(table)}"));
        }

        Assert.Equal(DataLocations.Clinic.Keys.Order(StringComparer.Ordinal), found.Order(StringComparer.Ordinal));
        var erased = PatientRows.Tables(clinic).Select(table => table.Table["clinic.".Length..]).ToHashSet(StringComparer.Ordinal);
        Assert.Equal(found.Select(column => column.Split('.')[0]).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal), erased.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Every_column_of_vault_and_keys_that_names_a_patient_or_holds_words_is_in_the_register()
    {
        var folder = Directory.CreateTempSubdirectory("mangrove-register-");
        await VaultRoom.CreateTables(StorageOptions.Sqlite(folder.FullName), TestContext.Current.CancellationToken);
        foreach (var (store, register) in new[] { ("vault", DataLocations.Vault), ("keys", DataLocations.Keys) })
        {
            var found = new List<string>();
            await using var connection = new SqliteConnection($"Data Source={Path.Combine(folder.FullName, store + ".db")};Mode=ReadOnly;Pooling=false");
            await connection.OpenAsync(TestContext.Current.CancellationToken);
            await using var command = connection.CreateCommand();
            command.CommandText = "SELECT t.name, c.name FROM sqlite_schema t JOIN pragma_table_info(t.name) c WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%'";
            await using var reader = await command.ExecuteReaderAsync(TestContext.Current.CancellationToken);
            while (await reader.ReadAsync(TestContext.Current.CancellationToken))
            {
                if (Blobs.Contains(reader.GetString(1), StringComparer.Ordinal) || reader.GetString(1).StartsWith("patient", StringComparison.Ordinal))
                {
                    found.Add($"{reader.GetString(0)}.{reader.GetString(1)}");
                }
            }

            Assert.Equal(register.Keys.Order(StringComparer.Ordinal), found.Order(StringComparer.Ordinal));
        }

        SqliteConnection.ClearAllPools();
        folder.Delete(recursive: true);
    }

    [Fact]
    public void The_page_says_what_the_register_says()
    {
        var page = File.ReadAllText(Path.Combine(Root(), "docs", "data-locations.md"));
        foreach (var (column, fate) in DataLocations.Clinic.Select(one => ($"clinic.{one.Key}", one.Value)).Concat(DataLocations.Vault.Select(one => ($"vault.{one.Key}", one.Value))).Concat(DataLocations.Keys.Select(one => ($"keys.{one.Key}", one.Value))).Concat(DataLocations.Elsewhere.Select(one => (one.Key, one.Value))))
        {
            Assert.Contains($"| {column} | {fate} |", page, StringComparison.Ordinal);
        }
    }

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Mangrove.slnx")))
        {
            folder = folder.Parent ?? throw new InvalidOperationException("The tests do not run inside the repository.");
        }

        return folder.FullName;
    }
}
