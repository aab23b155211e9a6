using Mangrove.Kernel;

namespace Mangrove.Vault.Glass;

/// <summary>Why somebody opens a record in an emergency: the fixed list.</summary>
public enum GlassReason
{
    /// <summary>None of them: refused.</summary>
    Unchosen = 0,

    LifeAtRisk = 1,

    Unconscious = 2,

    Cover = 3,

    PublicSafety = 4,
}

/// <summary>How an emergency access came to its end.</summary>
public enum GlassEnd
{
    /// <summary>Its sixty minutes were over.</summary>
    Time = 1,

    /// <summary>The person closed it.</summary>
    Closed = 2,

    /// <summary>The screen was locked. A PIN brings the session back, and never the access.</summary>
    Locked = 3,

    /// <summary>The session ended: signed out, account suspended, device revoked, clock set back.</summary>
    SessionEnded = 4,
}

/// <summary>What a review came to.</summary>
public enum GlassOutcome
{
    /// <summary>None of them: refused.</summary>
    Unchosen = 0,

    Appropriate = 1,

    NotAppropriate = 2,

    /// <summary>The justification does not answer the question: another one is due within 24 hours.</summary>
    MoreAsked = 3,
}

/// <summary>What a text was written as.</summary>
public enum GlassWriting
{
    /// <summary>What was happening, when the glass was broken.</summary>
    Reason = 1,

    Justification = 2,

    Review = 3,
}

/// <summary>Where an emergency access stands.</summary>
public enum GlassStanding
{
    /// <summary>The record is open by it now.</summary>
    Open = 1,

    /// <summary>The person owes a justification.</summary>
    Owed = 2,

    /// <summary>No justification came in time: the right is suspended.</summary>
    Overdue = 3,

    /// <summary>Somebody else is to review it.</summary>
    ToReview = 4,

    Reviewed = 5,
}

/// <summary>One emergency access. Nothing of the patient but id and hospital number.</summary>
public sealed record GlassGrant
{
    public required Guid Id { get; init; }

    public required StaffId Staff { get; init; }

    public required string User { get; init; }

    public required string DisplayName { get; init; }

    public required PatientRef Patient { get; init; }

    public required GlassReason Reason { get; init; }

    public required string Device { get; init; }

    public required DateTimeOffset Opened { get; init; }

    /// <summary>When it ends by itself, as the clock stands now.</summary>
    public required DateTimeOffset Until { get; init; }

    /// <summary>When the justification is due, as the clock stands now.</summary>
    public required DateTimeOffset Due { get; init; }

    public required DateTimeOffset? Ended { get; init; }

    public required GlassEnd? EndedBy { get; init; }

    /// <summary>When the newest justification was written; null while one is owed.</summary>
    public required DateTimeOffset? Justified { get; init; }

    /// <summary>When it was found that none had come in time.</summary>
    public required DateTimeOffset? Overdue { get; init; }

    /// <summary>Of the newest review; null before the first and after a new justification was written.</summary>
    public required GlassOutcome? Outcome { get; init; }

    /// <summary>How people name it: the first eight digits of its id.</summary>
    public string Number => Id.ToString("N")[..8];

    public GlassStanding Standing => this switch
    {
        { Ended: null } => GlassStanding.Open,
        { Outcome: GlassOutcome.Appropriate or GlassOutcome.NotAppropriate } => GlassStanding.Reviewed,
        { Justified: not null } => GlassStanding.ToReview,
        { Overdue: not null } => GlassStanding.Overdue,
        _ => GlassStanding.Owed,
    };
}

/// <summary>A text that somebody wrote about an emergency access.</summary>
/// <param name="Kind">As what.</param>
/// <param name="By">Who wrote it.</param>
/// <param name="Written">When.</param>
/// <param name="Outcome">Of a review.</param>
/// <param name="Text">The words; may speak of the patient.</param>
public sealed record GlassText(GlassWriting Kind, string By, DateTimeOffset Written, GlassOutcome? Outcome, string Text)
{
    /// <summary>Nothing: the words are protected.</summary>
    public override string ToString() => nameof(GlassText);
}

/// <summary>What somebody was told, and whether it reached them.</summary>
/// <param name="To">Name of the person, or the address of a letter.</param>
/// <param name="Told">When it was put in: in the same transaction as the access itself.</param>
/// <param name="Received">When the person said that they had seen it, or a server took the letter; null before.</param>
/// <param name="Receipt">What the server of mail said; null for a notice on the screen.</param>
public sealed record GlassNotice(string To, DateTimeOffset Told, DateTimeOffset? Received, string? Receipt);

/// <summary>Everything about one emergency access, for its review.</summary>
public sealed record GlassFile(GlassGrant Grant, IReadOnlyList<GlassText> Texts, IReadOnlyList<GlassNotice> Notices, bool Suspended);

/// <summary>How often somebody broke the glass.</summary>
/// <param name="Staff">Staff number.</param>
/// <param name="DisplayName">Name.</param>
/// <param name="Count">Within the last 30 days.</param>
/// <param name="Overdue">How many of them were not justified in time.</param>
/// <param name="Suspended">Whether the right is suspended now.</param>
public sealed record GlassRate(StaffId Staff, string DisplayName, int Count, int Overdue, bool Suspended)
{
    /// <summary>More than so many within 30 days are looked into.</summary>
    public const int Usual = 5;

    public bool Often => Count > Usual;
}

/// <summary>Who is told of emergency accesses.</summary>
/// <param name="Officers">Accounts that answer for privacy, the active ones.</param>
/// <param name="Told">How many people are told in all: active administrators and officers.</param>
public sealed record GlassRecipients(IReadOnlyList<StaffId> Officers, int Told)
{
    /// <summary>At least two, one of them for privacy.</summary>
    public bool Enough => Told >= 2 && Officers.Count > 0;
}

/// <summary>A record that is open by an emergency access now, as the strip on its pages shows it.</summary>
/// <param name="Id">Of the access.</param>
/// <param name="Reason">Why.</param>
/// <param name="Opened">Since when.</param>
/// <param name="Left">How long still.</param>
public sealed record GlassLive(Guid Id, GlassReason Reason, DateTimeOffset Opened, TimeSpan Left);
