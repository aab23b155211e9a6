using Mangrove.Kernel;

namespace Mangrove.Vault.Incidents;

/// <summary>What happened.</summary>
public enum IncidentKind
{
    /// <summary>None of them: refused.</summary>
    Unchosen = 0,

    StolenDevice = 1,
    StolenCredential = 2,
    StaffMisuse = 3,
    LostPaper = 4,
    Malware = 5,
    ForeignProgram = 6,
    Other = 7,
}

/// <summary>How far the answer to an incident has come: follows from what was done, and is stored nowhere but for the last.</summary>
public enum IncidentState
{
    Open = 1,
    Contained = 2,
    Assessed = 3,
    Notified = 4,
    Reviewed = 5,
    Closed = 6,
}

/// <summary>The steps of every incident. Each ticks itself when what it asks for was done, or is waived by somebody else with a reason.</summary>
public enum IncidentStep
{
    /// <summary>A privacy officer, or another administrator where none is named, has said that they have seen it.</summary>
    Tell = 1,

    /// <summary>Sessions ended, tokens and enrolments revoked, accounts frozen.</summary>
    Contain = 2,

    /// <summary>The keys that somebody may have are rotated to the end.</summary>
    RotateKeys = 3,

    /// <summary>A verified copy of the log lies under the incident's number.</summary>
    KeepLog = 4,

    /// <summary>Which patients, which fields, when, by whom: asked of the log.</summary>
    Impact = 5,

    /// <summary>The four factors of 45 CFR 164.402(2) are judged.</summary>
    Risk = 6,

    /// <summary>What was owed to patients and authorities was sent.</summary>
    Notify = 7,

    /// <summary>What is learned from it is written, and what was to be done about it is done.</summary>
    Review = 8,
}

/// <summary>What was contained.</summary>
public enum TargetKind
{
    Account = 1,
    Device = 2,
    Program = 3,
}

/// <summary>What the four factors came to (45 CFR 164.402(2)).</summary>
public enum RiskFound
{
    /// <summary>Not judged yet: a breach is presumed.</summary>
    None = 0,

    /// <summary>A breach: those affected are told.</summary>
    Breach = 1,

    /// <summary>A low probability that anything was compromised. Holds only when a second person says so too.</summary>
    Low = 2,
}

/// <summary>To whom a notice went.</summary>
public enum NoticeTo
{
    Unchosen = 0,
    Patients = 1,
    Authority = 2,
    Media = 3,
    Associate = 4,
}

/// <summary>How a notice went.</summary>
public enum NoticeWay
{
    Unchosen = 0,
    Post = 1,
    Mail = 2,
    Telephone = 3,
    Portal = 4,
    Handed = 5,
    Public = 6,
}

/// <summary>What a text of an incident was written as.</summary>
public enum IncidentWriting
{
    Remark = 1,
    Impact = 2,
    Waiver = 3,
    Nature = 4,
    Person = 5,
    Acquired = 6,
    Mitigation = 7,
    Review = 8,
    Action = 9,
}

/// <summary>One incident. No word that anybody wrote, nothing of a patient.</summary>
public sealed record Incident
{
    public required Guid Id { get; init; }

    /// <summary>How people name it: counts from 1 in each hospital.</summary>
    public required int Number { get; init; }

    public required IncidentKind Kind { get; init; }

    /// <summary>When the hospital came to know of it.</summary>
    public required DateTimeOffset Known { get; init; }

    /// <summary>The day on which a member of staff or an agent knew already; null where that is no earlier.</summary>
    public required DateOnly? AgentKnew { get; init; }

    public required DateTimeOffset Opened { get; init; }

    public required StaffId OpenedBy { get; init; }

    /// <summary>Who answers for it.</summary>
    public required StaffId Lead { get; init; }

    /// <summary>The entry of the log that the watch found; null where it began otherwise.</summary>
    public required long? Finding { get; init; }

    public required DateTimeOffset? Contained { get; init; }

    /// <summary>Entries of the log at the containment, whose root was written down then.</summary>
    public required long? LogSize { get; init; }

    /// <summary>When the copy of the log was whole and verified.</summary>
    public required DateTimeOffset? LogKept { get; init; }

    /// <summary>SHA-256 of that copy in hexadecimal.</summary>
    public required string? LogHash { get; init; }

    public required RiskFound Risk { get; init; }

    public required StaffId? RiskBy { get; init; }

    /// <summary>Who else says that the probability is low.</summary>
    public required StaffId? RiskConfirmedBy { get; init; }

    /// <summary>How many patients are affected, as judged; null before.</summary>
    public required int? Affected { get; init; }

    /// <summary>Residents of the state or country with the most of them.</summary>
    public required int? InOneState { get; init; }

    public required DateTimeOffset? Reviewed { get; init; }

    public required DateTimeOffset? Closed { get; init; }

    public required StaffId? ClosedBy { get; init; }

    /// <summary>The name of its folder and the name in the log.</summary>
    public string Name => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"incident:{Number}");

    /// <summary>Whether somebody other than who judged it agrees that nobody has to be told.</summary>
    public bool NothingOwed => Risk == RiskFound.Low && RiskConfirmedBy is not null;

    /// <summary>Whether the four factors stand: a breach by one person, a low probability by two.</summary>
    public bool IsJudged => Risk == RiskFound.Breach || NothingOwed;
}

/// <summary>Where one step stands.</summary>
/// <param name="Step">Which.</param>
/// <param name="Done">Whether what it asks for was done.</param>
/// <param name="Figures">What was counted: figures and dates, no name of a patient.</param>
/// <param name="WaivedBy">Who waived it; null where nobody did.</param>
public sealed record StepStanding(IncidentStep Step, bool Done, string Figures, StaffId? WaivedBy)
{
    public bool Settled => Done || WaivedBy is not null;
}

/// <summary>A text of an incident, as somebody wrote it; may speak of a patient.</summary>
public sealed record IncidentText(Guid Id, IncidentWriting Kind, StaffId By, DateTimeOffset Written, string Text)
{
    /// <summary>Nothing: the words are protected.</summary>
    public override string ToString() => nameof(IncidentText);
}

/// <summary>Who was told on the screen, and whether they said that they have seen it.</summary>
public sealed record IncidentNotice(StaffId To, bool Officer, DateTimeOffset Told, DateTimeOffset? Seen);

/// <summary>What was contained: a user name, a device or a program.</summary>
public sealed record IncidentTarget(TargetKind Kind, string Name, DateTimeOffset At, StaffId By, string Outcome);

/// <summary>A key that was to be rotated.</summary>
/// <param name="Purpose">As the page Keys names it.</param>
/// <param name="Version">The version that the rotation began with; null while it could not begin.</param>
/// <param name="Asked">When it was asked for.</param>
/// <param name="Ended">When no older version opened anything any more.</param>
public sealed record IncidentKey(string Purpose, int? Version, DateTimeOffset Asked, DateTimeOffset? Ended);

/// <summary>One question to the log with its sealed answer.</summary>
public sealed record IncidentImpact(Guid Id, DateTimeOffset Made, StaffId By, string Question, string Hash, long LogSize, int Patients, long Acts, int Everybody);

/// <summary>A notice that was sent: the accounting of 45 CFR 164.414(b).</summary>
public sealed record IncidentSent(NoticeTo To, int People, DateOnly Day, NoticeWay Way, DateTimeOffset At, StaffId By);

/// <summary>Something that is to be done about it.</summary>
public sealed record IncidentAction(Guid Id, StaffId Owner, DateOnly Due, DateTimeOffset? Done);

/// <summary>Everything about an incident.</summary>
public sealed record IncidentFile(
    Incident Incident,
    IReadOnlyList<IncidentText> Texts,
    IReadOnlyList<IncidentNotice> Notices,
    IReadOnlyList<IncidentTarget> Targets,
    IReadOnlyList<IncidentKey> Keys,
    IReadOnlyList<IncidentImpact> Impacts,
    IReadOnlyList<IncidentSent> Sent,
    IReadOnlyList<IncidentAction> Actions,
    IReadOnlyList<StepStanding> Steps)
{
    public IncidentState State => IncidentSteps.State(Incident, Steps);
}
