using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.Extensions.Hosting;

namespace Mangrove.Cli.Serving;

/// <summary>Sees to it, once a day, that the form ring has a key for the time to come.</summary>
internal sealed class FormKeyRenewal(FormKeys ring, IKeyManager keys, TimeProvider clock) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromDays(1), clock);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            await ring.Renew(keys, clock, stoppingToken);
        }
    }
}
