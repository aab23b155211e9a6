namespace Mangrove.Web.Parts;

/// <summary>What the timeline tells: the story so far, oldest on the left.</summary>
public sealed record Story(
    DateOnly Today,
    IReadOnlyList<StorySpan> Problems,
    IReadOnlyList<StoryMoment> Medicines,
    IReadOnlyList<StoryEvent> Events,
    IReadOnlyList<DateOnly> Visits);

/// <summary>A problem from its start to its end, or to today.</summary>
public sealed record StorySpan(string Text, DateOnly From, DateOnly? Until = null);

/// <summary>Something that began on a day.</summary>
public sealed record StoryMoment(string Text, DateOnly On);

/// <summary>Something that happened; a danger is drawn red with two marks.</summary>
public sealed record StoryEvent(string Text, DateOnly On, StoryEventKind Kind);

public enum StoryEventKind
{
    Illness,
    Admission,
    Danger,
}
