using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Mangrove.Storage.Postgres.Migrations
{
    /// <inheritdoc />
    public partial class Initial : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.EnsureSchema(
                name: "clinic");

            migrationBuilder.CreateTable(
                name: "allergy",
                schema: "clinic",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    recorded_at = table.Column<long>(type: "bigint", nullable: false),
                    by = table.Column<int>(type: "integer", nullable: true),
                    record = table.Column<byte[]>(type: "bytea", nullable: false),
                    patient_id = table.Column<Guid>(type: "uuid", nullable: false),
                    row_version = table.Column<int>(type: "integer", nullable: false),
                    entry_seq = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_allergy", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "charge",
                schema: "clinic",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    visit_id = table.Column<Guid>(type: "uuid", nullable: false),
                    source_id = table.Column<Guid>(type: "uuid", nullable: false),
                    at = table.Column<long>(type: "bigint", nullable: false),
                    line = table.Column<byte[]>(type: "bytea", nullable: false),
                    patient_id = table.Column<Guid>(type: "uuid", nullable: false),
                    row_version = table.Column<int>(type: "integer", nullable: false),
                    entry_seq = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_charge", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "counter",
                schema: "clinic",
                columns: table => new
                {
                    name = table.Column<string>(type: "text", nullable: false),
                    value = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_counter", x => x.name);
                });

            migrationBuilder.CreateTable(
                name: "dispense",
                schema: "clinic",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    prescription_id = table.Column<Guid>(type: "uuid", nullable: false),
                    visit_id = table.Column<Guid>(type: "uuid", nullable: true),
                    at = table.Column<long>(type: "bigint", nullable: false),
                    by = table.Column<int>(type: "integer", nullable: false),
                    record = table.Column<byte[]>(type: "bytea", nullable: false),
                    patient_id = table.Column<Guid>(type: "uuid", nullable: false),
                    row_version = table.Column<int>(type: "integer", nullable: false),
                    entry_seq = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_dispense", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "draft",
                schema: "clinic",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    kind = table.Column<int>(type: "integer", nullable: false),
                    visit_id = table.Column<Guid>(type: "uuid", nullable: true),
                    by = table.Column<int>(type: "integer", nullable: false),
                    saved_at = table.Column<long>(type: "bigint", nullable: false),
                    content = table.Column<byte[]>(type: "bytea", nullable: false),
                    patient_id = table.Column<Guid>(type: "uuid", nullable: false),
                    row_version = table.Column<int>(type: "integer", nullable: false),
                    entry_seq = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_draft", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "fhir_record",
                schema: "clinic",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    resource_type = table.Column<string>(type: "text", nullable: false),
                    source = table.Column<byte[]>(type: "bytea", nullable: false),
                    content = table.Column<byte[]>(type: "bytea", nullable: false),
                    mapped_row = table.Column<Guid>(type: "uuid", nullable: true),
                    mapped_version = table.Column<int>(type: "integer", nullable: false),
                    order = table.Column<long>(type: "bigint", nullable: false),
                    imported_at = table.Column<long>(type: "bigint", nullable: false),
                    original = table.Column<byte[]>(type: "bytea", nullable: false),
                    patient_id = table.Column<Guid>(type: "uuid", nullable: false),
                    row_version = table.Column<int>(type: "integer", nullable: false),
                    entry_seq = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_fhir_record", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "immunization",
                schema: "clinic",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    visit_id = table.Column<Guid>(type: "uuid", nullable: true),
                    at = table.Column<long>(type: "bigint", nullable: false),
                    record = table.Column<byte[]>(type: "bytea", nullable: false),
                    patient_id = table.Column<Guid>(type: "uuid", nullable: false),
                    row_version = table.Column<int>(type: "integer", nullable: false),
                    entry_seq = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_immunization", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "invoice",
                schema: "clinic",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    patient_id = table.Column<Guid>(type: "uuid", nullable: false),
                    visit_id = table.Column<Guid>(type: "uuid", nullable: false),
                    number = table.Column<string>(type: "text", nullable: false),
                    status = table.Column<int>(type: "integer", nullable: false),
                    opened_at = table.Column<long>(type: "bigint", nullable: false),
                    settled_at = table.Column<long>(type: "bigint", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_invoice", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "lab_order",
                schema: "clinic",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    visit_id = table.Column<Guid>(type: "uuid", nullable: false),
                    status = table.Column<int>(type: "integer", nullable: false),
                    urgent = table.Column<bool>(type: "boolean", nullable: false),
                    specimen_number = table.Column<string>(type: "text", nullable: false),
                    ordered_at = table.Column<long>(type: "bigint", nullable: false),
                    by = table.Column<int>(type: "integer", nullable: false),
                    received_at = table.Column<long>(type: "bigint", nullable: true),
                    released_at = table.Column<long>(type: "bigint", nullable: true),
                    acknowledged_at = table.Column<long>(type: "bigint", nullable: true),
                    acknowledged_by = table.Column<int>(type: "integer", nullable: true),
                    line = table.Column<byte[]>(type: "bytea", nullable: false),
                    patient_id = table.Column<Guid>(type: "uuid", nullable: false),
                    row_version = table.Column<int>(type: "integer", nullable: false),
                    entry_seq = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_lab_order", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "log_anchor",
                schema: "clinic",
                columns: table => new
                {
                    size = table.Column<long>(type: "bigint", nullable: false),
                    checkpoint = table.Column<byte[]>(type: "bytea", nullable: false),
                    at = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_log_anchor", x => x.size);
                });

            migrationBuilder.CreateTable(
                name: "note",
                schema: "clinic",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    kind = table.Column<int>(type: "integer", nullable: false),
                    visit_id = table.Column<Guid>(type: "uuid", nullable: false),
                    parent_id = table.Column<Guid>(type: "uuid", nullable: true),
                    signed_at = table.Column<long>(type: "bigint", nullable: false),
                    by = table.Column<int>(type: "integer", nullable: false),
                    text = table.Column<byte[]>(type: "bytea", nullable: false),
                    patient_id = table.Column<Guid>(type: "uuid", nullable: false),
                    row_version = table.Column<int>(type: "integer", nullable: false),
                    entry_seq = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_note", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "observation",
                schema: "clinic",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    kind = table.Column<int>(type: "integer", nullable: false),
                    visit_id = table.Column<Guid>(type: "uuid", nullable: true),
                    order_id = table.Column<Guid>(type: "uuid", nullable: true),
                    taken_at = table.Column<long>(type: "bigint", nullable: false),
                    by = table.Column<int>(type: "integer", nullable: true),
                    replaced_by = table.Column<Guid>(type: "uuid", nullable: true),
                    value = table.Column<byte[]>(type: "bytea", nullable: false),
                    patient_id = table.Column<Guid>(type: "uuid", nullable: false),
                    row_version = table.Column<int>(type: "integer", nullable: false),
                    entry_seq = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_observation", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "patient",
                schema: "clinic",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    mrn = table.Column<string>(type: "text", nullable: false),
                    registered_at = table.Column<long>(type: "bigint", nullable: false),
                    name = table.Column<byte[]>(type: "bytea", nullable: false),
                    person = table.Column<byte[]>(type: "bytea", nullable: false),
                    contact = table.Column<byte[]>(type: "bytea", nullable: false),
                    payer = table.Column<byte[]>(type: "bytea", nullable: false),
                    patient_id = table.Column<Guid>(type: "uuid", nullable: false),
                    row_version = table.Column<int>(type: "integer", nullable: false),
                    entry_seq = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_patient", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "payment",
                schema: "clinic",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    invoice_id = table.Column<Guid>(type: "uuid", nullable: false),
                    receipt_number = table.Column<string>(type: "text", nullable: false),
                    at = table.Column<long>(type: "bigint", nullable: false),
                    by = table.Column<int>(type: "integer", nullable: false),
                    record = table.Column<byte[]>(type: "bytea", nullable: false),
                    patient_id = table.Column<Guid>(type: "uuid", nullable: false),
                    row_version = table.Column<int>(type: "integer", nullable: false),
                    entry_seq = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_payment", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "prescription",
                schema: "clinic",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    visit_id = table.Column<Guid>(type: "uuid", nullable: true),
                    status = table.Column<int>(type: "integer", nullable: false),
                    ordered_at = table.Column<long>(type: "bigint", nullable: false),
                    by = table.Column<int>(type: "integer", nullable: true),
                    dispensed_at = table.Column<long>(type: "bigint", nullable: true),
                    line = table.Column<byte[]>(type: "bytea", nullable: false),
                    medicine = table.Column<byte[]>(type: "bytea", nullable: false),
                    patient_id = table.Column<Guid>(type: "uuid", nullable: false),
                    row_version = table.Column<int>(type: "integer", nullable: false),
                    entry_seq = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_prescription", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "price",
                schema: "clinic",
                columns: table => new
                {
                    code = table.Column<string>(type: "text", nullable: false),
                    description = table.Column<string>(type: "text", nullable: false),
                    group = table.Column<string>(type: "text", nullable: false),
                    amount = table.Column<string>(type: "character varying(64)", nullable: false),
                    currency = table.Column<string>(type: "text", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_price", x => x.code);
                });

            migrationBuilder.CreateTable(
                name: "problem",
                schema: "clinic",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    visit_id = table.Column<Guid>(type: "uuid", nullable: true),
                    recorded_at = table.Column<long>(type: "bigint", nullable: false),
                    by = table.Column<int>(type: "integer", nullable: true),
                    record = table.Column<byte[]>(type: "bytea", nullable: false),
                    patient_id = table.Column<Guid>(type: "uuid", nullable: false),
                    row_version = table.Column<int>(type: "integer", nullable: false),
                    entry_seq = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_problem", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "procedure",
                schema: "clinic",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    visit_id = table.Column<Guid>(type: "uuid", nullable: true),
                    at = table.Column<long>(type: "bigint", nullable: false),
                    record = table.Column<byte[]>(type: "bytea", nullable: false),
                    patient_id = table.Column<Guid>(type: "uuid", nullable: false),
                    row_version = table.Column<int>(type: "integer", nullable: false),
                    entry_seq = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_procedure", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "report",
                schema: "clinic",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    visit_id = table.Column<Guid>(type: "uuid", nullable: true),
                    at = table.Column<long>(type: "bigint", nullable: false),
                    record = table.Column<byte[]>(type: "bytea", nullable: false),
                    patient_id = table.Column<Guid>(type: "uuid", nullable: false),
                    row_version = table.Column<int>(type: "integer", nullable: false),
                    entry_seq = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_report", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "setting",
                schema: "clinic",
                columns: table => new
                {
                    name = table.Column<string>(type: "text", nullable: false),
                    value = table.Column<string>(type: "text", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_setting", x => x.name);
                });

            migrationBuilder.CreateTable(
                name: "stock_batch",
                schema: "clinic",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    medicine_code = table.Column<string>(type: "text", nullable: false),
                    product = table.Column<string>(type: "text", nullable: false),
                    batch = table.Column<string>(type: "text", nullable: false),
                    expires = table.Column<DateOnly>(type: "date", nullable: false),
                    quantity = table.Column<string>(type: "character varying(64)", nullable: false),
                    version = table.Column<int>(type: "integer", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_stock_batch", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "stock_move",
                schema: "clinic",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    batch_id = table.Column<Guid>(type: "uuid", nullable: false),
                    kind = table.Column<int>(type: "integer", nullable: false),
                    quantity = table.Column<string>(type: "character varying(64)", nullable: false),
                    at = table.Column<long>(type: "bigint", nullable: false),
                    by = table.Column<int>(type: "integer", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_stock_move", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "triage",
                schema: "clinic",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    visit_id = table.Column<Guid>(type: "uuid", nullable: false),
                    at = table.Column<long>(type: "bigint", nullable: false),
                    by = table.Column<int>(type: "integer", nullable: false),
                    recheck_due = table.Column<long>(type: "bigint", nullable: true),
                    outcome = table.Column<byte[]>(type: "bytea", nullable: false),
                    patient_id = table.Column<Guid>(type: "uuid", nullable: false),
                    row_version = table.Column<int>(type: "integer", nullable: false),
                    entry_seq = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_triage", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "visit",
                schema: "clinic",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    kind = table.Column<int>(type: "integer", nullable: false),
                    status = table.Column<int>(type: "integer", nullable: false),
                    token = table.Column<int>(type: "integer", nullable: false),
                    arrived_at = table.Column<long>(type: "bigint", nullable: false),
                    triaged_at = table.Column<long>(type: "bigint", nullable: true),
                    consultation_at = table.Column<long>(type: "bigint", nullable: true),
                    consulted_at = table.Column<long>(type: "bigint", nullable: true),
                    closed_at = table.Column<long>(type: "bigint", nullable: true),
                    doctor = table.Column<int>(type: "integer", nullable: true),
                    encounter = table.Column<byte[]>(type: "bytea", nullable: false),
                    patient_id = table.Column<Guid>(type: "uuid", nullable: false),
                    row_version = table.Column<int>(type: "integer", nullable: false),
                    entry_seq = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_visit", x => x.id);
                });

            migrationBuilder.CreateIndex(
                name: "IX_allergy_patient_id",
                schema: "clinic",
                table: "allergy",
                column: "patient_id");

            migrationBuilder.CreateIndex(
                name: "IX_charge_source_id",
                schema: "clinic",
                table: "charge",
                column: "source_id",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_charge_visit_id",
                schema: "clinic",
                table: "charge",
                column: "visit_id");

            migrationBuilder.CreateIndex(
                name: "IX_dispense_patient_id",
                schema: "clinic",
                table: "dispense",
                column: "patient_id");

            migrationBuilder.CreateIndex(
                name: "IX_draft_patient_id_by_kind",
                schema: "clinic",
                table: "draft",
                columns: new[] { "patient_id", "by", "kind" },
                unique: true,
                filter: "visit_id IS NULL");

            migrationBuilder.CreateIndex(
                name: "IX_draft_patient_id_by_kind_visit_id",
                schema: "clinic",
                table: "draft",
                columns: new[] { "patient_id", "by", "kind", "visit_id" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_fhir_record_mapped_row",
                schema: "clinic",
                table: "fhir_record",
                column: "mapped_row");

            migrationBuilder.CreateIndex(
                name: "IX_fhir_record_patient_id",
                schema: "clinic",
                table: "fhir_record",
                column: "patient_id");

            migrationBuilder.CreateIndex(
                name: "IX_fhir_record_source",
                schema: "clinic",
                table: "fhir_record",
                column: "source",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_immunization_patient_id",
                schema: "clinic",
                table: "immunization",
                column: "patient_id");

            migrationBuilder.CreateIndex(
                name: "IX_invoice_number",
                schema: "clinic",
                table: "invoice",
                column: "number",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_invoice_status_opened_at",
                schema: "clinic",
                table: "invoice",
                columns: new[] { "status", "opened_at" });

            migrationBuilder.CreateIndex(
                name: "IX_invoice_visit_id",
                schema: "clinic",
                table: "invoice",
                column: "visit_id",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_lab_order_by_acknowledged_at_status",
                schema: "clinic",
                table: "lab_order",
                columns: new[] { "by", "acknowledged_at", "status" });

            migrationBuilder.CreateIndex(
                name: "IX_lab_order_patient_id",
                schema: "clinic",
                table: "lab_order",
                column: "patient_id");

            migrationBuilder.CreateIndex(
                name: "IX_lab_order_specimen_number",
                schema: "clinic",
                table: "lab_order",
                column: "specimen_number");

            migrationBuilder.CreateIndex(
                name: "IX_lab_order_status_ordered_at",
                schema: "clinic",
                table: "lab_order",
                columns: new[] { "status", "ordered_at" });

            migrationBuilder.CreateIndex(
                name: "IX_lab_order_visit_id",
                schema: "clinic",
                table: "lab_order",
                column: "visit_id");

            migrationBuilder.CreateIndex(
                name: "IX_note_patient_id",
                schema: "clinic",
                table: "note",
                column: "patient_id");

            migrationBuilder.CreateIndex(
                name: "IX_observation_order_id",
                schema: "clinic",
                table: "observation",
                column: "order_id");

            migrationBuilder.CreateIndex(
                name: "IX_observation_patient_id_kind",
                schema: "clinic",
                table: "observation",
                columns: new[] { "patient_id", "kind" });

            migrationBuilder.CreateIndex(
                name: "IX_patient_mrn",
                schema: "clinic",
                table: "patient",
                column: "mrn",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_patient_patient_id",
                schema: "clinic",
                table: "patient",
                column: "patient_id",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_payment_invoice_id",
                schema: "clinic",
                table: "payment",
                column: "invoice_id");

            migrationBuilder.CreateIndex(
                name: "IX_payment_receipt_number",
                schema: "clinic",
                table: "payment",
                column: "receipt_number",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_prescription_patient_id",
                schema: "clinic",
                table: "prescription",
                column: "patient_id");

            migrationBuilder.CreateIndex(
                name: "IX_prescription_status_ordered_at",
                schema: "clinic",
                table: "prescription",
                columns: new[] { "status", "ordered_at" });

            migrationBuilder.CreateIndex(
                name: "IX_problem_patient_id",
                schema: "clinic",
                table: "problem",
                column: "patient_id");

            migrationBuilder.CreateIndex(
                name: "IX_procedure_patient_id",
                schema: "clinic",
                table: "procedure",
                column: "patient_id");

            migrationBuilder.CreateIndex(
                name: "IX_report_patient_id",
                schema: "clinic",
                table: "report",
                column: "patient_id");

            migrationBuilder.CreateIndex(
                name: "IX_stock_batch_medicine_code_expires",
                schema: "clinic",
                table: "stock_batch",
                columns: new[] { "medicine_code", "expires" });

            migrationBuilder.CreateIndex(
                name: "IX_stock_move_batch_id",
                schema: "clinic",
                table: "stock_move",
                column: "batch_id");

            migrationBuilder.CreateIndex(
                name: "IX_triage_patient_id",
                schema: "clinic",
                table: "triage",
                column: "patient_id");

            migrationBuilder.CreateIndex(
                name: "IX_triage_visit_id",
                schema: "clinic",
                table: "triage",
                column: "visit_id");

            migrationBuilder.CreateIndex(
                name: "IX_visit_patient_id",
                schema: "clinic",
                table: "visit",
                column: "patient_id");

            migrationBuilder.CreateIndex(
                name: "IX_visit_status_arrived_at",
                schema: "clinic",
                table: "visit",
                columns: new[] { "status", "arrived_at" });
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "allergy",
                schema: "clinic");

            migrationBuilder.DropTable(
                name: "charge",
                schema: "clinic");

            migrationBuilder.DropTable(
                name: "counter",
                schema: "clinic");

            migrationBuilder.DropTable(
                name: "dispense",
                schema: "clinic");

            migrationBuilder.DropTable(
                name: "draft",
                schema: "clinic");

            migrationBuilder.DropTable(
                name: "fhir_record",
                schema: "clinic");

            migrationBuilder.DropTable(
                name: "immunization",
                schema: "clinic");

            migrationBuilder.DropTable(
                name: "invoice",
                schema: "clinic");

            migrationBuilder.DropTable(
                name: "lab_order",
                schema: "clinic");

            migrationBuilder.DropTable(
                name: "log_anchor",
                schema: "clinic");

            migrationBuilder.DropTable(
                name: "note",
                schema: "clinic");

            migrationBuilder.DropTable(
                name: "observation",
                schema: "clinic");

            migrationBuilder.DropTable(
                name: "patient",
                schema: "clinic");

            migrationBuilder.DropTable(
                name: "payment",
                schema: "clinic");

            migrationBuilder.DropTable(
                name: "prescription",
                schema: "clinic");

            migrationBuilder.DropTable(
                name: "price",
                schema: "clinic");

            migrationBuilder.DropTable(
                name: "problem",
                schema: "clinic");

            migrationBuilder.DropTable(
                name: "procedure",
                schema: "clinic");

            migrationBuilder.DropTable(
                name: "report",
                schema: "clinic");

            migrationBuilder.DropTable(
                name: "setting",
                schema: "clinic");

            migrationBuilder.DropTable(
                name: "stock_batch",
                schema: "clinic");

            migrationBuilder.DropTable(
                name: "stock_move",
                schema: "clinic");

            migrationBuilder.DropTable(
                name: "triage",
                schema: "clinic");

            migrationBuilder.DropTable(
                name: "visit",
                schema: "clinic");
        }
    }
}
