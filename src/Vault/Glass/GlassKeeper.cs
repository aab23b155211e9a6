using Mangrove.Vault.Audit;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Mangrove.Vault.Glass;

/// <summary>Looks each second at what emergency accesses do by themselves: <see cref="GlassDesk.Turn"/>.</summary>
public sealed partial class GlassKeeper(GlassDesk desk, TimeProvider clock, ILogger<GlassKeeper> logger) : BackgroundService
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Every, clock);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await desk.Turn(stoppingToken);
            }
            catch (Exception error) when (error is AuditUnavailable or System.Data.Common.DbException)
            {
                // What is over opens nothing whether it was written down or not: the policy asks the time itself.
                LogFault(logger, error.GetType().Name);
            }
        }
    }

    [LoggerMessage(1, LogLevel.Error, "Emergency accesses could not be looked at: {Fault}. Trying again every second.")]
    private static partial void LogFault(ILogger logger, string fault);
}
