using System.Diagnostics;

namespace Mangrove.Cli.Bench;

/// <summary>What some callers got done together.</summary>
/// <param name="Rate">Acts a second.</param>
/// <param name="Spread">Over the single acts.</param>
/// <param name="Processor">Milliseconds of processor time an act, callers included: what a busy neighbour changes least.</param>
internal sealed record LoadFigures(long Acts, double Rate, Spread Spread, double Processor);

/// <summary>Callers who each begin their next act when the last one has ended, as people and pages do.</summary>
internal static class Load
{
    /// <param name="callers">How many at once.</param>
    /// <param name="length">When they stop beginning.</param>
    /// <param name="act">The act: by the caller's number and the count of acts that the caller has done.</param>
    /// <param name="cancel">Gives up.</param>
    public static Task<LoadFigures> For(int callers, TimeSpan length, Func<int, int, Task> act, CancellationToken cancel) => For(callers, length, TimeSpan.Zero, act, cancel);

    /// <param name="callers">How many at once.</param>
    /// <param name="length">When they stop beginning.</param>
    /// <param name="pause">What a caller waits between two acts; no act's time holds it.</param>
    /// <param name="act">As in the other.</param>
    /// <param name="cancel">Gives up.</param>
    public static Task<LoadFigures> For(int callers, TimeSpan length, TimeSpan pause, Func<int, int, Task> act, CancellationToken cancel)
    {
        var started = Stopwatch.GetTimestamp();
        return Run(callers, _ => Stopwatch.GetElapsedTime(started) < length, act, pause, started, cancel);
    }

    /// <param name="callers">How many at once.</param>
    /// <param name="each">How many acts each of them does.</param>
    /// <param name="act">As in the other.</param>
    /// <param name="cancel">Gives up.</param>
    public static Task<LoadFigures> Of(int callers, int each, Func<int, int, Task> act, CancellationToken cancel) =>
        Run(callers, done => done < each, act, TimeSpan.Zero, Stopwatch.GetTimestamp(), cancel);

    /// <summary>The best of some rounds by rate.</summary>
    public static LoadFigures Best(IEnumerable<LoadFigures> rounds) => rounds.MaxBy(round => round.Rate)!;

    private static async Task<LoadFigures> Run(int callers, Func<int, bool> goOn, Func<int, int, Task> act, TimeSpan pause, long started, CancellationToken cancel)
    {
        var before = Environment.CpuUsage.TotalTime;
        var times = await Task.WhenAll(Enumerable.Range(0, callers).Select(caller => Task.Run(
            async () =>
            {
                var took = new List<TimeSpan>();
                for (var done = 0; goOn(done); done++)
                {
                    cancel.ThrowIfCancellationRequested();
                    var began = Stopwatch.GetTimestamp();
                    await act(caller, done);
                    took.Add(Stopwatch.GetElapsedTime(began));

                    if (pause > TimeSpan.Zero)
                    {
                        await Task.Delay(pause, cancel);
                    }

                    // An act that never had to wait would keep its thread from the other callers.
                    await Task.Yield();
                }

                return took;
            },
            cancel)));
        var elapsed = Stopwatch.GetElapsedTime(started);
        var all = times.SelectMany(list => list).ToList();
        var spent = Environment.CpuUsage.TotalTime - before;
        return new LoadFigures(all.Count, all.Count / elapsed.TotalSeconds, Spread.Of(all), spent.TotalMilliseconds / Math.Max(1, all.Count));
    }
}
