namespace Mangrove.Vault.Watching;

/// <summary>One rule over the log: what it looks for, in words.</summary>
/// <param name="Id">Stable, as it stands in the log and in addresses.</param>
/// <param name="Title">What was seen, in a few words.</param>
/// <param name="Words">When it is found.</param>
public sealed record WatchRule(string Id, string Title, string Words);

/// <summary>Every rule that there is: one list, for pages, the log and documents (docs/operations/watching.md).</summary>
public static class WatchRules
{
    public const string OwnRecord = "own-record";
    public const string SameFamily = "same-family";
    public const string Colleague = "colleague";
    public const string Vip = "vip";
    public const string Honeytoken = "honeytoken";
    public const string ManyPatients = "many-patients";
    public const string Department = "department";
    public const string Hours = "hours";
    public const string Refusals = "refusals";

    public static IReadOnlyList<WatchRule> All { get; } =
    [
        new(Honeytoken, "Opened a decoy", "Somebody opened the record of a patient who does not exist and was put there to be found."),
        new(OwnRecord, "Opened their own record", "The reader's full name is the patient's."),
        new(Vip, "Opened a guarded record", "The patient is on the list of guarded records, and the reader has written nothing for them in 30 days."),
        new(Colleague, "Opened a colleague's record", "The patient's full name is that of another member of staff, and the reader has written nothing for them in 30 days."),
        new(SameFamily, "Opened the record of somebody of their own family name", "The reader has written nothing for the patient in 30 days, and the patient is in no queue or the name is rare here (one patient in 2,000)."),
        new(ManyPatients, "Opened very many records", "More than 60 different patients within an hour."),
        new(Department, "Looked from another department", "From a device of a department that is not their own and in which they have not worked in 28 days."),
        new(Hours, "Looked outside their hours", "In an hour of the day in or near which they have worked on none of at least ten days of the last 28."),
        new(Refusals, "Was refused again and again", "Five acts on records were refused within ten minutes."),
    ];

    public static WatchRule? Of(string id) => All.FirstOrDefault(rule => rule.Id == id);
}

/// <summary>The figures of the rules.</summary>
internal sealed record WatchLimits
{
    public int PatientsInAnHour { get; init; } = 60;

    public int RefusalsInTenMinutes { get; init; } = 5;

    /// <summary>A name is rare when no more than one patient in so many has it.</summary>
    public int RareName { get; init; } = 2_000;

    /// <summary>Days of work that must be known of a person before an hour can be unusual.</summary>
    public int DaysToKnow { get; init; } = 10;

    /// <summary>What people did so long ago no longer says what is usual.</summary>
    public TimeSpan Usual { get; init; } = TimeSpan.FromDays(28);

    /// <summary>Who wrote for a patient within this time looks at their own work.</summary>
    public TimeSpan Involved { get; init; } = TimeSpan.FromDays(30);

    /// <summary>The same thing is said once within this time.</summary>
    public TimeSpan Again { get; init; } = TimeSpan.FromDays(1);
}

/// <summary>What a record is guarded as.</summary>
public enum WatchFlag
{
    None = 0,

    /// <summary>Every look by somebody who has not written for the patient is told.</summary>
    Vip = 1,

    /// <summary>Nobody has a reason to open it.</summary>
    Honeytoken = 2,
}

/// <summary>What two names have to do with each other. Says nothing of the names.</summary>
[Flags]
internal enum NameTie
{
    None = 0,
    SameFamily = 1,

    /// <summary>The patient's family name is rare here.</summary>
    Rare = 2,

    /// <summary>The reader's full name is the patient's.</summary>
    Self = 4,

    /// <summary>Another member of staff's full name is the patient's.</summary>
    Colleague = 8,
}

/// <summary>What the judge asks about people.</summary>
internal interface IWatchedPeople
{
    /// <summary>Whether it is a member of staff, and their department; null for programs and the system.</summary>
    (bool Known, string? Department) Staff(string user);

    NameTie Tie(string user, Guid patient);

    WatchFlag Flag(Guid patient);

    /// <summary>Whether the same was looked at by a person already and found to be in order.</summary>
    bool Excused(string user, Guid? patient, string rule);
}

/// <summary>What one entry gave rise to.</summary>
/// <param name="Rule">Of <see cref="WatchRules"/>.</param>
/// <param name="Detail">Figures only.</param>
internal readonly record struct Suspicion(string Rule, string Detail);
