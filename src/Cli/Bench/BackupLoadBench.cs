using System.Globalization;
using Mangrove.Cli.Serving;
using Mangrove.Kernel;
using Mangrove.Vault.Identity;

namespace Mangrove.Cli.Bench;

/// <summary>
/// What a ward notices of a backup: people open charts with a pause between two of them, first alone, then while one full
/// backup follows the other, each copied, sealed, flushed and read back.
/// </summary>
internal sealed class BackupLoadBench : IBench
{
    private const int Readers = 8;

    /// <summary>Half of the speed: an answer takes no more than twice as long.</summary>
    private const double Doubled = 0.5;

    /// <summary>A reader's, between an answer and the next chart. With eight readers the machine is busy and not overrun.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    public string Name => "backup-load";

    public string Work => "charts are opened while everything is backed up";

    public async Task<IReadOnlyList<BenchRow>> Run(BenchGround ground, CancellationToken cancel)
    {
        var bench = await ground.Sample(ground.Sizes.Patients[0]);
        var hospital = await bench.OpenWhole(cancel);
        var patients = await HttpBench.InHouse(hospital, cancel);
        await using var server = await Server.Start(hospital, new Uri("https://localhost:0"), cancel);
        var cookie = $"{Web.Session.StaffSession.CookieName}={await bench.Session(Role.Doctor, cancel)}";
        byte[][] charts = [.. patients.Select(patient => LeanConnection.Request(server.Address, $"/patients/{patient}", "text/html", cookie))];
        var length = ground.Sizes.Round * 4;
        Task<LoadFigures> Read() => HttpBench.Drive(server.Address, charts, Readers, length, Pause, cancel);

        await HttpBench.Warm(Read, ground.Sizes.MostWarmRounds);
        var alone = await Read();
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var target = ground.Place("backup-load");
        var first = new TaskCompletionSource();
        var backups = Task.Run(
            async () =>
            {
                var made = 0;
                while (!over.IsCancellationRequested)
                {
                    await hospital.Backups.Make(SystemActors.Backup, target, complete: true, null, _ => first.TrySetResult(), cancel);
                    Directory.Delete(target, recursive: true);
                    made++;
                }

                return made;
            },
            cancel);
        await await Task.WhenAny(first.Task, backups);
        var beside = await Read();
        await over.CancelAsync();
        var count = await backups;
        return
        [
            BenchRow.ByRatio(Name, 1000 / beside.Spread.P95, "charts/s", 1000 / alone.Spread.P95, Doubled, patients.Count, string.Create(CultureInfo.InvariantCulture, $"a chart's p95 turned round: {beside.Spread.P95:0.0} ms beside {count} full backups one after the other, {alone.Spread.P95:0.0} ms alone; {Readers} readers who pause {Pause.TotalMilliseconds:0} ms, in the same process; n patients in the house; reference: without a backup"), beside.Spread),
        ];
    }
}
