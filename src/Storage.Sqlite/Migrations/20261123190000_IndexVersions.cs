using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Mangrove.Storage.Sqlite.Migrations;

/// <summary>The version of the index key under which an imported record is recognised, so that the key can be rotated.</summary>
[DbContext(typeof(SqliteClinicContext))]
[Migration("20261123190000_IndexVersions")]
public sealed class IndexVersions : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder)
    {
        // Until now there was one version of it, the first.
        migrationBuilder.Sql("ALTER TABLE fhir_record ADD COLUMN index_version INTEGER NOT NULL DEFAULT 1");
    }

    protected override void Down(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.Sql("ALTER TABLE fhir_record DROP COLUMN index_version");
    }
}
