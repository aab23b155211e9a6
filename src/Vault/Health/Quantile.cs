namespace Mangrove.Vault.Health;

/// <summary>Reads a part of a histogram: half of the answers came within so long.</summary>
public static class Quantile
{
    /// <summary>The value that a part of what was counted does not exceed, taken as even within each step.</summary>
    /// <param name="bounds">Upper bounds of the steps, rising.</param>
    /// <param name="counted">How many fell into each step, and behind the last bound how many into none.</param>
    /// <param name="part">0.5 for the median.</param>
    /// <returns>In the unit of the bounds; the last bound where it lies beyond; null where nothing was counted.</returns>
    public static double? Of(IReadOnlyList<double> bounds, IReadOnlyList<long> counted, double part)
    {
        ArgumentNullException.ThrowIfNull(bounds);
        ArgumentNullException.ThrowIfNull(counted);
        var wanted = counted.Sum() * part;
        if (wanted <= 0)
        {
            return null;
        }

        var before = 0L;
        for (var at = 0; at < bounds.Count; at++)
        {
            if (before + counted[at] >= wanted)
            {
                var from = at == 0 ? 0 : bounds[at - 1];
                return from + ((bounds[at] - from) * (wanted - before) / counted[at]);
            }

            before += counted[at];
        }

        return bounds[^1];
    }
}
