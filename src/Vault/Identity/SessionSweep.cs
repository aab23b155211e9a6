using Microsoft.Extensions.Logging;

namespace Mangrove.Vault.Identity;

/// <summary>
/// Locks and ends sessions in time while nobody asks, and follows what another server changed: looks every second. Requests meet the
/// same fault as a sweep and are refused.
/// </summary>
public sealed partial class SessionSweep(IdentityDesk desk, TimeProvider clock, ILogger<SessionSweep> logger) : Rounds(clock, TimeSpan.FromSeconds(1))
{
    protected override async Task Turn(CancellationToken cancel)
    {
        await desk.Follow(cancel);
        await desk.Sessions.Sweep(cancel);
    }

    protected override void Failed(string fault) => LogFault(logger, fault);

    [LoggerMessage(1, LogLevel.Error, "Sessions could not be swept: {Fault}. Nothing is shown meanwhile; trying again every second.")]
    private static partial void LogFault(ILogger logger, string fault);
}
