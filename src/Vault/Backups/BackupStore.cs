namespace Mangrove.Vault.Backups;

/// <summary>The tables of backups: targets and runs in vault.db, wrapped keys in keys.db.</summary>
internal static class BackupStore
{
    private const string Vault = """
        CREATE TABLE IF NOT EXISTS backup_target (
            id BLOB NOT NULL PRIMARY KEY,
            path TEXT NOT NULL UNIQUE,
            every_minutes INTEGER NOT NULL,
            keep_count INTEGER NOT NULL,
            keep_days INTEGER NOT NULL,
            full_days INTEGER NOT NULL,
            added_by INTEGER NOT NULL,
            added INTEGER NOT NULL,
            removed INTEGER NULL);
        CREATE TABLE IF NOT EXISTS backup_run (
            id BLOB NOT NULL PRIMARY KEY,
            kind INTEGER NOT NULL,
            target TEXT NOT NULL,
            started INTEGER NOT NULL,
            finished INTEGER NOT NULL,
            failure TEXT NULL,
            number INTEGER NULL,
            complete INTEGER NOT NULL,
            content INTEGER NOT NULL,
            written INTEGER NOT NULL,
            audit_size INTEGER NOT NULL);
        CREATE INDEX IF NOT EXISTS backup_run_started ON backup_run (started)
        """;

    // Both kinds of key hang from a version of the purpose key "backup".
    private const string Keys = """
        CREATE TABLE IF NOT EXISTS backup_epoch (
            id BLOB NOT NULL PRIMARY KEY,
            version INTEGER NOT NULL,
            wrapped BLOB NOT NULL,
            created INTEGER NOT NULL) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS backup_archive (
            id BLOB NOT NULL PRIMARY KEY,
            version INTEGER NOT NULL,
            wrapped BLOB NOT NULL,
            created INTEGER NOT NULL) WITHOUT ROWID
        """;

    /// <summary>Creates the tables where they are missing: in a new hospital, and in one that an earlier version made.</summary>
    public static async Task Create(Store vault, Store keys, CancellationToken cancel)
    {
        await vault.Create(Vault, cancel);
        await keys.Create(Keys, cancel);
    }
}
