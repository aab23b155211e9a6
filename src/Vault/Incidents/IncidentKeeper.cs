using Mangrove.Kernel;
using Mangrove.Vault.Audit;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Mangrove.Vault.Incidents;

/// <summary>Looks every few seconds at what an incident does by itself: <see cref="IncidentDesk.Turn"/>.</summary>
public sealed partial class IncidentKeeper(IncidentDesk desk, TimeProvider clock, ILogger<IncidentKeeper> logger) : BackgroundService
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(5);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Every, clock);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await desk.Turn(stoppingToken);
            }
            catch (Exception error) when (error is AuditUnavailable or RefusedInput or IOException or UnauthorizedAccessException or System.Data.Common.DbException)
            {
                // The step stays open, on the page too, until it was done.
                LogFault(logger, error.GetType().Name);
            }
        }
    }

    [LoggerMessage(1, LogLevel.Error, "What an incident asks for could not be done: {Fault}. Trying again every few seconds.")]
    private static partial void LogFault(ILogger logger, string fault);
}
