namespace Mangrove.Vault.Holds;

/// <summary>
/// What time it is, told by two witnesses beside the clock on the wall (threats D5). A witness is a row of marks that were made
/// while the hospital worked; time counts as far as the marks stand close to each other. A clock that jumps forward leaves a
/// gap, and of a gap only so much counts as the witness may be silent. So a jump makes nothing due, and a server that was
/// switched off for a year is a year late, which destroys nothing too early.
/// </summary>
/// <param name="Wall">The clock on the wall.</param>
/// <param name="Log">By the signed entries of the counting of retention; null before the first.</param>
/// <param name="Backups">By the history of backups that succeeded; null before the first.</param>
public sealed record WitnessedTime(DateTimeOffset Wall, DateTimeOffset? Log, DateTimeOffset? Backups)
{
    /// <summary>Of a longer silence in the log only this counts. The counting runs every six hours.</summary>
    public static readonly TimeSpan LongestInLog = TimeSpan.FromHours(72);

    /// <summary>Of a longer time without a backup only this counts. The longest schedule is a week.</summary>
    public static readonly TimeSpan LongestBetweenBackups = TimeSpan.FromDays(8);

    /// <summary>The earliest of the three, which all of them have seen pass; null while a witness is missing.</summary>
    public DateTimeOffset? Agreed => Log is { } log && Backups is { } backups ? Least(Wall, Least(log, backups)) : null;

    /// <summary>How much time passed by marks, counted from the first. Marks are given in the order in which they were made.</summary>
    /// <param name="marks">Times as the wall clock stood when each was made.</param>
    /// <param name="longest">Of a longer gap only this counts. A step backwards counts as nothing.</param>
    /// <returns>The time up to which the marks witness; null without marks.</returns>
    public static DateTimeOffset? Of(IEnumerable<DateTimeOffset> marks, TimeSpan longest)
    {
        ArgumentNullException.ThrowIfNull(marks);
        DateTimeOffset? stand = null;
        var last = DateTimeOffset.MinValue;
        foreach (var mark in marks)
        {
            if (stand is not { } so)
            {
                stand = mark;
            }
            else if (mark > last)
            {
                stand = so + Least(mark - last, longest);
            }

            last = mark;
        }

        return stand;
    }

    private static DateTimeOffset Least(DateTimeOffset one, DateTimeOffset other) => one < other ? one : other;

    private static TimeSpan Least(TimeSpan one, TimeSpan other) => one < other ? one : other;
}
