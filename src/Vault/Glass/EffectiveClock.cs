using System.Data.Common;

namespace Mangrove.Vault.Glass;

/// <summary>
/// The hospital's own time, which never goes back (threats S6): it goes on by whichever passed more, the clock on the wall or
/// the one that only counts, and its stand is kept. Whoever sets the clock back gains nothing by it; whoever sets it forward
/// makes what is due fall due sooner. In milliseconds; where nobody ever set the clock it is Unix time.
/// </summary>
/// <remarks>What a start cannot know: a clock that was set back while nothing ran. Then the time that nothing ran does not count.</remarks>
internal sealed class EffectiveClock(Store store, TimeProvider clock)
{
    private readonly Lock gate = new();
    private bool loaded;
    private long stand;
    private long wall;
    private long ticks;
    private long highest;

    /// <summary>The time now. MUST NOT be asked before <see cref="Load"/>.</summary>
    public long Now
    {
        get
        {
            lock (gate)
            {
                if (!loaded)
                {
                    throw new InvalidOperationException("The stand of the hospital's own time was not read yet.");
                }

                var byWall = clock.GetUtcNow().ToUnixTimeMilliseconds() - wall;
                var byTicks = (long)clock.GetElapsedTime(ticks).TotalMilliseconds;
                return highest = Math.Max(highest, stand + Math.Max(0, Math.Max(byWall, byTicks)));
            }
        }
    }

    /// <summary>When a moment of this time will be, as the clock on the wall stands now.</summary>
    public DateTimeOffset OnTheWall(long moment) => clock.GetUtcNow() + TimeSpan.FromMilliseconds(moment - Now);

    /// <summary>Goes on from the stand that was kept.</summary>
    public async Task Load(CancellationToken cancel)
    {
        await using var connection = await store.Open(cancel);
        var (kept, at) = await Kept(connection, cancel);
        var now = clock.GetUtcNow().ToUnixTimeMilliseconds();
        lock (gate)
        {
            (stand, wall, ticks, loaded) = (kept + Math.Max(0, now - at), now, clock.GetTimestamp(), true);
            highest = Math.Max(highest, stand);
        }
    }

    /// <summary>Keeps the stand; takes over that of another server which is ahead.</summary>
    public async Task Keep(DbConnection connection, CancellationToken cancel)
    {
        var now = Now;
        var onWall = clock.GetUtcNow().ToUnixTimeMilliseconds();
        if (await connection.Run("UPDATE effective_clock SET stand = @now, wall = @wall WHERE id = 1 AND stand <= @now", cancel, ("@now", now), ("@wall", onWall)) == 0)
        {
            var (kept, _) = await Kept(connection, cancel);
            now = Math.Max(now, kept);
        }

        lock (gate)
        {
            // Counted on from here: what both clocks differ by over months must not add up.
            (stand, wall, ticks) = (Math.Max(now, highest), onWall, clock.GetTimestamp());
        }
    }

    private static async Task<(long Stand, long Wall)> Kept(DbConnection connection, CancellationToken cancel) =>
        (await connection.Query("SELECT stand, wall FROM effective_clock WHERE id = 1", row => (row.GetInt64(0), row.GetInt64(1)), cancel)).FirstOrDefault();
}
