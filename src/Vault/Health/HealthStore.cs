namespace Mangrove.Vault.Health;

/// <summary>The tables of health, alarms and letters in vault.db. No column of them says anything of a patient.</summary>
internal static class HealthStore
{
    private const string Schema = """
        CREATE TABLE IF NOT EXISTS health_sample (
            series TEXT NOT NULL,
            at INTEGER NOT NULL,
            value INTEGER NOT NULL,
            PRIMARY KEY (series, at)) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS alarm (
            id BLOB NOT NULL PRIMARY KEY,
            rule TEXT NOT NULL,
            detail TEXT NOT NULL,
            began INTEGER NOT NULL,
            ended INTEGER NULL,
            seen INTEGER NULL,
            seen_by INTEGER NULL);
        CREATE UNIQUE INDEX IF NOT EXISTS alarm_open ON alarm (rule) WHERE ended IS NULL;
        CREATE INDEX IF NOT EXISTS alarm_began ON alarm (began);
        CREATE TABLE IF NOT EXISTS mail_server (
            id INTEGER NOT NULL PRIMARY KEY,
            host TEXT NOT NULL,
            port INTEGER NOT NULL,
            security INTEGER NOT NULL,
            sender TEXT NOT NULL,
            login TEXT NOT NULL,
            authority TEXT NOT NULL,
            changed_by INTEGER NOT NULL,
            changed INTEGER NOT NULL);
        CREATE TABLE IF NOT EXISTS mail_recipient (
            audience INTEGER NOT NULL,
            address TEXT NOT NULL,
            PRIMARY KEY (audience, address));
        CREATE TABLE IF NOT EXISTS letter (
            id BLOB NOT NULL PRIMARY KEY,
            kind TEXT NOT NULL,
            address TEXT NOT NULL,
            subject TEXT NOT NULL,
            body TEXT NOT NULL,
            created INTEGER NOT NULL,
            due INTEGER NOT NULL,
            tries INTEGER NOT NULL,
            problem TEXT NULL,
            delivered INTEGER NULL,
            receipt TEXT NULL,
            given_up INTEGER NULL);
        CREATE INDEX IF NOT EXISTS letter_due ON letter (due);
        CREATE INDEX IF NOT EXISTS letter_created ON letter (created)
        """;

    /// <summary>Creates the tables where they are missing: in a new hospital, and in one that an earlier version made.</summary>
    public static Task Create(Store vault, CancellationToken cancel) => vault.Create(Schema, cancel);
}
