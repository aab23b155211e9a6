using Mangrove.Vault;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Mangrove.Cli.Serving;

/// <summary>Looks after the room on the volume of the data: ballast laid in and given up, and a line in the log of the system when the level changes.</summary>
internal sealed partial class SpaceKeeper(SpaceWatch space, TimeProvider clock, ILogger<SpaceKeeper> logger) : BackgroundService
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(10);

    // Laying ballast in writes some tens of megabytes: not while people wait for the first page.
    private static readonly TimeSpan AfterStart = TimeSpan.FromMinutes(2);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Delay(AfterStart, clock, stoppingToken);
        var told = SpaceLevel.Plenty;
        using var timer = new PeriodicTimer(Every, clock);
        do
        {
            try
            {
                if (space.Look())
                {
                    LogBallast(logger);
                }
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                LogFault(logger, error.GetType().Name);
            }

            if (space.Level is var level && level != told)
            {
                var (free, size) = space.Volume;
                LogLevelChanged(logger, level, size > 0 ? free * 100 / size : 100);
                told = level;
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    [LoggerMessage(1, LogLevel.Critical, "The disk of the data is nearly full: the ballast was given up so that the wards can go on for a while. Free some space now.")]
    private static partial void LogBallast(ILogger logger);

    [LoggerMessage(2, LogLevel.Error, "The ballast could not be laid in or given up: {Fault}.")]
    private static partial void LogFault(ILogger logger, string fault);

    [LoggerMessage(3, LogLevel.Warning, "Room on the volume of the data: {Level}, {Percent} % free.")]
    private static partial void LogLevelChanged(ILogger logger, SpaceLevel level, long percent);
}
