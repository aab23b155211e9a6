namespace Mangrove.Vault.Audit;

/// <summary>What an act came to.</summary>
public enum AuditOutcome
{
    /// <summary>The act was allowed and went ahead.</summary>
    Allowed = 1,

    /// <summary>The policy said no; nothing was opened.</summary>
    Refused = 2,

    /// <summary>Allowed only because somebody broke the glass; to be reviewed.</summary>
    BreakGlass = 3,
}

/// <summary>What an entry is about; retention periods go by it (seeds: access 6 years, system 1 year).</summary>
public enum AuditKind
{
    /// <summary>Protected health information was looked at, changed, searched or refused.</summary>
    Access = 1,

    /// <summary>Accounts, sign-in, devices, keys.</summary>
    Security = 2,

    /// <summary>The installation itself: starts, upgrades, backups.</summary>
    System = 3,
}

/// <summary>
/// One act to be recorded: who, what, on what, with which fields. It names fields and counts, and NEVER carries the value
/// of a clinical field. Text typed by people is escaped and cut when it is encoded, never refused, so that nobody can
/// keep an act out of the log by a name that does not fit.
/// </summary>
internal sealed record AuditDraft
{
    /// <summary>User name, or <c>system</c>.</summary>
    public required string Actor { get; init; }

    /// <summary>Staff number such as <c>S-0042</c>; empty for the system and for unknown people.</summary>
    public string StaffId { get; init; } = "";

    /// <summary>The act in capitals and underscores, such as <c>VIEW_PATIENT_RECORD</c>.</summary>
    public required string Action { get; init; }

    /// <summary>What was acted on, by opaque id: <c>patient:P-1048370</c>, <c>worklist:triage</c>, <c>search</c>.</summary>
    public required string Resource { get; init; }

    /// <summary>Every patient the act touches, at most <see cref="EntryEncoder.MostPatients"/>; order and repeats do not matter.</summary>
    public IReadOnlyCollection<Guid> Patients { get; init; } = [];

    /// <summary>Names of the fields, such as <c>diagnosis</c>.</summary>
    public IReadOnlyCollection<string> FieldsAccessed { get; init; } = [];

    public string Device { get; init; } = "";

    /// <summary>The department that the device is registered for; empty for any other.</summary>
    public string Department { get; init; } = "";

    public string SessionId { get; init; } = "";

    /// <summary>The purpose under which the policy decided.</summary>
    public string Purpose { get; init; } = "";

    /// <summary>The reason code or text of a refusal or of broken glass.</summary>
    public string Reason { get; init; } = "";

    public AuditOutcome Outcome { get; init; } = AuditOutcome.Allowed;

    public AuditKind Kind { get; init; } = AuditKind.Access;

    /// <summary>How many things the act touched: hits of a search, rows of an export.</summary>
    public int Count { get; init; }

    /// <summary>That the act writes a record, which names this entry (threat A6). An entry without one is noticed.</summary>
    public bool Records { get; init; }
}
