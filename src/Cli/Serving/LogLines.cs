using System.Text.Json;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace Mangrove.Cli.Serving;

/// <summary>
/// One JSON object a line. Of an exception it writes the types, our stable code and the stack, never the text: texts of
/// databases and parsers may quote what was in the record (threat P10).
/// </summary>
internal sealed class LogLines(TimeProvider clock) : ConsoleFormatter(FormatterName)
{
    public const string FormatterName = "mangrove";

    public override void Write<TState>(in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
    {
        var line = new Dictionary<string, object?>(StringComparer.Ordinal)
        {
            ["time"] = clock.GetUtcNow().ToString("yyyy-MM-ddTHH:mm:ss.fffZ", System.Globalization.CultureInfo.InvariantCulture),
            ["level"] = logEntry.LogLevel.ToString(),
            ["from"] = logEntry.Category,
            ["event"] = logEntry.EventId.Id,
            ["message"] = logEntry.Formatter(logEntry.State, null),
        };
        if (logEntry.Exception is { } exception)
        {
            line["exception"] = Describe(exception).ToArray();
            line["stack"] = exception.StackTrace;
        }

        textWriter.WriteLine(JsonSerializer.Serialize(line));
    }

    private static IEnumerable<string> Describe(Exception exception)
    {
        for (var one = exception; one is not null; one = one.InnerException)
        {
            yield return one is Kernel.RefusedInput refused ? $"{one.GetType().Name} ({refused.Code})" : one.GetType().FullName!;
        }
    }
}
