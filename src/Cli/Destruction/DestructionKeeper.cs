using Mangrove.Cli.CommandLine;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Mangrove.Cli.Destruction;

/// <summary>Goes on with orders of destruction that a stop of the machine interrupted, and rewrites bundles of targets that are connected again.</summary>
internal sealed partial class DestructionKeeper(Hospital hospital, TimeProvider clock, ILogger<DestructionKeeper> logger) : BackgroundService
{
    private static readonly TimeSpan Look = TimeSpan.FromMinutes(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        using var timer = new PeriodicTimer(Look, clock);
        do
        {
            try
            {
                await hospital.Destruction.GoOn(stoppingToken);
            }
            catch (Exception error) when (error is not OperationCanceledException && CommandShell.Explain(error) is { } reason)
            {
                LogFault(logger, reason.Code);
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    [LoggerMessage(1, LogLevel.Error, "An order of destruction could not go on: {Fault}. It is tried again in a minute; the audit log says more.")]
    private static partial void LogFault(ILogger logger, string fault);
}
