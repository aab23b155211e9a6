namespace Mangrove.Vault.Glass;

/// <summary>
/// The tables of emergency access in vault.db. What people wrote may speak of the patient and is sealed; beside it stand ids,
/// times and codes.
/// </summary>
internal static class GlassStore
{
    private const string Schema = """
        CREATE TABLE IF NOT EXISTS glass (
            id BLOB NOT NULL PRIMARY KEY,
            account BLOB NOT NULL REFERENCES account (id),
            patient BLOB NOT NULL,
            mrn TEXT NOT NULL,
            reason INTEGER NOT NULL,
            session TEXT NOT NULL,
            device TEXT NOT NULL,
            opened INTEGER NOT NULL,
            until INTEGER NOT NULL,
            due INTEGER NOT NULL,
            ended INTEGER NULL,
            ended_by INTEGER NULL,
            justified INTEGER NULL,
            overdue INTEGER NULL,
            outcome INTEGER NULL);
        CREATE INDEX IF NOT EXISTS glass_session ON glass (session) WHERE ended IS NULL;
        CREATE INDEX IF NOT EXISTS glass_opened ON glass (opened);
        CREATE INDEX IF NOT EXISTS glass_account ON glass (account);
        CREATE TABLE IF NOT EXISTS glass_words (
            id BLOB NOT NULL PRIMARY KEY,
            glass BLOB NOT NULL REFERENCES glass (id),
            kind INTEGER NOT NULL,
            account BLOB NOT NULL REFERENCES account (id),
            written INTEGER NOT NULL,
            outcome INTEGER NULL,
            words BLOB NOT NULL);
        CREATE INDEX IF NOT EXISTS glass_words_glass ON glass_words (glass);
        CREATE TABLE IF NOT EXISTS glass_notice (
            id BLOB NOT NULL PRIMARY KEY,
            glass BLOB NOT NULL REFERENCES glass (id),
            kind INTEGER NOT NULL,
            account BLOB NOT NULL REFERENCES account (id),
            created INTEGER NOT NULL,
            seen INTEGER NULL);
        CREATE INDEX IF NOT EXISTS glass_notice_account ON glass_notice (account) WHERE seen IS NULL;
        CREATE INDEX IF NOT EXISTS glass_notice_glass ON glass_notice (glass);
        CREATE TABLE IF NOT EXISTS glass_suspension (
            id BLOB NOT NULL PRIMARY KEY,
            account BLOB NOT NULL REFERENCES account (id),
            glass BLOB NOT NULL REFERENCES glass (id),
            since INTEGER NOT NULL,
            lifted INTEGER NULL,
            lifted_by BLOB NULL);
        CREATE UNIQUE INDEX IF NOT EXISTS glass_suspension_open ON glass_suspension (account) WHERE lifted IS NULL;
        CREATE TABLE IF NOT EXISTS privacy_officer (
            account BLOB NOT NULL PRIMARY KEY REFERENCES account (id),
            since INTEGER NOT NULL,
            named_by INTEGER NOT NULL);
        CREATE TABLE IF NOT EXISTS effective_clock (
            id INTEGER NOT NULL PRIMARY KEY,
            stand INTEGER NOT NULL,
            wall INTEGER NOT NULL);
        INSERT INTO effective_clock (id, stand, wall) VALUES (1, 0, 0) ON CONFLICT (id) DO NOTHING
        """;

    /// <summary>Creates the tables where they are missing.</summary>
    public static Task Create(Store vault, CancellationToken cancel) => vault.Create(Schema, cancel);
}
