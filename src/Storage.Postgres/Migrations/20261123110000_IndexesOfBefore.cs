using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Mangrove.Storage.Postgres.Migrations;

/// <summary>
/// The indexes that the first migration was given while it had already made hospitals (22 November 2026): they have its name
/// in their history and not all of its indexes. In a hospital made by the whole of it there is nothing to do.
/// </summary>
[DbContext(typeof(PostgresClinicContext))]
[Migration("20261123110000_IndexesOfBefore")]
public sealed class IndexesOfBefore : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.Sql("CREATE UNIQUE INDEX IF NOT EXISTS \"IX_patient_patient_id\" ON clinic.\"patient\" (\"patient_id\")");
        migrationBuilder.Sql("CREATE INDEX IF NOT EXISTS \"IX_triage_patient_id\" ON clinic.\"triage\" (\"patient_id\")");
        migrationBuilder.Sql("CREATE INDEX IF NOT EXISTS \"IX_lab_order_by_acknowledged_at_status\" ON clinic.\"lab_order\" (\"by\", \"acknowledged_at\", \"status\")");
        migrationBuilder.Sql("CREATE INDEX IF NOT EXISTS \"IX_lab_order_visit_id\" ON clinic.\"lab_order\" (\"visit_id\")");

        // Of the same name before, and not unique. A draft's id was made of its place then, so there is one at each place.
        migrationBuilder.Sql("DROP INDEX IF EXISTS clinic.\"IX_draft_patient_id_by_kind\"");
        migrationBuilder.Sql("CREATE UNIQUE INDEX \"IX_draft_patient_id_by_kind\" ON clinic.\"draft\" (\"patient_id\", \"by\", \"kind\") WHERE visit_id IS NULL");
        migrationBuilder.Sql("CREATE UNIQUE INDEX IF NOT EXISTS \"IX_draft_patient_id_by_kind_visit_id\" ON clinic.\"draft\" (\"patient_id\", \"by\", \"kind\", \"visit_id\")");
    }

    protected override void Down(MigrationBuilder migrationBuilder)
    {
        // Every version whose first migration is this one's works with these indexes: there is nothing to take back.
    }
}
