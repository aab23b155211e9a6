using Microsoft.Extensions.Logging;

namespace Mangrove.Vault.Glass;

/// <summary>Looks each second at what emergency accesses do by themselves: <see cref="GlassDesk.Turn"/>. What is over opens nothing, whether it was written down or not.</summary>
public sealed partial class GlassKeeper(GlassDesk desk, TimeProvider clock, ILogger<GlassKeeper> logger) : Rounds(clock, TimeSpan.FromSeconds(1))
{
    protected override Task Turn(CancellationToken cancel) => desk.Turn(cancel);

    protected override void Failed(string fault) => LogFault(logger, fault);

    [LoggerMessage(1, LogLevel.Error, "Emergency accesses could not be looked at: {Fault}. Trying again every second.")]
    private static partial void LogFault(ILogger logger, string fault);
}
