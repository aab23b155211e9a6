using Mangrove.Clinic;
using Mangrove.Kernel;
using Mangrove.Vault;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using Npgsql;

namespace Mangrove.Cli.Serving;

/// <summary>
/// Refuses to serve when something would write values of records past <see cref="LogMask"/>: the object mapper, the
/// database's driver, the framework's log of requests, or a log of another kind. It is asked at every start, and there is no
/// switch for a test hospital.
/// </summary>
public static class SensitiveLogging
{
    public const string RefusalCode = "serve.sensitive-logging";

    private const string RequestLog = "Microsoft.AspNetCore.HttpLogging";

    /// <summary>Looks at the settings of every store.</summary>
    /// <exception cref="RefusedInput"><see cref="RefusalCode"/>, naming the line and the setting.</exception>
    public static void Refuse(StorageOptions storage)
    {
        foreach (var (name, connection) in storage.Connections)
        {
            var settings = new NpgsqlConnectionStringBuilder(connection);
            var loud = settings.IncludeErrorDetail ? "Include Error Detail"
                : settings.LogParameters ? "Log Parameters"
                : settings.IncludeFailedBatchedCommand ? "Include Failed Batched Command"
                : null;
            if (loud is not null)
            {
                throw new RefusedInput(RefusalCode, $"The connection '{name}' would show values of records in messages. Take '{loud}' out of its line of the connection file.");
            }
        }
    }

    /// <summary>Looks at the options of the object mapper.</summary>
    /// <exception cref="RefusedInput"><see cref="RefusalCode"/>, naming the setting.</exception>
    public static void Refuse(DbContextOptions mapper) => QuietMapper.Checked(mapper);

    /// <summary>Looks at what the server is made of: no log of requests, and one way to write a log.</summary>
    /// <exception cref="RefusedInput"><see cref="RefusalCode"/>, naming the part.</exception>
    public static void Refuse(IServiceCollection services)
    {
        foreach (var service in services)
        {
            var made = service.IsKeyedService ? service.KeyedImplementationType : service.ImplementationType ?? service.ImplementationInstance?.GetType();
            if (IsRequestLog(service.ServiceType) || IsRequestLog(made))
            {
                throw new RefusedInput(RefusalCode, "The framework's log of requests (HTTP logging) is registered. It writes forms and addresses; this build does not start with it.");
            }

            if (service.ServiceType == typeof(ILoggerProvider) && made != typeof(ConsoleLoggerProvider))
            {
                throw new RefusedInput(RefusalCode, $"A log besides the masked one is registered ({made?.Name ?? "made by a function"}). This build does not start with it.");
            }
        }
    }

    /// <summary>Looks at what would be logged, and by which formatter.</summary>
    /// <exception cref="RefusedInput"><see cref="RefusalCode"/>, naming the level or the formatter.</exception>
    public static void Refuse(LoggerFilterOptions filter, ConsoleLoggerOptions console)
    {
        if (console.FormatterName != LogLines.FormatterName)
        {
            throw new RefusedInput(RefusalCode, "The log has another formatter than the one that masks values. This build does not start with it.");
        }

        // Below a warning the framework and the drivers write commands, addresses and forms.
        var loud = filter.MinLevel < LogLevel.Warning
            ? "everything"
            : filter.Rules.FirstOrDefault(rule => rule.LogLevel < LogLevel.Warning && !IsOurs(rule.CategoryName))?.CategoryName;
        if (loud is not null || filter.Rules.Any(rule => rule.LogLevel < LogLevel.Warning && rule.CategoryName is null))
        {
            throw new RefusedInput(RefusalCode, $"The log level of '{loud ?? "everything"}' lies below Warning, where values of records are written. Raise it; this build does not start with it.");
        }
    }

    private static bool IsOurs(string? source) => source == "Mangrove" || source?.StartsWith("Mangrove.", StringComparison.Ordinal) == true;

    private static bool IsRequestLog(Type? type) =>
        type is not null && (type.Namespace == RequestLog || (type.IsGenericType && type.GetGenericArguments().Any(IsRequestLog)));
}
