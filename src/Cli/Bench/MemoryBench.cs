namespace Mangrove.Cli.Bench;

/// <summary>Resident memory of the server's own process after its first pages: empty, and with every patient of the largest hospital in the index.</summary>
internal sealed class MemoryBench : IBench
{
    private const double EmptyMebibytes = 200;
    private const double FullMebibytes = 600;
    private const int Pages = 50;
    private const string IndexReady = "mangrove_index_ready 1";

    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(15);

    public string Name => "memory";

    public string Work => "the server's memory";

    public async Task<IReadOnlyList<BenchRow>> Run(BenchGround ground, CancellationToken cancel)
    {
        var empty = await ground.Empty("empty");
        var largest = await ground.Sample(ground.Sizes.Largest);
        return
        [
            BenchRow.AtMost("memory.empty", await Resident(empty, ground, cancel), "MiB", EmptyMebibytes, 0, "resident set of the server, an empty hospital, after 50 pages"),
            BenchRow.AtMost("memory.patients", await Resident(largest, ground, cancel), "MiB", FullMebibytes, largest.Patients, "resident set of the server with n patients in the index, after 50 pages; the target is that of 1,000,000 patients"),
        ];
    }

    private static async Task<double> Resident(BenchHospital hospital, BenchGround ground, CancellationToken cancel)
    {
        await hospital.Close();
        await using var server = await ChildServer.Start(hospital.Folder, cancel);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        patience.CancelAfter(Patience);
        // The whole line: the help of the figure begins with the same words.
        while (!(await server.Get("/metrics", patience.Token)).Split('\n').Contains(IndexReady, StringComparer.Ordinal))
        {
            await Task.Delay(Look, ground.Clock, patience.Token);
        }

        for (var page = 0; page < Pages; page++)
        {
            await server.Get("/sign-in", cancel);
        }

        return server.Resident;
    }
}
