using System.Data.Common;

namespace Mangrove.Vault.Identity;

/// <summary>
/// The tables of vault.db that belong to Identity. They hold no secret: of passwords a peppered hash, of tokens a
/// SHA-256, of PINs and recovery codes a peppered hash, of one-time codes the sealed secret, of passkeys the sealed public key, of failed sign-ins a keyed
/// hash of who and where.
/// </summary>
internal static class IdentityStore
{
    private const string Schema = """
        CREATE TABLE IF NOT EXISTS account (
            id BLOB NOT NULL PRIMARY KEY,
            number INTEGER NOT NULL UNIQUE,
            login TEXT NOT NULL UNIQUE,
            username TEXT NOT NULL,
            name TEXT NOT NULL,
            role INTEGER NOT NULL,
            department TEXT NULL,
            state INTEGER NOT NULL,
            hash TEXT NULL,
            created INTEGER NOT NULL,
            password_changed INTEGER NULL,
            signed_in INTEGER NULL,
            link BLOB NULL UNIQUE,
            link_expires INTEGER NULL);
        CREATE TABLE IF NOT EXISTS session (
            id BLOB NOT NULL PRIMARY KEY,
            handle TEXT NOT NULL UNIQUE,
            token BLOB NOT NULL UNIQUE,
            account BLOB NOT NULL REFERENCES account (id),
            device TEXT NOT NULL,
            created INTEGER NOT NULL,
            touched INTEGER NOT NULL,
            locked INTEGER NULL,
            wrong INTEGER NOT NULL DEFAULT 0,
            revoked INTEGER NULL,
            ended INTEGER NULL);
        CREATE UNIQUE INDEX IF NOT EXISTS session_live ON session (account) WHERE revoked IS NULL;
        CREATE INDEX IF NOT EXISTS session_revoked ON session (revoked);
        CREATE TABLE IF NOT EXISTS throttle (
            subject BLOB NOT NULL PRIMARY KEY,
            failures INTEGER NOT NULL,
            until INTEGER NOT NULL,
            last INTEGER NOT NULL,
            noted INTEGER NOT NULL) WITHOUT ROWID;
        CREATE INDEX IF NOT EXISTS throttle_last ON throttle (last);
        CREATE TABLE IF NOT EXISTS sign_in_trace (
            account BLOB NOT NULL PRIMARY KEY,
            wrong INTEGER NOT NULL,
            last_wrong INTEGER NULL,
            signed_at INTEGER NULL,
            device TEXT NULL,
            found_wrong INTEGER NOT NULL,
            found_last INTEGER NULL,
            prior_at INTEGER NULL,
            prior_device TEXT NULL);
        CREATE TABLE IF NOT EXISTS pin (
            account BLOB NOT NULL PRIMARY KEY REFERENCES account (id),
            hash TEXT NOT NULL,
            changed INTEGER NOT NULL);
        CREATE TABLE IF NOT EXISTS authenticator (
            account BLOB NOT NULL PRIMARY KEY REFERENCES account (id),
            secret BLOB NOT NULL,
            last_step INTEGER NOT NULL,
            since INTEGER NOT NULL);
        CREATE TABLE IF NOT EXISTS recovery_code (
            account BLOB NOT NULL REFERENCES account (id),
            code BLOB NOT NULL,
            used INTEGER NULL,
            PRIMARY KEY (account, code));
        CREATE TABLE IF NOT EXISTS passkey (
            id BLOB NOT NULL PRIMARY KEY,
            account BLOB NOT NULL REFERENCES account (id),
            credential BLOB NOT NULL UNIQUE,
            public_key BLOB NOT NULL,
            site TEXT NOT NULL,
            name TEXT NOT NULL,
            sign_count INTEGER NOT NULL,
            transports TEXT NOT NULL,
            verified INTEGER NOT NULL,
            backup_eligible INTEGER NOT NULL,
            backed_up INTEGER NOT NULL,
            created INTEGER NOT NULL,
            used INTEGER NULL);
        CREATE INDEX IF NOT EXISTS passkey_account ON passkey (account);
        CREATE TABLE IF NOT EXISTS second_factor_role (
            role INTEGER NOT NULL PRIMARY KEY);
        CREATE TABLE IF NOT EXISTS device (
            id BLOB NOT NULL PRIMARY KEY,
            name TEXT NOT NULL,
            login TEXT NOT NULL UNIQUE,
            department TEXT NOT NULL,
            public_key BLOB NULL,
            token BLOB NULL UNIQUE,
            code BLOB NULL UNIQUE,
            code_expires INTEGER NULL,
            created INTEGER NOT NULL,
            created_by INTEGER NOT NULL,
            enrolled INTEGER NULL,
            revoked INTEGER NULL);
        CREATE TABLE IF NOT EXISTS device_rule (
            id INTEGER NOT NULL PRIMARY KEY,
            required INTEGER NOT NULL);
        CREATE TABLE IF NOT EXISTS department_role (
            department TEXT NOT NULL,
            role INTEGER NOT NULL,
            PRIMARY KEY (department, role));
        CREATE TABLE IF NOT EXISTS department_list (
            department TEXT NOT NULL PRIMARY KEY,
            address TEXT NOT NULL);
        CREATE TABLE IF NOT EXISTS policy_setting (
            name TEXT NOT NULL PRIMARY KEY,
            value INTEGER NOT NULL,
            changed_by INTEGER NOT NULL,
            changed INTEGER NOT NULL) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS staff_number (
            id INTEGER NOT NULL PRIMARY KEY,
            last INTEGER NOT NULL);
        CREATE TABLE IF NOT EXISTS clock_mark (
            id INTEGER NOT NULL PRIMARY KEY,
            wall INTEGER NOT NULL);
        CREATE TABLE IF NOT EXISTS vault_version (
            id INTEGER NOT NULL PRIMARY KEY,
            version INTEGER NOT NULL);
        INSERT INTO staff_number (id, last) VALUES (1, 0) ON CONFLICT (id) DO NOTHING;
        INSERT INTO clock_mark (id, wall) VALUES (1, 0) ON CONFLICT (id) DO NOTHING;
        INSERT INTO vault_version (id, version) VALUES (1, 0) ON CONFLICT (id) DO NOTHING
        """;

    /// <summary>Creates the tables where they are missing.</summary>
    public static async Task Create(Store store, CancellationToken cancel)
    {
        await store.Create(Schema, cancel);
        await store.AddColumn("recovery_code", "pepper", "INTEGER NOT NULL DEFAULT 1", null, cancel);
    }

    /// <summary>Keeps a setting of the hospital's policy, and who set it. The caller says what it was before, in its entry.</summary>
    public static Task<int> PutSetting(DbConnection connection, string name, int value, Actor by, long now, CancellationToken cancel) => connection.Run(
        """
        INSERT INTO policy_setting (name, value, changed_by, changed) VALUES (@name, @value, @by, @now)
        ON CONFLICT (name) DO UPDATE SET value = excluded.value, changed_by = excluded.changed_by, changed = excluded.changed
        """,
        cancel,
        ("@name", name),
        ("@value", value),
        ("@by", by.Staff.Number),
        ("@now", now));
}
