namespace Mangrove.Vault.Destruction;

/// <summary>
/// Where the vault's own tables name a patient or hold words that may speak of one, and what becomes of it in a destruction. A test
/// compares this with the tables: a new column of that kind without a line here fails the build.
/// </summary>
public static class VaultLocations
{
    /// <summary>Column, and what a destruction does to it.</summary>
    public static IReadOnlyDictionary<string, string> Columns { get; } = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["glass.patient"] = "made anonymous: that somebody broke the glass stays, for whom does not",
        ["glass.mrn"] = "emptied",
        ["glass_words.words"] = "deleted",
        ["watch_finding.patient"] = "emptied: what a rule found about a colleague stays",
        ["watch_flag.patient"] = "deleted",
        ["watch_flag.mrn"] = "deleted",
        ["legal_hold.patient"] = "made anonymous: that a hold was there stays, for whom does not",
        ["legal_hold.mrn"] = "emptied",
        ["hold_words.words"] = "deleted for holds of the patient",
        ["incident_words.words"] = "stays with the incident: its lists hold record ids; who writes a remark is told to name nobody",
        ["incident_impact.patients"] = "stays: a number of records",
        ["destruction_order.words"] = "deleted when the order is certified",
        ["destruction_patient.patient"] = "stays: the record id of the certificate, which names nobody",
        ["destruction_patient.mrn"] = "emptied when the order is certified",
        ["destruction_patient.mrn_hash"] = "stays: salted, for whoever holds the number",
    };

    /// <summary>The statements, by table, in their order. Each can be run again.</summary>
    internal static IReadOnlyList<(string Table, string Sql)> Statements { get; } =
    [
        ("vault.glass_words", "DELETE FROM glass_words WHERE glass IN (SELECT id FROM glass WHERE patient = @patient) AND @nobody = @nobody"),
        ("vault.glass", "UPDATE glass SET patient = @nobody, mrn = '' WHERE patient = @patient"),
        ("vault.hold_words", "DELETE FROM hold_words WHERE hold IN (SELECT id FROM legal_hold WHERE patient = @patient) AND @nobody = @nobody"),
        ("vault.legal_hold", "UPDATE legal_hold SET patient = @nobody, mrn = '' WHERE patient = @patient"),
        ("vault.watch_finding", "UPDATE watch_finding SET patient = NULL WHERE patient = @patient AND @nobody = @nobody"),
        ("vault.watch_flag", "DELETE FROM watch_flag WHERE patient = @patient AND @nobody = @nobody"),
    ];
}
