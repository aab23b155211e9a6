using System.Globalization;
using Mangrove.Kernel;

namespace Mangrove.Clinic;

/// <summary>
/// When something happened that is written down: now, or earlier, where it was kept on paper for the time of a downtime. Both times are
/// stored then, and every page that shows it says that it is a late entry.
/// </summary>
/// <param name="At">When it happened.</param>
/// <param name="Recorded">When it was written down, for a late entry; null where that is the same moment.</param>
public readonly record struct LateEntry(DateTimeOffset At, DateTimeOffset? Recorded)
{
    /// <summary>How far back an entry may lie. What is older goes into a note with its time in the text.</summary>
    public static TimeSpan Longest { get; } = TimeSpan.FromHours(72);

    /// <summary>Reads the field "This happened at": date and time of the hospital's own clock to the minute, or nothing for now.</summary>
    /// <returns>Both times, or <c>late.time</c> (no date and time), <c>late.future</c>, <c>late.too-old</c>.</returns>
    public static Result<LateEntry> Read(string? typed, TimeProvider clock)
    {
        var now = clock.GetUtcNow();
        if (string.IsNullOrWhiteSpace(typed))
        {
            return new LateEntry(now, null);
        }

        if (!DateTime.TryParseExact(typed.Trim(), ["yyyy-MM-dd'T'HH:mm", "yyyy-MM-dd'T'HH:mm:ss"], CultureInfo.InvariantCulture, DateTimeStyles.None, out var local) || clock.LocalTimeZone.IsInvalidTime(local))
        {
            return new Error("late.time", "Give the date and the time at which it happened, or leave the field empty for now.");
        }

        var at = new DateTimeOffset(local, clock.LocalTimeZone.GetUtcOffset(local)).ToUniversalTime();
        return at > now ? new Error("late.future", "It cannot have happened in the future. Correct the time, or leave the field empty for now.")
            : now - at > Longest ? new Error("late.too-old", "It is more than 72 hours ago. Leave the field empty, and write the time into the text.")
            : new LateEntry(at, now);
    }
}
