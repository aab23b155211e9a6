using Mangrove.Clinic;
using Mangrove.Vault;
using Mangrove.Vault.Audit;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Mangrove.Cli.Serving;

/// <summary>
/// Compares what the log announced with what the clinic committed: at each start, for what a crash cut off between the two,
/// and each hour (threat A6).
/// </summary>
internal sealed partial class ActKeeper(Hospital hospital, TimeProvider clock, ILogger<ActKeeper> logger) : BackgroundService
{
    private static readonly TimeSpan Every = TimeSpan.FromHours(1);
    private static readonly TimeSpan AfterFault = TimeSpan.FromMinutes(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var marks = new ActMarks(hospital.Clinics);
        while (!stoppingToken.IsCancellationRequested)
        {
            var next = Every;
            try
            {
                if (await hospital.Vault.Acts.Settle(marks, stoppingToken) is > 0 and var bare)
                {
                    LogBare(logger, bare);
                }
            }
            catch (Exception fault) when (fault is AuditUnavailable || StorageFault.Of(fault) is not null)
            {
                // Nothing is decided that was not written down: the next time begins where this one began.
                LogFault(logger, StorageFault.Of(fault)?.Code ?? AuditUnavailable.StableCode);
                next = AfterFault;
            }

            await Task.Delay(next, clock, stoppingToken);
        }
    }

    [LoggerMessage(1, LogLevel.Warning, "{Count} acts that were announced in the audit log left no record. The log names them (NOTHING_RECORDED).")]
    private static partial void LogBare(ILogger logger, int count);

    [LoggerMessage(2, LogLevel.Error, "Acts and records could not be compared: {Fault}. It is tried again in a minute.")]
    private static partial void LogFault(ILogger logger, string fault);
}
