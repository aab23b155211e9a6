using Microsoft.Extensions.Logging;

namespace Mangrove.Vault.Incidents;

/// <summary>Looks every few seconds at what an incident does by itself: <see cref="IncidentDesk.Turn"/>. A step that failed stays open, on the page too.</summary>
public sealed partial class IncidentKeeper(IncidentDesk desk, TimeProvider clock, ILogger<IncidentKeeper> logger) : Rounds(clock, TimeSpan.FromSeconds(5))
{
    protected override Task Turn(CancellationToken cancel) => desk.Turn(cancel);

    protected override void Failed(string fault) => LogFault(logger, fault);

    [LoggerMessage(1, LogLevel.Error, "What an incident asks for could not be done: {Fault}. Trying again every few seconds.")]
    private static partial void LogFault(ILogger logger, string fault);
}
