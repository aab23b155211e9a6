using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Mangrove.Storage.Sqlite.Migrations;

/// <summary>
/// The entries of the log whose records were committed, until that is settled, and up to where it is (threat A6).
/// </summary>
[DbContext(typeof(SqliteClinicContext))]
[Migration("20261123150000_ActMarks")]
public sealed class ActMarks : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.Sql("CREATE TABLE \"act_mark\" (\"entry_seq\" INTEGER NOT NULL PRIMARY KEY)");

        // What the log holds so far announced no records, so there is nothing to compare in it.
        migrationBuilder.Sql("CREATE TABLE \"act_settlement\" (\"id\" INTEGER NOT NULL PRIMARY KEY, \"up_to\" INTEGER NOT NULL)");
        migrationBuilder.Sql("INSERT INTO \"act_settlement\" (\"id\", \"up_to\") SELECT 1, COALESCE(MAX(\"size\"), 0) FROM \"log_anchor\"");
    }

    protected override void Down(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.Sql("DROP TABLE \"act_settlement\"");
        migrationBuilder.Sql("DROP TABLE \"act_mark\"");
    }
}
