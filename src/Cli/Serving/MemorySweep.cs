using System.Buffers;
using Mangrove.Vault.Identity;
using Microsoft.Extensions.Hosting;

namespace Mangrove.Cli.Serving;

/// <summary>
/// Clears what a screen left in the memory of the server once its session is locked or ended: within a minute nothing of
/// it is found there (threat S8). Text that nobody holds any more stands in memory until something else is written over
/// it, on a quiet night for hours, and a picture of the process taken then would show it.
/// </summary>
internal sealed class MemorySweep(Sessions sessions, TimeProvider clock) : BackgroundService
{
    /// <summary>So that the answers under way when the screen went dark are out of the house.</summary>
    private static readonly TimeSpan Settle = TimeSpan.FromSeconds(5);

    /// <summary>Each stops the hospital for as long as it takes to compact its memory, so locks that come close together share one.</summary>
    private static readonly TimeSpan Between = TimeSpan.FromSeconds(35);

    private static readonly TimeSpan LongestMeeting = TimeSpan.FromMilliseconds(50);

    // What the framework lends from: frames of TLS, pieces of forms, text being encoded. Larger ones are rare here, and a
    // request is at most some megabytes.
    private const int Smallest = 16;
    private const int Largest = 1024 * 1024;
    private const int Budget = 4 * 1024 * 1024;
    private const int MostOfOneSize = 64;

    private readonly SemaphoreSlim due = new(0, 1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        void Left(object? sender, SessionChangedEventArgs change)
        {
            if (change.Turn != SessionTurn.Unlocked && due.CurrentCount == 0)
            {
                try
                {
                    due.Release();
                }
                catch (SemaphoreFullException)
                {
                    // Another one said so at the same moment: one sweep is for both.
                }
            }
        }

        FreedMemory.WriteOver();
        sessions.SessionChanged += Left;
        try
        {
            while (!stoppingToken.IsCancellationRequested)
            {
                await due.WaitAsync(stoppingToken);
                do
                {
                    await Task.Delay(Settle, clock, stoppingToken);
                    Sweep();
                    await Task.Delay(Between, clock, stoppingToken);
                }
                while (await due.WaitAsync(TimeSpan.Zero, stoppingToken));

                // What a busy thread or a connection that took its time gave back after the last one. Arrays that such a thread
                // kept meanwhile for itself, the pool lets go in the first collection once they lay idle for half a minute;
                // the second clears the room they had.
                Sweep();
                GC.WaitForPendingFinalizers();
                Compact();
            }
        }
        finally
        {
            sessions.SessionChanged -= Left;
        }
    }

    public override void Dispose()
    {
        due.Dispose();
        base.Dispose();
    }

    internal static void Sweep()
    {
        OnEveryThread(static () =>
        {
            Wipe(ArrayPool<byte>.Shared, static _ => 1);
            Wipe(ArrayPool<char>.Shared, static _ => 1);
        });
        Wipe(ArrayPool<byte>.Shared, static size => Math.Clamp(Budget / size, 2, MostOfOneSize));
        Wipe(ArrayPool<char>.Shared, static size => Math.Clamp(Budget / sizeof(char) / size, 2, MostOfOneSize));

        Compact();
    }

    // Compacting alone would leave the bytes in the room that it frees; an aggressive collection gives that room back to the
    // system, which hands it out again empty.
    private static void Compact() => GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);

    /// <summary>
    /// Every thread keeps one array of each size for itself, which no other can borrow. So the work is given out as often as
    /// there are threads, and each that comes waits a moment for the rest: one thread cannot come twice. A thread that is
    /// busy for longer writes over its own.
    /// </summary>
    private static void OnEveryThread(Action work)
    {
        var threads = ThreadPool.ThreadCount;
        using var all = new CountdownEvent(threads);
        using var gone = new CountdownEvent(threads);
        for (var i = 0; i < threads; i++)
        {
            ThreadPool.UnsafeQueueUserWorkItem(
                _ =>
                {
                    work();
                    all.Signal();
                    all.Wait(LongestMeeting);
                    gone.Signal();
                },
                null);
        }

        // Its own signals are awaited to the end: they are disposed of afterwards.
        gone.Wait();
    }

    private static void Wipe<T>(ArrayPool<T> pool, Func<int, int> count)
    {
        for (var size = Smallest; size <= Largest; size *= 2)
        {
            var lent = new T[count(size)][];
            for (var i = 0; i < lent.Length; i++)
            {
                lent[i] = pool.Rent(size);
            }

            foreach (var one in lent)
            {
                pool.Return(one, clearArray: true);
            }
        }
    }
}
