namespace Mangrove.Tests.Clinic;

/// <summary>
/// A clock at whose first reading something happens to its end: between what a use case has looked up by then and what it
/// does next.
/// </summary>
internal sealed class Meanwhile(TimeProvider clock, Func<Task> happens) : TimeProvider
{
    private int readings;

    public override DateTimeOffset GetUtcNow()
    {
        if (Interlocked.Increment(ref readings) == 1)
        {
            Task.Run(happens).GetAwaiter().GetResult();
        }

        return clock.GetUtcNow();
    }
}
