using System.Data.Common;
using Mangrove.Kernel;
using Mangrove.Vault.Audit;
using Microsoft.Extensions.Hosting;

namespace Mangrove.Vault;

/// <summary>
/// What a desk of the vault does by itself while a server runs, again and again. A fault of the disk, a database or the log ends
/// one round and never the next: the desk's own rules hold meanwhile, because they ask the time themselves.
/// </summary>
/// <param name="clock">Whose time passes between rounds.</param>
/// <param name="every">The time between two.</param>
public abstract class Rounds(TimeProvider clock, TimeSpan every) : BackgroundService
{
    protected sealed override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(every, clock);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await Turn(stoppingToken);
            }
            catch (Exception error) when (error is AuditUnavailable or RefusedInput or IOException or UnauthorizedAccessException or DbException)
            {
                Failed(error.GetType().Name);
            }
        }
    }

    /// <summary>One round.</summary>
    protected abstract Task Turn(CancellationToken cancel);

    /// <summary>Says in the system log that a round failed.</summary>
    /// <param name="fault">The kind of fault; never its words, which may quote a row.</param>
    protected abstract void Failed(string fault);
}
