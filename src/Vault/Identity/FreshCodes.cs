using System.Collections.Concurrent;

namespace Mangrove.Vault.Identity;

/// <summary>Recovery codes between their making and the one page that shows them, by session: in memory, for ten minutes at most.</summary>
internal sealed class FreshCodes(TimeProvider clock)
{
    private readonly ConcurrentDictionary<string, (IReadOnlyList<string> Codes, Since Made)> waiting = new(StringComparer.Ordinal);

    public void Keep(string session, IReadOnlyList<string> codes)
    {
        foreach (var (other, one) in waiting)
        {
            if (Over(one.Made))
            {
                waiting.TryRemove(other, out _);
            }
        }

        waiting[session] = (codes, Since.Now(clock));
    }

    /// <summary>Gives them out, once; null when there are none.</summary>
    public IReadOnlyList<string>? Take(string session) => waiting.TryRemove(session, out var one) && !Over(one.Made) ? one.Codes : null;

    private bool Over(Since made) => made.Elapsed(clock) >= PendingSignIns.Life;
}
