namespace Mangrove.Vault.Audit;

/// <summary>
/// One entry as people and scripts read it. Times are UTC to the millisecond as the server's clock showed them; a clock
/// set back shows, because <see cref="Seq"/> is the order. Texts are escaped: a backslash begins <c>\u{…}</c> for an
/// unprintable character, <c>\\</c> for itself, or <c>\+n</c> for n characters cut off.
/// </summary>
public sealed record AuditEntry(
    long Seq,
    DateTimeOffset Timestamp,
    string Actor,
    string StaffId,
    string Action,
    string Resource,
    IReadOnlyList<string> FieldsAccessed,
    string Device,
    string Department,
    string SessionId,
    string Purpose,
    string Reason,
    AuditOutcome Outcome,
    AuditKind Kind,
    int Count,
    IReadOnlyList<Guid> Patients,
    Guid Facility,
    Guid LogId,
    Guid Boot,
    ReadOnlyMemory<byte> PrevHash,
    ReadOnlyMemory<byte> EntryHash)
{
    /// <summary>Whether a record was to follow. False in entries of before November 2026, which did not say.</summary>
    public bool Records { get; init; }
}

/// <summary>Which entries to list. Every part that is set must hold.</summary>
public sealed record AuditFilter
{
    /// <summary>Entries whose act touched this patient.</summary>
    public Guid? Patient { get; init; }

    /// <summary>Entries of this user name.</summary>
    public string? Actor { get; init; }

    /// <summary>Entries of this act, such as <c>VIEW_PATIENT_RECORD</c>.</summary>
    public string? Action { get; init; }

    /// <summary>Entries that ended so.</summary>
    public AuditOutcome? Outcome { get; init; }

    /// <summary>Entries at this device: its whole name, or what follows <c>address:</c>; no index knows it (<see cref="Examine"/>).</summary>
    public string? Device { get; init; }

    /// <summary>Entries for this purpose, by its name; no index knows it (<see cref="Examine"/>).</summary>
    public string? Purpose { get; init; }

    /// <summary>How many entries, found by what the indexes know, are looked at for what they do not know; null for all.</summary>
    public int? Examine { get; init; }

    /// <summary>Entries at or after this time.</summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary>Entries before this time.</summary>
    public DateTimeOffset? Until { get; init; }

    /// <summary>Only sequence numbers below this one (newest first) or above it (oldest first): the next page.</summary>
    public long? Beyond { get; init; }

    /// <summary>Newest first, or oldest first.</summary>
    public bool NewestFirst { get; init; } = true;

    /// <summary>Most entries to give; null for all.</summary>
    public int? Most { get; init; }

    internal bool Narrows => Device is not null || Purpose is not null;

    internal bool Fits(AuditEntry entry) =>
        (Device is null || entry.Device.Equals(Device, StringComparison.OrdinalIgnoreCase) || entry.Device.EndsWith(":" + Device, StringComparison.OrdinalIgnoreCase))
        && (Purpose is null || entry.Purpose.Equals(Purpose, StringComparison.OrdinalIgnoreCase));
}
