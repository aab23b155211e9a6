using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Mangrove.Storage.Sqlite.Migrations
{
    /// <inheritdoc />
    public partial class Initial : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "allergy",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "BLOB", nullable: false),
                    recorded_at = table.Column<long>(type: "INTEGER", nullable: false),
                    by = table.Column<int>(type: "INTEGER", nullable: true),
                    record = table.Column<byte[]>(type: "BLOB", nullable: false),
                    patient_id = table.Column<byte[]>(type: "BLOB", nullable: false),
                    row_version = table.Column<int>(type: "INTEGER", nullable: false),
                    entry_seq = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_allergy", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "charge",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "BLOB", nullable: false),
                    visit_id = table.Column<byte[]>(type: "BLOB", nullable: false),
                    source_id = table.Column<byte[]>(type: "BLOB", nullable: false),
                    at = table.Column<long>(type: "INTEGER", nullable: false),
                    line = table.Column<byte[]>(type: "BLOB", nullable: false),
                    patient_id = table.Column<byte[]>(type: "BLOB", nullable: false),
                    row_version = table.Column<int>(type: "INTEGER", nullable: false),
                    entry_seq = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_charge", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "counter",
                columns: table => new
                {
                    name = table.Column<string>(type: "TEXT", nullable: false),
                    value = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_counter", x => x.name);
                });

            migrationBuilder.CreateTable(
                name: "dispense",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "BLOB", nullable: false),
                    prescription_id = table.Column<byte[]>(type: "BLOB", nullable: false),
                    visit_id = table.Column<byte[]>(type: "BLOB", nullable: true),
                    at = table.Column<long>(type: "INTEGER", nullable: false),
                    by = table.Column<int>(type: "INTEGER", nullable: false),
                    record = table.Column<byte[]>(type: "BLOB", nullable: false),
                    patient_id = table.Column<byte[]>(type: "BLOB", nullable: false),
                    row_version = table.Column<int>(type: "INTEGER", nullable: false),
                    entry_seq = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_dispense", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "draft",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "BLOB", nullable: false),
                    kind = table.Column<int>(type: "INTEGER", nullable: false),
                    visit_id = table.Column<byte[]>(type: "BLOB", nullable: true),
                    by = table.Column<int>(type: "INTEGER", nullable: false),
                    saved_at = table.Column<long>(type: "INTEGER", nullable: false),
                    content = table.Column<byte[]>(type: "BLOB", nullable: false),
                    patient_id = table.Column<byte[]>(type: "BLOB", nullable: false),
                    row_version = table.Column<int>(type: "INTEGER", nullable: false),
                    entry_seq = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_draft", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "fhir_record",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "BLOB", nullable: false),
                    resource_type = table.Column<string>(type: "TEXT", nullable: false),
                    source = table.Column<byte[]>(type: "BLOB", nullable: false),
                    content = table.Column<byte[]>(type: "BLOB", nullable: false),
                    mapped_row = table.Column<byte[]>(type: "BLOB", nullable: true),
                    mapped_version = table.Column<int>(type: "INTEGER", nullable: false),
                    order = table.Column<long>(type: "INTEGER", nullable: false),
                    imported_at = table.Column<long>(type: "INTEGER", nullable: false),
                    original = table.Column<byte[]>(type: "BLOB", nullable: false),
                    patient_id = table.Column<byte[]>(type: "BLOB", nullable: false),
                    row_version = table.Column<int>(type: "INTEGER", nullable: false),
                    entry_seq = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_fhir_record", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "immunization",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "BLOB", nullable: false),
                    visit_id = table.Column<byte[]>(type: "BLOB", nullable: true),
                    at = table.Column<long>(type: "INTEGER", nullable: false),
                    record = table.Column<byte[]>(type: "BLOB", nullable: false),
                    patient_id = table.Column<byte[]>(type: "BLOB", nullable: false),
                    row_version = table.Column<int>(type: "INTEGER", nullable: false),
                    entry_seq = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_immunization", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "invoice",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "BLOB", nullable: false),
                    patient_id = table.Column<byte[]>(type: "BLOB", nullable: false),
                    visit_id = table.Column<byte[]>(type: "BLOB", nullable: false),
                    number = table.Column<string>(type: "TEXT", nullable: false),
                    status = table.Column<int>(type: "INTEGER", nullable: false),
                    opened_at = table.Column<long>(type: "INTEGER", nullable: false),
                    settled_at = table.Column<long>(type: "INTEGER", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_invoice", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "lab_order",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "BLOB", nullable: false),
                    visit_id = table.Column<byte[]>(type: "BLOB", nullable: false),
                    status = table.Column<int>(type: "INTEGER", nullable: false),
                    urgent = table.Column<bool>(type: "INTEGER", nullable: false),
                    specimen_number = table.Column<string>(type: "TEXT", nullable: false),
                    ordered_at = table.Column<long>(type: "INTEGER", nullable: false),
                    by = table.Column<int>(type: "INTEGER", nullable: false),
                    received_at = table.Column<long>(type: "INTEGER", nullable: true),
                    released_at = table.Column<long>(type: "INTEGER", nullable: true),
                    acknowledged_at = table.Column<long>(type: "INTEGER", nullable: true),
                    acknowledged_by = table.Column<int>(type: "INTEGER", nullable: true),
                    line = table.Column<byte[]>(type: "BLOB", nullable: false),
                    patient_id = table.Column<byte[]>(type: "BLOB", nullable: false),
                    row_version = table.Column<int>(type: "INTEGER", nullable: false),
                    entry_seq = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_lab_order", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "log_anchor",
                columns: table => new
                {
                    size = table.Column<long>(type: "INTEGER", nullable: false),
                    checkpoint = table.Column<byte[]>(type: "BLOB", nullable: false),
                    at = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_log_anchor", x => x.size);
                });

            migrationBuilder.CreateTable(
                name: "note",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "BLOB", nullable: false),
                    kind = table.Column<int>(type: "INTEGER", nullable: false),
                    visit_id = table.Column<byte[]>(type: "BLOB", nullable: false),
                    parent_id = table.Column<byte[]>(type: "BLOB", nullable: true),
                    signed_at = table.Column<long>(type: "INTEGER", nullable: false),
                    by = table.Column<int>(type: "INTEGER", nullable: false),
                    text = table.Column<byte[]>(type: "BLOB", nullable: false),
                    patient_id = table.Column<byte[]>(type: "BLOB", nullable: false),
                    row_version = table.Column<int>(type: "INTEGER", nullable: false),
                    entry_seq = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_note", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "observation",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "BLOB", nullable: false),
                    kind = table.Column<int>(type: "INTEGER", nullable: false),
                    visit_id = table.Column<byte[]>(type: "BLOB", nullable: true),
                    order_id = table.Column<byte[]>(type: "BLOB", nullable: true),
                    taken_at = table.Column<long>(type: "INTEGER", nullable: false),
                    by = table.Column<int>(type: "INTEGER", nullable: true),
                    replaced_by = table.Column<byte[]>(type: "BLOB", nullable: true),
                    value = table.Column<byte[]>(type: "BLOB", nullable: false),
                    patient_id = table.Column<byte[]>(type: "BLOB", nullable: false),
                    row_version = table.Column<int>(type: "INTEGER", nullable: false),
                    entry_seq = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_observation", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "patient",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "BLOB", nullable: false),
                    mrn = table.Column<string>(type: "TEXT", nullable: false),
                    registered_at = table.Column<long>(type: "INTEGER", nullable: false),
                    name = table.Column<byte[]>(type: "BLOB", nullable: false),
                    person = table.Column<byte[]>(type: "BLOB", nullable: false),
                    contact = table.Column<byte[]>(type: "BLOB", nullable: false),
                    payer = table.Column<byte[]>(type: "BLOB", nullable: false),
                    patient_id = table.Column<byte[]>(type: "BLOB", nullable: false),
                    row_version = table.Column<int>(type: "INTEGER", nullable: false),
                    entry_seq = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_patient", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "payment",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "BLOB", nullable: false),
                    invoice_id = table.Column<byte[]>(type: "BLOB", nullable: false),
                    receipt_number = table.Column<string>(type: "TEXT", nullable: false),
                    at = table.Column<long>(type: "INTEGER", nullable: false),
                    by = table.Column<int>(type: "INTEGER", nullable: false),
                    record = table.Column<byte[]>(type: "BLOB", nullable: false),
                    patient_id = table.Column<byte[]>(type: "BLOB", nullable: false),
                    row_version = table.Column<int>(type: "INTEGER", nullable: false),
                    entry_seq = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_payment", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "prescription",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "BLOB", nullable: false),
                    visit_id = table.Column<byte[]>(type: "BLOB", nullable: true),
                    status = table.Column<int>(type: "INTEGER", nullable: false),
                    ordered_at = table.Column<long>(type: "INTEGER", nullable: false),
                    by = table.Column<int>(type: "INTEGER", nullable: true),
                    dispensed_at = table.Column<long>(type: "INTEGER", nullable: true),
                    line = table.Column<byte[]>(type: "BLOB", nullable: false),
                    medicine = table.Column<byte[]>(type: "BLOB", nullable: false),
                    patient_id = table.Column<byte[]>(type: "BLOB", nullable: false),
                    row_version = table.Column<int>(type: "INTEGER", nullable: false),
                    entry_seq = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_prescription", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "price",
                columns: table => new
                {
                    code = table.Column<string>(type: "TEXT", nullable: false),
                    description = table.Column<string>(type: "TEXT", nullable: false),
                    group = table.Column<string>(type: "TEXT", nullable: false),
                    amount = table.Column<string>(type: "TEXT", nullable: false),
                    currency = table.Column<string>(type: "TEXT", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_price", x => x.code);
                });

            migrationBuilder.CreateTable(
                name: "problem",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "BLOB", nullable: false),
                    visit_id = table.Column<byte[]>(type: "BLOB", nullable: true),
                    recorded_at = table.Column<long>(type: "INTEGER", nullable: false),
                    by = table.Column<int>(type: "INTEGER", nullable: true),
                    record = table.Column<byte[]>(type: "BLOB", nullable: false),
                    patient_id = table.Column<byte[]>(type: "BLOB", nullable: false),
                    row_version = table.Column<int>(type: "INTEGER", nullable: false),
                    entry_seq = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_problem", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "procedure",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "BLOB", nullable: false),
                    visit_id = table.Column<byte[]>(type: "BLOB", nullable: true),
                    at = table.Column<long>(type: "INTEGER", nullable: false),
                    record = table.Column<byte[]>(type: "BLOB", nullable: false),
                    patient_id = table.Column<byte[]>(type: "BLOB", nullable: false),
                    row_version = table.Column<int>(type: "INTEGER", nullable: false),
                    entry_seq = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_procedure", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "report",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "BLOB", nullable: false),
                    visit_id = table.Column<byte[]>(type: "BLOB", nullable: true),
                    at = table.Column<long>(type: "INTEGER", nullable: false),
                    record = table.Column<byte[]>(type: "BLOB", nullable: false),
                    patient_id = table.Column<byte[]>(type: "BLOB", nullable: false),
                    row_version = table.Column<int>(type: "INTEGER", nullable: false),
                    entry_seq = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_report", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "setting",
                columns: table => new
                {
                    name = table.Column<string>(type: "TEXT", nullable: false),
                    value = table.Column<string>(type: "TEXT", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_setting", x => x.name);
                });

            migrationBuilder.CreateTable(
                name: "stock_batch",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "BLOB", nullable: false),
                    medicine_code = table.Column<string>(type: "TEXT", nullable: false),
                    product = table.Column<string>(type: "TEXT", nullable: false),
                    batch = table.Column<string>(type: "TEXT", nullable: false),
                    expires = table.Column<DateOnly>(type: "TEXT", nullable: false),
                    quantity = table.Column<string>(type: "TEXT", nullable: false),
                    version = table.Column<int>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_stock_batch", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "stock_move",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "BLOB", nullable: false),
                    batch_id = table.Column<byte[]>(type: "BLOB", nullable: false),
                    kind = table.Column<int>(type: "INTEGER", nullable: false),
                    quantity = table.Column<string>(type: "TEXT", nullable: false),
                    at = table.Column<long>(type: "INTEGER", nullable: false),
                    by = table.Column<int>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_stock_move", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "triage",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "BLOB", nullable: false),
                    visit_id = table.Column<byte[]>(type: "BLOB", nullable: false),
                    at = table.Column<long>(type: "INTEGER", nullable: false),
                    by = table.Column<int>(type: "INTEGER", nullable: false),
                    recheck_due = table.Column<long>(type: "INTEGER", nullable: true),
                    outcome = table.Column<byte[]>(type: "BLOB", nullable: false),
                    patient_id = table.Column<byte[]>(type: "BLOB", nullable: false),
                    row_version = table.Column<int>(type: "INTEGER", nullable: false),
                    entry_seq = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_triage", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "visit",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "BLOB", nullable: false),
                    kind = table.Column<int>(type: "INTEGER", nullable: false),
                    status = table.Column<int>(type: "INTEGER", nullable: false),
                    token = table.Column<int>(type: "INTEGER", nullable: false),
                    arrived_at = table.Column<long>(type: "INTEGER", nullable: false),
                    triaged_at = table.Column<long>(type: "INTEGER", nullable: true),
                    consultation_at = table.Column<long>(type: "INTEGER", nullable: true),
                    consulted_at = table.Column<long>(type: "INTEGER", nullable: true),
                    closed_at = table.Column<long>(type: "INTEGER", nullable: true),
                    doctor = table.Column<int>(type: "INTEGER", nullable: true),
                    encounter = table.Column<byte[]>(type: "BLOB", nullable: false),
                    patient_id = table.Column<byte[]>(type: "BLOB", nullable: false),
                    row_version = table.Column<int>(type: "INTEGER", nullable: false),
                    entry_seq = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_visit", x => x.id);
                });

            migrationBuilder.CreateIndex(
                name: "IX_allergy_patient_id",
                table: "allergy",
                column: "patient_id");

            migrationBuilder.CreateIndex(
                name: "IX_charge_source_id",
                table: "charge",
                column: "source_id",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_charge_visit_id",
                table: "charge",
                column: "visit_id");

            migrationBuilder.CreateIndex(
                name: "IX_dispense_patient_id",
                table: "dispense",
                column: "patient_id");

            migrationBuilder.CreateIndex(
                name: "IX_draft_patient_id_by_kind",
                table: "draft",
                columns: new[] { "patient_id", "by", "kind" },
                unique: true,
                filter: "visit_id IS NULL");

            migrationBuilder.CreateIndex(
                name: "IX_draft_patient_id_by_kind_visit_id",
                table: "draft",
                columns: new[] { "patient_id", "by", "kind", "visit_id" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_fhir_record_mapped_row",
                table: "fhir_record",
                column: "mapped_row");

            migrationBuilder.CreateIndex(
                name: "IX_fhir_record_patient_id",
                table: "fhir_record",
                column: "patient_id");

            migrationBuilder.CreateIndex(
                name: "IX_fhir_record_source",
                table: "fhir_record",
                column: "source",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_immunization_patient_id",
                table: "immunization",
                column: "patient_id");

            migrationBuilder.CreateIndex(
                name: "IX_invoice_number",
                table: "invoice",
                column: "number",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_invoice_status_opened_at",
                table: "invoice",
                columns: new[] { "status", "opened_at" });

            migrationBuilder.CreateIndex(
                name: "IX_invoice_visit_id",
                table: "invoice",
                column: "visit_id",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_lab_order_by_acknowledged_at_status",
                table: "lab_order",
                columns: new[] { "by", "acknowledged_at", "status" });

            migrationBuilder.CreateIndex(
                name: "IX_lab_order_patient_id",
                table: "lab_order",
                column: "patient_id");

            migrationBuilder.CreateIndex(
                name: "IX_lab_order_specimen_number",
                table: "lab_order",
                column: "specimen_number");

            migrationBuilder.CreateIndex(
                name: "IX_lab_order_status_ordered_at",
                table: "lab_order",
                columns: new[] { "status", "ordered_at" });

            migrationBuilder.CreateIndex(
                name: "IX_lab_order_visit_id",
                table: "lab_order",
                column: "visit_id");

            migrationBuilder.CreateIndex(
                name: "IX_note_patient_id",
                table: "note",
                column: "patient_id");

            migrationBuilder.CreateIndex(
                name: "IX_observation_order_id",
                table: "observation",
                column: "order_id");

            migrationBuilder.CreateIndex(
                name: "IX_observation_patient_id_kind",
                table: "observation",
                columns: new[] { "patient_id", "kind" });

            migrationBuilder.CreateIndex(
                name: "IX_patient_mrn",
                table: "patient",
                column: "mrn",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_patient_patient_id",
                table: "patient",
                column: "patient_id",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_payment_invoice_id",
                table: "payment",
                column: "invoice_id");

            migrationBuilder.CreateIndex(
                name: "IX_payment_receipt_number",
                table: "payment",
                column: "receipt_number",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_prescription_patient_id",
                table: "prescription",
                column: "patient_id");

            migrationBuilder.CreateIndex(
                name: "IX_prescription_status_ordered_at",
                table: "prescription",
                columns: new[] { "status", "ordered_at" });

            migrationBuilder.CreateIndex(
                name: "IX_problem_patient_id",
                table: "problem",
                column: "patient_id");

            migrationBuilder.CreateIndex(
                name: "IX_procedure_patient_id",
                table: "procedure",
                column: "patient_id");

            migrationBuilder.CreateIndex(
                name: "IX_report_patient_id",
                table: "report",
                column: "patient_id");

            migrationBuilder.CreateIndex(
                name: "IX_stock_batch_medicine_code_expires",
                table: "stock_batch",
                columns: new[] { "medicine_code", "expires" });

            migrationBuilder.CreateIndex(
                name: "IX_stock_move_batch_id",
                table: "stock_move",
                column: "batch_id");

            migrationBuilder.CreateIndex(
                name: "IX_triage_patient_id",
                table: "triage",
                column: "patient_id");

            migrationBuilder.CreateIndex(
                name: "IX_triage_visit_id",
                table: "triage",
                column: "visit_id");

            migrationBuilder.CreateIndex(
                name: "IX_visit_patient_id",
                table: "visit",
                column: "patient_id");

            migrationBuilder.CreateIndex(
                name: "IX_visit_status_arrived_at",
                table: "visit",
                columns: new[] { "status", "arrived_at" });
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "allergy");

            migrationBuilder.DropTable(
                name: "charge");

            migrationBuilder.DropTable(
                name: "counter");

            migrationBuilder.DropTable(
                name: "dispense");

            migrationBuilder.DropTable(
                name: "draft");

            migrationBuilder.DropTable(
                name: "fhir_record");

            migrationBuilder.DropTable(
                name: "immunization");

            migrationBuilder.DropTable(
                name: "invoice");

            migrationBuilder.DropTable(
                name: "lab_order");

            migrationBuilder.DropTable(
                name: "log_anchor");

            migrationBuilder.DropTable(
                name: "note");

            migrationBuilder.DropTable(
                name: "observation");

            migrationBuilder.DropTable(
                name: "patient");

            migrationBuilder.DropTable(
                name: "payment");

            migrationBuilder.DropTable(
                name: "prescription");

            migrationBuilder.DropTable(
                name: "price");

            migrationBuilder.DropTable(
                name: "problem");

            migrationBuilder.DropTable(
                name: "procedure");

            migrationBuilder.DropTable(
                name: "report");

            migrationBuilder.DropTable(
                name: "setting");

            migrationBuilder.DropTable(
                name: "stock_batch");

            migrationBuilder.DropTable(
                name: "stock_move");

            migrationBuilder.DropTable(
                name: "triage");

            migrationBuilder.DropTable(
                name: "visit");
        }
    }
}
