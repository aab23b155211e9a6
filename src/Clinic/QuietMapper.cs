using Mangrove.Kernel;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;

namespace Mangrove.Clinic;

/// <summary>Whether the object mapper would write values of rows into a log or into the text of an exception.</summary>
public static class QuietMapper
{
    /// <summary>Gives the options back when the mapper keeps quiet under them.</summary>
    /// <exception cref="RefusedInput"><c>serve.sensitive-logging</c>, naming what is switched on.</exception>
    public static DbContextOptions Checked(DbContextOptions options) => options.FindExtension<CoreOptionsExtension>() switch
    {
        { IsSensitiveDataLoggingEnabled: true } => throw Loud("EnableSensitiveDataLogging"),
        { DetailedErrorsEnabled: true } => throw Loud("EnableDetailedErrors"),
        { DbContextLogger: not null } => throw Loud("LogTo"),
        { LoggerFactory: not null } => throw Loud("UseLoggerFactory"),
        _ => options,
    };

    private static RefusedInput Loud(string setting) =>
        new("serve.sensitive-logging", $"The database layer is set to show values of records ({setting}). Remove that setting; this build does not start with it.");
}
