namespace Mangrove.Vault.Holds;

/// <summary>
/// The tables of legal holds and of the rules of retention in vault.db. Case references and reasons may speak of a patient and
/// are sealed; beside them stand ids, days, years and codes. Whose record is due stands nowhere: for a minor it would tell the
/// day of birth.
/// </summary>
internal static class HoldStore
{
    private const string Schema = """
        CREATE TABLE IF NOT EXISTS legal_hold (
            id BLOB NOT NULL PRIMARY KEY,
            scope INTEGER NOT NULL,
            patient BLOB NULL,
            mrn TEXT NULL,
            first_day INTEGER NULL,
            last_day INTEGER NULL,
            placed INTEGER NOT NULL,
            placed_by INTEGER NOT NULL,
            released INTEGER NULL,
            released_by INTEGER NULL);
        CREATE INDEX IF NOT EXISTS legal_hold_open ON legal_hold (patient) WHERE released IS NULL;
        CREATE TABLE IF NOT EXISTS hold_words (
            id BLOB NOT NULL PRIMARY KEY,
            hold BLOB NOT NULL REFERENCES legal_hold (id),
            kind INTEGER NOT NULL,
            words BLOB NOT NULL);
        CREATE INDEX IF NOT EXISTS hold_words_hold ON hold_words (hold);
        CREATE TABLE IF NOT EXISTS retention_rule (
            kind INTEGER NOT NULL PRIMARY KEY,
            years INTEGER NOT NULL,
            source TEXT NOT NULL,
            changed_by INTEGER NOT NULL,
            changed INTEGER NOT NULL);
        CREATE TABLE IF NOT EXISTS retention_country (
            id INTEGER NOT NULL PRIMARY KEY,
            country TEXT NOT NULL,
            majority INTEGER NOT NULL,
            changed_by INTEGER NOT NULL,
            changed INTEGER NOT NULL)
        """;

    /// <summary>Creates the tables where they are missing.</summary>
    public static Task Create(Store vault, CancellationToken cancel) => vault.Create(Schema, cancel);
}
