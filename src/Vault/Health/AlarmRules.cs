using System.Globalization;
using Mangrove.Vault.Glass;

namespace Mangrove.Vault.Health;

/// <summary>Who gets letters. Each list has addresses of its own.</summary>
[Flags]
public enum MailAudience
{
    /// <summary>Nobody.</summary>
    None = 0,

    /// <summary>Those who look after the machine.</summary>
    Administrators = 1,

    /// <summary>Whoever answers for privacy in this hospital.</summary>
    PrivacyOfficer = 2,
}

/// <summary>One rule: when it is an alarm, and who is told.</summary>
/// <param name="Id">Stable, as it stands in the log and in letters.</param>
/// <param name="Title">What is wrong, in a few words.</param>
/// <param name="Limit">The limit, in words.</param>
/// <param name="Advice">What to do.</param>
/// <param name="Audience">Who gets a letter.</param>
/// <param name="Judge">Null while it is well; else the figure that is wrong. ONLY figures and names of our own: it goes by mail.</param>
public sealed record AlarmRule(string Id, string Title, string Limit, string Advice, MailAudience Audience, Func<HealthFacts, string?> Judge);

/// <summary>Every alarm that there is: one list, for pages, letters and the log.</summary>
public static class AlarmRules
{
    /// <summary>The part of the volume below which it is an alarm.</summary>
    public const double LeastFree = SpaceWatch.LowBelow;

    /// <summary>A proof of a restore that is older is stale (threats B7).</summary>
    public static readonly TimeSpan DrillLimit = TimeSpan.FromDays(8);

    /// <summary>A clock may differ by so much.</summary>
    public static readonly TimeSpan ClockSlack = TimeSpan.FromMinutes(2);

    /// <summary>So many wrong sign-ins within an hour are more than slips of the hand.</summary>
    public const long MostWrongSignIns = 50;

    /// <summary>The log stands first: what cannot be written there is said all the same.</summary>
    public static IReadOnlyList<AlarmRule> All { get; } =
    [
        new(Log, "The audit log cannot be written", "entries can be made", "Nothing is shown until it can. Look at the disk, then restart the server.", MailAudience.Administrators | MailAudience.PrivacyOfficer, facts => facts.LogFailure),
        new("space", "Little space is left", "20 % of the volume free", "Free some: without room for the log every record stays shut.", MailAudience.Administrators,
            facts => facts.Size > 0 && facts.FreePart < LeastFree ? Text($"{facts.FreePart:P0} free") : null),
        new("backup", "The backup is overdue", "twice the time of its target", "Look at the page Backups: is the target connected?", MailAudience.Administrators,
            facts => !facts.BackupOverdue ? null : facts.BackupAge is { } age ? $"the last is {Age(age)} old" : "there is none"),
        new("drill", "No fresh proof that a backup can be restored", "a restore proven within 8 days", "Start a drill on the page Backups.", MailAudience.Administrators,
            facts => facts.BackupAge is null ? null : facts.DrillAge is not { } age ? "none was proven yet" : age > DrillLimit ? $"the last is {Age(age)} old" : null),
        new("keys", "A key is past its schedule", "rotated when it is due", "Look at the page Keys: what keeps the rotation?", MailAudience.Administrators,
            facts => facts.KeysOverdue.Count > 0 ? string.Join(", ", facts.KeysOverdue) : null),
        new("certificates", "A certificate runs out", "server 14 days, clients 14 days, authority a year", "Restart the server for its own; sign the next one of a client.", MailAudience.Administrators,
            facts => string.Join(", ", facts.Certificates.Where(one => one.Ends - facts.At < one.Soon).Select(one => $"{one.Name} {Left(one.Ends - facts.At)}")) is { Length: > 0 } soon ? soon : null),
        new("clock", "The clock of the server jumped", "2 minutes", "Set it right, and look why: signatures, sessions and backups rest on it.", MailAudience.Administrators,
            facts => facts.ClockOff > ClockSlack ? $"by {Age(facts.ClockOff)}" : null),
        new("sign-in", "Many wrong sign-ins", Text($"{MostWrongSignIns} wrong ones within an hour"), "Look at Refused on the page Trust and in the audit log: where do they come from?", MailAudience.Administrators | MailAudience.PrivacyOfficer,
            facts => facts.WrongSignIns >= MostWrongSignIns ? Text($"{facts.WrongSignIns} within an hour") : null),
        new("watch", "Accesses to records wait to be judged", "none waits", "Look at the page Watch: what was seen, and was it in order?", MailAudience.Administrators | MailAudience.PrivacyOfficer,
            facts => facts.FindingsWaiting > 0 ? Text($"{facts.FindingsWaiting} wait") : null),
        new("letters", "Letters are not delivered", "one hour", "Look at Letters on the page Mail: the last answer of the server stands there.", MailAudience.None,
            facts => facts.LettersLate > 0 ? Text($"{facts.LettersLate} wait") : null),
        new("glass-overdue", "An emergency access was not justified in time", "24 hours", "Review it on the page Privacy, then lift the suspension or keep it.", MailAudience.Administrators | MailAudience.PrivacyOfficer,
            facts => facts.GlassSuspended > 0 ? Text($"{facts.GlassSuspended} {(facts.GlassSuspended == 1 ? "person" : "people")} suspended") : null),
        new("glass-often", "Emergency access is used often", Text($"{GlassRate.Usual} times within 30 days by one person"), "Look at the rates on the page Privacy: should these patients have been in care?", MailAudience.Administrators | MailAudience.PrivacyOfficer,
            facts => facts.GlassMost > GlassRate.Usual ? Text($"{facts.GlassMost} times within 30 days by one person") : null),
        new("incident", "A notice of a breach is due", "a week before the day, the authority's a day before", "Look at the page Incidents: who is still to be told?", MailAudience.Administrators | MailAudience.PrivacyOfficer,
            facts => facts.IncidentsDue > 0 ? Text($"{facts.IncidentsDue} open") : null),
    ];

    internal const string Log = "log";

    /// <summary>An age in words: 3 days, 5 h, 12 min.</summary>
    public static string Age(TimeSpan age) => age switch
    {
        { TotalDays: >= 2 } => Text($"{(int)age.TotalDays} days"),
        { TotalHours: >= 2 } => Text($"{(int)age.TotalHours} h"),
        _ => Text($"{Math.Max(0, (int)age.TotalMinutes)} min"),
    };

    private static string Left(TimeSpan left) => left < TimeSpan.Zero ? "has run out" : $"in {Age(left)}";

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
