using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Mangrove.Storage.Postgres.Migrations;

/// <summary>
/// The entries of the log whose records were committed, until that is settled, and up to where it is (threat A6).
/// </summary>
[DbContext(typeof(PostgresClinicContext))]
[Migration("20261123150000_ActMarks")]
public sealed class ActMarks : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.Sql("CREATE TABLE clinic.\"act_mark\" (\"entry_seq\" bigint NOT NULL PRIMARY KEY)");

        // What the log holds so far announced no records, so there is nothing to compare in it.
        migrationBuilder.Sql("CREATE TABLE clinic.\"act_settlement\" (\"id\" integer NOT NULL PRIMARY KEY, \"up_to\" bigint NOT NULL)");
        migrationBuilder.Sql("INSERT INTO clinic.\"act_settlement\" (\"id\", \"up_to\") SELECT 1, COALESCE(MAX(\"size\"), 0) FROM clinic.\"log_anchor\"");
    }

    protected override void Down(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.Sql("DROP TABLE clinic.\"act_settlement\"");
        migrationBuilder.Sql("DROP TABLE clinic.\"act_mark\"");
    }
}
