using System.Text.Json;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace Mangrove.Cli.Serving;

/// <summary>
/// One JSON object a line, the only way that this server writes a log. Each value in it passes <see cref="LogMask"/>, and of
/// an exception it writes the types, our stable code and the stack, never the text (threat P10). Scopes are not written.
/// </summary>
public sealed class LogLines(TimeProvider clock) : ConsoleFormatter(FormatterName)
{
    public const string FormatterName = "mangrove";

    public override void Write<TState>(in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
    {
        var line = new Dictionary<string, object?>(StringComparer.Ordinal)
        {
            ["time"] = clock.GetUtcNow().ToString("yyyy-MM-ddTHH:mm:ss.fffZ", System.Globalization.CultureInfo.InvariantCulture),
            ["level"] = logEntry.LogLevel.ToString(),
            ["from"] = LogMask.Source(logEntry.Category),
            ["event"] = logEntry.EventId.Id,
            ["message"] = LogMask.Message(logEntry.Category, logEntry.State),
        };
        if (logEntry.Exception is { } exception)
        {
            line["exception"] = FaultLines.Types(exception).ToArray();
            line["stack"] = exception.StackTrace;
        }

        textWriter.WriteLine(JsonSerializer.Serialize(line));
    }
}
