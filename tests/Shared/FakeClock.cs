namespace Mangrove.Tests.Shared;

/// <summary>
/// A clock that stands still until a test moves it: the wall clock and the monotonic clock together, or each alone, as
/// when somebody sets the wall clock or a machine sleeps.
/// </summary>
public sealed class FakeClock : TimeProvider
{
    private readonly Lock gate = new();
    private DateTimeOffset wall = new(2026, 3, 2, 8, 0, 0, TimeSpan.Zero);
    private long ticks = TimeSpan.TicksPerDay;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow()
    {
        lock (gate)
        {
            return wall;
        }
    }

    public override long GetTimestamp()
    {
        lock (gate)
        {
            return ticks;
        }
    }

    /// <summary>Time passes.</summary>
    public void Pass(TimeSpan time)
    {
        SetWall(time);
        PassMonotonic(time);
    }

    /// <summary>The wall clock alone moves, forwards or back.</summary>
    public void SetWall(TimeSpan by)
    {
        lock (gate)
        {
            wall += by;
        }
    }

    /// <summary>The monotonic clock alone moves.</summary>
    public void PassMonotonic(TimeSpan time)
    {
        lock (gate)
        {
            ticks += time.Ticks;
        }
    }
}
