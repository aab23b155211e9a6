using Mangrove.Sealing;

namespace Mangrove.Vault.Incidents;

/// <summary>
/// The tables of incidents in vault.db. What people write, and which patients an incident touches, is sealed; beside it stand
/// ids, times, codes and names of staff, devices and programs.
/// </summary>
internal static class IncidentStore
{
    private const string Schema = """
        CREATE TABLE IF NOT EXISTS incident (
            id BLOB NOT NULL PRIMARY KEY,
            number INTEGER NOT NULL UNIQUE,
            kind INTEGER NOT NULL,
            known INTEGER NOT NULL,
            agent_knew INTEGER NULL,
            opened INTEGER NOT NULL,
            opened_by INTEGER NOT NULL,
            lead INTEGER NOT NULL,
            finding INTEGER NULL,
            contained INTEGER NULL,
            log BLOB NULL,
            log_size INTEGER NULL,
            log_kept INTEGER NULL,
            log_hash BLOB NULL,
            risk INTEGER NOT NULL,
            risk_by INTEGER NULL,
            risk_confirmed_by INTEGER NULL,
            affected INTEGER NULL,
            in_state INTEGER NULL,
            reviewed INTEGER NULL,
            closed INTEGER NULL,
            closed_by INTEGER NULL,
            CHECK (risk_confirmed_by IS NULL OR risk_confirmed_by <> risk_by));
        CREATE INDEX IF NOT EXISTS incident_open ON incident (opened) WHERE closed IS NULL;
        CREATE TABLE IF NOT EXISTS incident_words (
            id BLOB NOT NULL PRIMARY KEY,
            incident BLOB NOT NULL REFERENCES incident (id),
            kind INTEGER NOT NULL,
            staff INTEGER NOT NULL,
            written INTEGER NOT NULL,
            words BLOB NOT NULL);
        CREATE INDEX IF NOT EXISTS incident_words_incident ON incident_words (incident);
        CREATE TABLE IF NOT EXISTS incident_notice (
            incident BLOB NOT NULL REFERENCES incident (id),
            account BLOB NOT NULL REFERENCES account (id),
            officer INTEGER NOT NULL,
            created INTEGER NOT NULL,
            seen INTEGER NULL,
            PRIMARY KEY (incident, account));
        CREATE TABLE IF NOT EXISTS incident_target (
            incident BLOB NOT NULL REFERENCES incident (id),
            kind INTEGER NOT NULL,
            name TEXT NOT NULL,
            at INTEGER NOT NULL,
            staff INTEGER NOT NULL,
            outcome TEXT NOT NULL,
            PRIMARY KEY (incident, kind, name));
        CREATE TABLE IF NOT EXISTS incident_key (
            incident BLOB NOT NULL REFERENCES incident (id),
            purpose TEXT NOT NULL,
            version INTEGER NULL,
            asked INTEGER NOT NULL,
            ended INTEGER NULL,
            PRIMARY KEY (incident, purpose));
        CREATE TABLE IF NOT EXISTS incident_impact (
            id BLOB NOT NULL PRIMARY KEY REFERENCES incident_words (id),
            incident BLOB NOT NULL REFERENCES incident (id),
            question TEXT NOT NULL,
            hash BLOB NOT NULL,
            log_size INTEGER NOT NULL,
            patients INTEGER NOT NULL,
            acts INTEGER NOT NULL,
            everybody INTEGER NOT NULL);
        CREATE INDEX IF NOT EXISTS incident_impact_incident ON incident_impact (incident);
        CREATE TABLE IF NOT EXISTS incident_waiver (
            incident BLOB NOT NULL REFERENCES incident (id),
            step INTEGER NOT NULL,
            at INTEGER NOT NULL,
            staff INTEGER NOT NULL,
            PRIMARY KEY (incident, step));
        CREATE TABLE IF NOT EXISTS incident_sent (
            id BLOB NOT NULL PRIMARY KEY,
            incident BLOB NOT NULL REFERENCES incident (id),
            recipient INTEGER NOT NULL,
            people INTEGER NOT NULL,
            day INTEGER NOT NULL,
            way INTEGER NOT NULL,
            at INTEGER NOT NULL,
            staff INTEGER NOT NULL);
        CREATE INDEX IF NOT EXISTS incident_sent_incident ON incident_sent (incident);
        CREATE TABLE IF NOT EXISTS incident_action (
            id BLOB NOT NULL PRIMARY KEY REFERENCES incident_words (id),
            incident BLOB NOT NULL REFERENCES incident (id),
            owner INTEGER NOT NULL,
            due INTEGER NOT NULL,
            done INTEGER NULL,
            done_by INTEGER NULL);
        CREATE INDEX IF NOT EXISTS incident_action_incident ON incident_action (incident)
        """;

    /// <summary>Creates the tables where they are missing.</summary>
    public static Task Create(Store vault, CancellationToken cancel) => vault.Create(Schema, cancel);
}

/// <summary>Under what the words of incidents and their lists of patients are sealed: as the words of emergency access are (decision 27).</summary>
internal static class IncidentSealing
{
    /// <summary>What the key is derived for.</summary>
    public static ReadOnlySpan<byte> Use => "mangrove words of incidents"u8;

    /// <summary>Where a text lies: in its row, about its incident.</summary>
    public static CellAddress Address(Guid row, Guid incident) => new(Guid.Empty, "incident_words", "words", row, incident, 1);
}
