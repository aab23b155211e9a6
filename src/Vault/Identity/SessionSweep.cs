using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Mangrove.Vault.Audit;

namespace Mangrove.Vault.Identity;

/// <summary>Locks and ends sessions in time while nobody asks, and follows what another server changed: looks every second.</summary>
public sealed partial class SessionSweep(IdentityDesk desk, TimeProvider clock, ILogger<SessionSweep> logger) : BackgroundService
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Every, clock);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await desk.Follow(stoppingToken);
                await desk.Sessions.Sweep(stoppingToken);
            }
            catch (Exception error) when (error is AuditUnavailable or System.Data.Common.DbException)
            {
                // Requests meet the same fault and are refused; the sweep goes on so that it ends sessions as soon as it can.
                LogFault(logger, error.GetType().Name);
            }
        }
    }

    [LoggerMessage(1, LogLevel.Error, "Sessions could not be swept: {Fault}. Nothing is shown meanwhile; trying again every second.")]
    private static partial void LogFault(ILogger logger, string fault);
}
