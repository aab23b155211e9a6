using Mangrove.Vault.Destruction;

namespace Mangrove.Governance.Destruction;

/// <summary>
/// Every place where something of a patient lies, and what a destruction does to it: the machine's half of docs/data-locations.md. A
/// test compares it with the clinic's model, the tables of the vault and of the keys: a column of that kind that is not here fails the build.
/// </summary>
public static class DataLocations
{
    private const string Deleted = "deleted; sealed under the patient's key, which is destroyed";
    private const string Row = "deleted with its row";

    /// <summary>Columns of the clinic that name a patient or are sealed, as <c>table.column</c>.</summary>
    public static IReadOnlyDictionary<string, string> Clinic { get; } = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["allergy.patient_id"] = Row,
        ["allergy.record"] = Deleted,
        ["charge.line"] = Deleted,
        ["charge.patient_id"] = Row,
        ["dispense.patient_id"] = Row,
        ["dispense.record"] = Deleted,
        ["draft.content"] = Deleted,
        ["draft.patient_id"] = Row,
        ["fhir_record.original"] = Deleted,
        ["fhir_record.patient_id"] = Row,
        ["immunization.patient_id"] = Row,
        ["immunization.record"] = Deleted,
        ["invoice.patient_id"] = Row,
        ["lab_order.line"] = Deleted,
        ["lab_order.patient_id"] = Row,
        ["note.patient_id"] = Row,
        ["note.text"] = Deleted,
        ["observation.patient_id"] = Row,
        ["observation.value"] = Deleted,
        ["patient.contact"] = Deleted,
        ["patient.mrn"] = Row,
        ["patient.name"] = Deleted,
        ["patient.patient_id"] = Row,
        ["patient.payer"] = Deleted,
        ["patient.person"] = Deleted,
        ["payment.patient_id"] = Row,
        ["payment.record"] = Deleted,
        ["prescription.line"] = Deleted,
        ["prescription.medicine"] = Deleted,
        ["prescription.patient_id"] = Row,
        ["problem.patient_id"] = Row,
        ["problem.record"] = Deleted,
        ["procedure.patient_id"] = Row,
        ["procedure.record"] = Deleted,
        ["report.patient_id"] = Row,
        ["report.record"] = Deleted,
        ["triage.outcome"] = Deleted,
        ["triage.patient_id"] = Row,
        ["visit.encounter"] = Deleted,
        ["visit.patient_id"] = Row,
    };

    /// <summary>Columns of the vault's own tables.</summary>
    public static IReadOnlyDictionary<string, string> Vault => VaultLocations.Columns;

    /// <summary>Columns of keys.db.</summary>
    public static IReadOnlyDictionary<string, string> Keys { get; } = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["patient_key.patient"] = "deleted, and overwritten",
        ["patient_key_before.patient"] = "deleted, and overwritten",
        ["patient_tombstone.patient"] = "made: so that nothing of the record comes back",
    };

    /// <summary>Places that are no table.</summary>
    public static IReadOnlyDictionary<string, string> Elsewhere { get; } = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["patient index, in memory"] = "removed; other servers on the same PostgreSQL: at their next start",
        ["wrapped keys, in memory"] = "removed; acts that took one before are waited for",
        ["key bundles of backups"] = "rewritten without the patient under a new epoch; the old epochs' keys destroyed",
        ["archives of backups"] = "stay: ciphertext under the patient's key, which is destroyed; rows go when it is restored",
        ["words of emergency accesses in archives of backups"] = "stay until the backup goes: sealed under the pepper",
        ["read-only copies on other machines"] = "until they change over to a backup of afterwards",
        ["audit log"] = "stays: numbers of records and acts, no content",
        ["exports, prints, letters"] = "not reached",
    };
}
