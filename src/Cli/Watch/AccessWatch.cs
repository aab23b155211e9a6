using Mangrove.Cli.CommandLine;
using Mangrove.Vault.Audit;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Mangrove.Cli.Watch;

/// <summary>Has the log judged by the rules of the watch every few seconds. What fails is tried again at the next look; nothing is passed over.</summary>
internal sealed partial class AccessWatch(Hospital hospital, ILogger<AccessWatch> logger) : BackgroundService
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(10);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            await Task.Delay(Every, hospital.Clock, stoppingToken);
            try
            {
                await hospital.Vault.Watch.Look(stoppingToken);
            }
            catch (AuditUnavailable unavailable)
            {
                LogFailure(logger, unavailable.Code);
            }
            catch (Exception error) when (error is not OperationCanceledException && CommandShell.Explain(error) is { } reason)
            {
                LogFailure(logger, reason.Code);
            }
        }
    }

    [LoggerMessage(1, LogLevel.Error, "Accesses could not be judged: {Fault}. They are judged at the next look.")]
    private static partial void LogFailure(ILogger logger, string fault);
}
