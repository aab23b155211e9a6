using Mangrove.Vault.Audit;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Mangrove.Vault;

/// <summary>
/// Rotates keys behind the pages of a running server: what is due, what an administrator began, and what the last stop of
/// the machine left unfinished.
/// </summary>
public sealed partial class KeyWork(KeyDesk keys, ILogger<KeyWork> logger) : BackgroundService
{
    private static readonly TimeSpan Idle = TimeSpan.FromHours(1);
    private static readonly TimeSpan Unfinished = TimeSpan.FromMinutes(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // A start has other things to do first.
        await Task.Yield();
        while (!stoppingToken.IsCancellationRequested)
        {
            var done = false;
            try
            {
                done = await keys.Advance(stoppingToken);
            }
            catch (Exception error) when (error is AuditUnavailable or System.Data.Common.DbException)
            {
                // Nothing is lost by it: what is left is counted anew.
                LogFault(logger, error.GetType().Name);
            }

            await keys.Wait(done ? Idle : Unfinished, stoppingToken);
        }
    }

    [LoggerMessage(1, LogLevel.Error, "A rotation of keys stopped: {Fault}. Every key still opens what it opened; trying again in a minute.")]
    private static partial void LogFault(ILogger logger, string fault);
}
