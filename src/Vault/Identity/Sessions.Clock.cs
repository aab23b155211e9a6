namespace Mangrove.Vault.Identity;

/// <summary>What a clock that was set back does to sessions (threats S6).</summary>
public sealed partial class Sessions
{
    /// <summary>
    /// Compares the wall clock with its highest mark, and raises the mark. A clock that fell back by more than the
    /// tolerance says nothing about ages: every session ends, and counting starts again at the new time.
    /// </summary>
    internal async Task WatchClock(CancellationToken cancel)
    {
        if (!loaded)
        {
            await turn.WaitAsync(cancel);
            try
            {
                await using var connection = await store.Open(cancel);
                await Load(connection, cancel);
            }
            finally
            {
                turn.Release();
            }
        }

        var now = clock.GetUtcNow().ToUnixTimeMilliseconds();
        var seen = Interlocked.Read(ref mark);
        if (now < seen - (long)rules.Now.ClockTolerance.TotalMilliseconds)
        {
            await Change(change => EndByClock(change, cancel), cancel);
            return;
        }

        while (now > seen)
        {
            var before = Interlocked.CompareExchange(ref mark, now, seen);
            if (before == seen)
            {
                break;
            }

            seen = before;
        }

        var stored = Interlocked.Read(ref markStored);
        if (now - stored >= (long)MarkEvery.TotalMilliseconds && Interlocked.CompareExchange(ref markStored, now, stored) == stored)
        {
            await using var connection = await store.Open(cancel);
            await connection.Run("UPDATE clock_mark SET wall = @now WHERE id = 1 AND wall < @now", cancel, ("@now", now));
            await connection.Run("DELETE FROM session WHERE revoked < @old", cancel, ("@old", now - (long)Remembered.TotalMilliseconds));
        }
    }

    private async Task<bool> EndByClock(SessionChange change, CancellationToken cancel)
    {
        var now = clock.GetUtcNow().ToUnixTimeMilliseconds();
        if (now >= Interlocked.Read(ref mark) - (long)rules.Now.ClockTolerance.TotalMilliseconds)
        {
            change.Keep = false;
            return false;
        }

        foreach (var session in live.Values)
        {
            await change.End(session, SessionEnd.ClockSetBack, null, cancel);
        }

        await change.Connection.Run("UPDATE clock_mark SET wall = @now WHERE id = 1", cancel, ("@now", now));
        change.AfterCommit = () =>
        {
            Interlocked.Exchange(ref mark, now);
            Interlocked.Exchange(ref markStored, now);
        };
        return true;
    }
}
