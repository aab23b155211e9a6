using System.Runtime.CompilerServices;

namespace Mangrove.Vault.Audit;

/// <summary>What the log is asked for.</summary>
internal sealed partial class AuditLog
{
    private const int ListPage = 500;

    /// <summary>The entries that the filter asks for, read page by page.</summary>
    public async IAsyncEnumerable<AuditEntry> List(
        AuditFilter filter, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        var left = filter.Most ?? int.MaxValue;
        var looks = filter.Examine ?? int.MaxValue;
        while (left > 0 && looks > 0)
        {
            // What no index knows is asked of each entry, so a page may give fewer than it has.
            var page = Math.Min(filter.Narrows ? ListPage : Math.Min(left, ListPage), looks);
            var asked = filter;
            var bodies = await Task.Run(
                () =>
                {
                    using var source = store.Read();
                    return source.Find(asked, page);
                },
                cancellation);
            long last = 0;
            foreach (var body in bodies)
            {
                cancellation.ThrowIfCancellationRequested();
                var entry = Parse(body);
                last = entry.Seq;
                if (!filter.Fits(entry))
                {
                    continue;
                }

                yield return entry;
                if (--left == 0)
                {
                    yield break;
                }
            }

            if (bodies.Count < page)
            {
                yield break;
            }

            looks -= page;
            filter = filter with { Beyond = last };
        }
    }
}
