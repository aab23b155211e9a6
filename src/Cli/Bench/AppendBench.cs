namespace Mangrove.Cli.Bench;

/// <summary>Durable entries by 64 writers at once, against a plain table that takes the same bytes a hundred rows at a time.</summary>
internal sealed class AppendBench : IBench
{
    private const int InTransaction = 100;

    public string Name => "append";

    public string Work => "64 writers append to the audit log";

    public async Task<IReadOnlyList<BenchRow>> Run(BenchGround ground, CancellationToken cancel)
    {
        var bench = await LogWork.Hospital(ground);
        var sizes = ground.Sizes;
        var each = Math.Min(sizes.Sample, sizes.Entries / (sizes.Rounds + 1));
        await LogWork.Append(bench, each, cancel);
        var written = new List<LoadFigures>();
        var raw = 0.0;
        for (var round = 0; round < sizes.Rounds; round++)
        {
            written.Add(await LogWork.Append(bench, each, cancel));
            raw = Math.Max(raw, RawSqlite.Insert(ground.Place($"append-{round}.db"), RawSqlite.Entries(LogWork.File(bench), each), InTransaction));
        }

        var best = Load.Best(written);
        return
        [
            BenchRow.ByRatio(Name, best.Rate, "entries/s", raw, 0.8, best.Acts, "n entries a round, each durable before its caller goes on; reference: raw SQLite, synchronous FULL, the same rows in one plain table without index, 100 a transaction", best.Spread),
        ];
    }
}
