using Mangrove.Governance.Retention;
using Mangrove.Vault;
using Mangrove.Vault.Audit;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Mangrove.Cli.Serving;

/// <summary>
/// Counts what is due by the rules of retention, ten minutes after a start and every six hours. Each counting is a mark of time in
/// the log, so that a clock that jumps is told from time that passed (threat D5).
/// </summary>
internal sealed partial class RetentionKeeper(DueList list, TimeProvider clock, ILogger<RetentionKeeper> logger) : BackgroundService
{
    private static readonly TimeSpan AfterStart = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan Every = TimeSpan.FromHours(6);
    private static readonly TimeSpan AfterFault = TimeSpan.FromMinutes(10);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var next = AfterStart;
        while (!stoppingToken.IsCancellationRequested)
        {
            await Task.Delay(next, clock, stoppingToken);
            next = Every;
            try
            {
                await list.Count(stoppingToken);
            }
            catch (Exception fault) when (fault is AuditUnavailable || StorageFault.Of(fault) is not null)
            {
                // What was counted before stands, and says of when it is.
                LogFault(logger, StorageFault.Of(fault)?.Code ?? AuditUnavailable.StableCode);
                next = AfterFault;
            }
        }
    }

    [LoggerMessage(1, LogLevel.Error, "What is due by the rules of retention could not be counted: {Fault}. It is tried again in ten minutes.")]
    private static partial void LogFault(ILogger logger, string fault);
}
