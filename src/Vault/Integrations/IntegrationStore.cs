namespace Mangrove.Vault.Integrations;

/// <summary>
/// The tables of vault.db about programs that call: who they are, on what agreement, approved by whom. They hold no secret:
/// a client's key is its public half, and of an assertion a hash stays until it has run out.
/// </summary>
internal static class IntegrationStore
{
    // The two approvals stand in the row itself, so that the database refuses a third person, the same person twice and a
    // second one without a first, whatever the program says.
    private const string Schema = """
        CREATE TABLE IF NOT EXISTS integration (
            id BLOB NOT NULL PRIMARY KEY,
            client TEXT NOT NULL UNIQUE,
            name TEXT NOT NULL,
            purpose INTEGER NOT NULL,
            public_key BLOB NOT NULL,
            scopes TEXT NOT NULL,
            registered_by INTEGER NOT NULL,
            registered INTEGER NOT NULL,
            state INTEGER NOT NULL,
            filing INTEGER NOT NULL,
            agreement BLOB NULL,
            signer TEXT NULL,
            expires INTEGER NULL,
            filed_by INTEGER NULL,
            filed INTEGER NULL,
            first_by INTEGER NULL,
            first_at INTEGER NULL,
            second_by INTEGER NULL,
            second_at INTEGER NULL,
            lapsed INTEGER NULL,
            generation INTEGER NOT NULL,
            CHECK (second_by IS NULL OR (first_by IS NOT NULL AND first_by <> second_by)),
            CHECK (state <> 3 OR (agreement IS NOT NULL AND expires IS NOT NULL AND second_by IS NOT NULL)));
        CREATE TABLE IF NOT EXISTS assertion_used (
            integration BLOB NOT NULL REFERENCES integration (id),
            jti BLOB NOT NULL,
            expires INTEGER NOT NULL,
            PRIMARY KEY (integration, jti)) WITHOUT ROWID;
        CREATE INDEX IF NOT EXISTS assertion_used_expires ON assertion_used (expires);
        CREATE TABLE IF NOT EXISTS certificate_only (
            integration BLOB NOT NULL PRIMARY KEY REFERENCES integration (id),
            since INTEGER NOT NULL,
            set_by INTEGER NOT NULL)
        """;

    /// <summary>Creates the tables where they are missing: in a new hospital, and in one that an earlier version made.</summary>
    public static Task Create(Store store, CancellationToken cancel) => store.Create(Schema, cancel);
}
