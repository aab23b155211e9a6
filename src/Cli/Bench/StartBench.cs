namespace Mangrove.Cli.Bench;

/// <summary>From the start of the process to the whole first page: an empty hospital, the largest of the run, and one with a long log.</summary>
internal sealed class StartBench : IBench
{
    private const double EmptySeconds = 0.6;
    private const double MoreSeconds = 0.5;

    public string Name => "start";

    public string Work => "the server starts";

    public async Task<IReadOnlyList<BenchRow>> Run(BenchGround ground, CancellationToken cancel)
    {
        var empty = await Best(await ground.Empty("empty"), ground, cancel);
        var largest = await ground.Sample(ground.Sizes.Largest);
        var patients = await Best(largest, ground, cancel);
        var log = await LogWork.Hospital(ground);
        await LogWork.Fill(log, ground.Sizes.Entries, cancel);
        var entries = (await log.Open(cancel)).Vault.Review.Newest!.Size;
        var logged = await Best(log, ground, cancel);
        return
        [
            BenchRow.AtMost("start.empty", empty, "s", EmptySeconds, 0, "an empty hospital, from the start of the process to the whole sign-in page"),
            BenchRow.AtMost("start.patients", patients, "s", empty + MoreSeconds, largest.Patients, "n patients; reference: the empty hospital, target half a second more; the index may finish later, and search says so", empty),
            BenchRow.AtMost("start.log", logged, "s", empty + MoreSeconds, entries, "n entries in the log; reference: the empty hospital, target half a second more", empty),
        ];
    }

    private static async Task<double> Best(BenchHospital hospital, BenchGround ground, CancellationToken cancel)
    {
        await hospital.Close();
        var best = double.MaxValue;
        for (var round = 0; round < ground.Sizes.Rounds; round++)
        {
            await using var server = await ChildServer.Start(hospital.Folder, cancel);
            best = Math.Min(best, server.FirstPage.TotalSeconds);
        }

        return best;
    }
}
