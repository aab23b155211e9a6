using Mangrove.Cli.CommandLine;
using Mangrove.Vault.Backups;
using Mangrove.Vault.Identity;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Mangrove.Cli.Backups;

/// <summary>
/// Makes the backups that are due at each target, and once a week proves that the newest one can be restored. What fails is
/// an entry, stands in the history that administrators see, and is tried again.
/// </summary>
public sealed partial class BackupTimetable(Hospital hospital, HospitalBackups backups, ILogger<BackupTimetable> log) : BackgroundService
{
    private static readonly TimeSpan Look = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan AfterFailure = TimeSpan.FromMinutes(15);
    private static readonly TimeSpan AfterFailedDrill = TimeSpan.FromDays(1);

    /// <summary>How often a restore is proven.</summary>
    public static TimeSpan DrillEvery { get; } = TimeSpan.FromDays(7);

    /// <summary>When the next backup of a target is due.</summary>
    public static DateTimeOffset Due(BackupTarget target, IEnumerable<BackupRun> runs)
    {
        var last = runs.Where(run => run.Work == BackupWork.Backup && run.Target == target.Path).MaxBy(run => run.Started);
        var every = TimeSpan.FromMinutes(target.Schedule.EveryMinutes);
        return last is null ? target.Added
            : last.Failure is null ? last.Started + every
            : last.Finished + (every < AfterFailure ? every : AfterFailure);
    }

    /// <summary>When the next drill is due; null while there is nothing to restore.</summary>
    public static DateTimeOffset? DrillDue(IReadOnlyCollection<BackupRun> runs)
    {
        if (!runs.Any(run => run is { Work: BackupWork.Backup, Failure: null }))
        {
            return null;
        }

        var last = runs.Where(run => run.Work == BackupWork.Drill).MaxBy(run => run.Started);
        return last is null ? DateTimeOffset.MinValue : last.Started + (last.Failure is null ? DrillEvery : AfterFailedDrill);
    }

    /// <summary>Does what is due now.</summary>
    public async Task Turn(CancellationToken cancel)
    {
        foreach (var target in await hospital.Vault.Backups.Targets.All(cancel))
        {
            if (Due(target, await hospital.Vault.Backups.Runs(1_000, cancel)) <= hospital.Clock.GetUtcNow())
            {
                await Try(() => backups.Make(SystemActors.Backup, target.Path, complete: false, target.Schedule, static _ => { }, cancel));
            }
        }

        var runs = await hospital.Vault.Backups.Runs(1_000, cancel);
        if (DrillDue(runs) <= hospital.Clock.GetUtcNow()
            && backups.DrillsHere
            && runs.Where(run => run is { Work: BackupWork.Backup, Failure: null }).MaxBy(run => run.Started) is { } newest)
        {
            await Try(() => backups.Drill(SystemActors.Backup, newest.Target, static _ => { }, cancel));
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Try(() => backups.SweepDrill(stoppingToken));
        using var timer = new PeriodicTimer(Look, hospital.Clock);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await Turn(stoppingToken);
            }
            catch (Exception error) when (error is not OperationCanceledException && CommandShell.Explain(error) is { } reason)
            {
                // The history itself could not be read or written; the next look tries again.
                LogFailure(log, reason.Code);
            }
        }
    }

    private async Task Try(Func<Task> run)
    {
        try
        {
            await run();
        }
        catch (Exception error) when (error is not OperationCanceledException && CommandShell.Explain(error) is { } reason)
        {
            LogFailure(log, reason.Code);
        }
    }

    [LoggerMessage(1, LogLevel.Error, "A backup or drill by schedule failed: {Fault}. The page of backups says more.")]
    private static partial void LogFailure(ILogger logger, string fault);
}
