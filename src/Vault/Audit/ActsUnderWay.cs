namespace Mangrove.Vault.Audit;

/// <summary>
/// Acts whose entry says that a record follows, from before the entry until the act has ended: what became of every other
/// one is decided for good (threat A6). Safe for concurrent use.
/// </summary>
/// <param name="newest">The number of entries of the log that are durable.</param>
internal sealed class ActsUnderWay(Func<long> newest)
{
    private readonly Lock gate = new();
    private readonly Dictionary<Act, long> floors = [];

    /// <summary>Every act with an entry of this number or a smaller one has ended, with its record or without.</summary>
    public long Settled
    {
        get
        {
            lock (gate)
            {
                return floors.Count == 0 ? newest() : floors.Values.Min();
            }
        }
    }

    /// <summary>Called before the entry is asked for, so that its number is above the floor that is kept here.</summary>
    public Act Begin()
    {
        lock (gate)
        {
            var act = new Act(this);
            floors.Add(act, newest());
            return act;
        }
    }

    private void End(Act act)
    {
        lock (gate)
        {
            floors.Remove(act);
        }
    }

    /// <summary>One of them; it has ended when it is disposed.</summary>
    internal sealed class Act(ActsUnderWay all) : IDisposable
    {
        public void Dispose() => all.End(this);
    }
}
