using System.Collections.Concurrent;
using Mangrove.Kernel;

namespace Mangrove.Vault.Glass;

/// <summary>
/// The records that are open by emergency access at this moment, by session and patient, after their table. The policy asks
/// here at every act. An access stands on one session: another session of the same person has nothing by it.
/// </summary>
internal sealed class LiveGlass
{
    private readonly ConcurrentDictionary<(string Session, PatientId Patient), One> live = new();
    private EffectiveClock? time;
    private Func<string, PatientId, CancellationToken, Task<One?>>? elsewhere;

    /// <param name="Id">Of the access.</param>
    /// <param name="Reason">Why.</param>
    /// <param name="Opened">When, on the wall.</param>
    /// <param name="Until">Its end, by the hospital's own time.</param>
    internal sealed record One(Guid Id, GlassReason Reason, DateTimeOffset Opened, long Until);

    /// <summary>Begins to answer. Before that nothing is open.</summary>
    /// <param name="clock">The hospital's own time.</param>
    /// <param name="look">Looks for an access that was begun at another server; null where there is none.</param>
    public void Begin(EffectiveClock clock, Func<string, PatientId, CancellationToken, Task<One?>>? look) => (time, elsewhere) = (clock, look);

    /// <summary>What opens the record now; null when nothing does.</summary>
    public One? Of(string session, PatientId patient) =>
        live.TryGetValue((session, patient), out var one) && time is { } clock && clock.Now < one.Until ? one : null;

    /// <summary>Takes over an access that another server began a moment ago. False when there is none, or it is known.</summary>
    public async Task<bool> Adopt(string session, PatientId patient, CancellationToken cancel)
    {
        if (elsewhere is null || await elsewhere(session, patient, cancel) is not { } found)
        {
            return false;
        }

        return live.TryAdd((session, patient), found) && Of(session, patient) is not null;
    }

    public void Put(string session, PatientId patient, One one) => live[(session, patient)] = one;

    public void Drop(string session, PatientId patient) => live.TryRemove((session, patient), out _);

    /// <summary>The session was locked or has ended.</summary>
    public void Drop(string session)
    {
        foreach (var key in live.Keys.Where(key => key.Session == session))
        {
            live.TryRemove(key, out _);
        }
    }

    /// <summary>Whether any is beyond its time and still kept.</summary>
    public bool AnyOver => !live.IsEmpty && time is { } clock && clock.Now is var now && live.Values.Any(one => one.Until <= now);

    /// <summary>Follows the table, which another server may have changed.</summary>
    public void Use(IReadOnlyDictionary<(string Session, PatientId Patient), One> rows)
    {
        foreach (var key in live.Keys.Where(key => !rows.ContainsKey(key)))
        {
            live.TryRemove(key, out _);
        }

        foreach (var (key, one) in rows)
        {
            live[key] = one;
        }
    }
}
