using Mangrove.Sealing;

namespace Mangrove.Vault.Destruction;

/// <summary>
/// The tables of destruction: orders in vault.db, tombstones in keys.db, because the key bundle of every backup carries keys.db and
/// is rewritten, while what a backup holds of vault.db never changes.
/// </summary>
internal static class DestructionStore
{
    private const string Vault = """
        CREATE TABLE IF NOT EXISTS destruction_order (
            id BLOB NOT NULL PRIMARY KEY,
            number INTEGER NOT NULL UNIQUE,
            state INTEGER NOT NULL,
            step INTEGER NOT NULL,
            reason INTEGER NOT NULL,
            words BLOB NULL,
            proposed INTEGER NOT NULL,
            proposed_by INTEGER NOT NULL,
            decided INTEGER NULL,
            decided_by INTEGER NULL,
            started INTEGER NULL,
            ended INTEGER NULL,
            failure TEXT NULL,
            facts TEXT NOT NULL,
            certificate BLOB NULL);
        CREATE INDEX IF NOT EXISTS destruction_order_state ON destruction_order (state);
        CREATE TABLE IF NOT EXISTS destruction_patient (
            destruction BLOB NOT NULL REFERENCES destruction_order (id),
            patient BLOB NOT NULL,
            mrn TEXT NULL,
            salt BLOB NOT NULL,
            mrn_hash BLOB NOT NULL,
            PRIMARY KEY (destruction, patient))
        """;

    private const string Keys = """
        CREATE TABLE IF NOT EXISTS patient_tombstone (
            patient BLOB NOT NULL PRIMARY KEY,
            destruction BLOB NOT NULL,
            at INTEGER NOT NULL,
            key_ids BLOB NOT NULL,
            digest BLOB NOT NULL,
            signature BLOB NOT NULL) WITHOUT ROWID
        """;

    /// <summary>The table of tombstones in keys.db; also for a copy of a time when there was none.</summary>
    public static string Tombstones => Keys;

    /// <summary>Creates the tables of orders where they are missing.</summary>
    public static Task Create(Store vault, CancellationToken cancel) => vault.Create(Vault, cancel);

    /// <summary>What the key is derived for under which the words of an order are sealed.</summary>
    public static ReadOnlySpan<byte> Use => "mangrove words of destruction orders"u8;

    /// <summary>Where the words of an order lie.</summary>
    public static CellAddress Address(Guid order) => new(Guid.Empty, "destruction_order", "words", order, order, 1);
}
