namespace Mangrove.Vault.Health;

/// <summary>
/// Finds that somebody set the clock: the clock on the wall and the one that only counts pass the same time between two
/// looks, and what they differ by is what the first was set by. Shown for an hour: at the next look both agree again.
/// </summary>
public sealed class ClockWatch
{
    private static readonly TimeSpan Shown = TimeSpan.FromHours(1);

    private readonly TimeProvider clock;
    private readonly Lock gate = new();
    private DateTimeOffset wall;
    private long ticks;
    private (TimeSpan By, long At)? jump;

    public ClockWatch(TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(clock);
        this.clock = clock;
        wall = clock.GetUtcNow();
        ticks = clock.GetTimestamp();
    }

    /// <summary>By how much it was set within the last hour; zero where it was not, or by less than the slack.</summary>
    public TimeSpan Off
    {
        get
        {
            lock (gate)
            {
                return jump is { } set && clock.GetElapsedTime(set.At) < Shown ? set.By : TimeSpan.Zero;
            }
        }
    }

    /// <summary>Looks at both clocks.</summary>
    public void Look()
    {
        lock (gate)
        {
            var (wallNow, ticksNow) = (clock.GetUtcNow(), clock.GetTimestamp());
            var off = (wallNow - wall - clock.GetElapsedTime(ticks, ticksNow)).Duration();
            jump = off > AlarmRules.ClockSlack ? (off, ticksNow) : jump;
            (wall, ticks) = (wallNow, ticksNow);
        }
    }
}
