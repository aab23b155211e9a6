namespace Mangrove.Tests.Acceptance.Day;

/// <summary>The system's clock, ahead by as much as a test has let pass; both clocks of it. What waits for a time waits as ever.</summary>
internal sealed class AheadClock : TimeProvider
{
    private long ahead;

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + TimeSpan.FromTicks(Interlocked.Read(ref ahead));

    public override long GetTimestamp() => base.GetTimestamp() + (long)(TimeSpan.FromTicks(Interlocked.Read(ref ahead)).TotalSeconds * TimestampFrequency);

    public void Pass(TimeSpan time) => Interlocked.Add(ref ahead, time.Ticks);
}
