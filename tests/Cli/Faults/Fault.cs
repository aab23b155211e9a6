namespace Mangrove.Tests.Cli.Faults;

/// <summary>One way in which the disk fails an act: the call, which of them (counted by strace for each thread), the error, and whether it stays broken.</summary>
internal sealed record Fault(string Call, int At, string Error, bool Lasting)
{
    private static readonly (string Error, bool Lasting)[] Variants = [("EIO", false), ("ENOSPC", false), ("EIO", true), ("ENOSPC", true)];

    public string Expression => FormattableString.Invariant($"inject={Call}:error={Error}:when={At}{(Lasting ? "+" : "")}");

    public override string ToString() => Expression["inject=".Length..];

    /// <summary>Every fault of an act that made these calls, kind by kind of error so that picks at even distances meet all of them.</summary>
    public static IReadOnlyList<Fault> Of(IEnumerable<Traced> calls) =>
    [
        .. calls.GroupBy(call => call.Name, StringComparer.Ordinal).OrderBy(call => call.Key, StringComparer.Ordinal).SelectMany(call =>
        {
            var most = call.GroupBy(one => one.Thread, StringComparer.Ordinal).Max(thread => thread.Count());
            return Variants.SelectMany(variant => Enumerable.Range(1, most).Select(at => new Fault(call.Key, at, variant.Error, variant.Lasting)));
        }),
    ];

    /// <summary>At most so many of them: every kind of call has an equal part, the rare ones first, and what they leave goes to the others.</summary>
    public static IReadOnlyList<Fault> Spread(IReadOnlyList<Fault> all, int most)
    {
        var chosen = new List<Fault>();
        var calls = all.GroupBy(fault => fault.Call, StringComparer.Ordinal).OrderBy(call => call.Count()).Select(call => call.ToList()).ToList();
        for (var at = 0; at < calls.Count; at++)
        {
            var part = Math.Min((most - chosen.Count) / (calls.Count - at), calls[at].Count);
            chosen.AddRange(Enumerable.Range(0, part).Select(pick => calls[at][(int)((long)pick * calls[at].Count / part)]));
        }

        return chosen;
    }
}

/// <summary>One call to the system, as strace wrote it down.</summary>
internal sealed record Traced(string Thread, string Name, string Line)
{
    public bool Injected => Line.Contains("(INJECTED)", StringComparison.Ordinal);
}
