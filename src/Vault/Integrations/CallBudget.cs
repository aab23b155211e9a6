using System.Collections.Concurrent;

namespace Mangrove.Vault.Integrations;

/// <summary>
/// How often somebody may ask: a bucket of calls that fills again with time. It is kept in memory, because it guards the
/// machine and not a secret: nothing that it limits can be guessed.
/// </summary>
/// <param name="most">Calls at once after a rest.</param>
/// <param name="every">After so long one call more.</param>
/// <param name="clock">The time.</param>
internal sealed class CallBudget(int most, TimeSpan every, TimeProvider clock)
{
    // Beyond this many callers the unknown ones share one bucket: memory stays bounded, whoever is known is not shut out.
    private const int MostCallers = 10_000;

    private readonly ConcurrentDictionary<string, Bucket> buckets = new(StringComparer.Ordinal);

    /// <summary>Takes one call. Null when it may go on, else how long to wait.</summary>
    public TimeSpan? Take(string caller)
    {
        var now = clock.GetTimestamp();
        if (!buckets.TryGetValue(caller, out var bucket))
        {
            if (buckets.Count >= MostCallers)
            {
                Forget(now);
            }

            bucket = buckets.GetOrAdd(buckets.Count >= MostCallers ? string.Empty : caller, _ => new Bucket(most, now));
        }

        lock (bucket)
        {
            bucket.Calls = Full(bucket, now);
            bucket.Seen = now;
            if (bucket.Calls < 1)
            {
                return every * (1 - bucket.Calls);
            }

            bucket.Calls--;
            return null;
        }
    }

    private double Full(Bucket bucket, long now) => Math.Min(most, bucket.Calls + Math.Max(0, clock.GetElapsedTime(bucket.Seen, now) / every));

    private void Forget(long now)
    {
        foreach (var (caller, bucket) in buckets)
        {
            lock (bucket)
            {
                if (Full(bucket, now) >= most)
                {
                    buckets.TryRemove(caller, out _);
                }
            }
        }
    }

    private sealed class Bucket(double calls, long seen)
    {
        public double Calls { get; set; } = calls;

        public long Seen { get; set; } = seen;
    }
}
