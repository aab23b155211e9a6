using Mangrove.Kernel;

namespace Mangrove.Cli;

/// <summary>
/// What may be written of an exception: its types, our stable codes and the stack, never its text. Texts of databases and
/// parsers may quote what was in the record (threat P10).
/// </summary>
internal static class FaultLines
{
    /// <summary>The exception and those inside it, outermost first.</summary>
    public static IEnumerable<string> Types(Exception exception)
    {
        for (var one = exception; one is not null; one = one.InnerException)
        {
            yield return one is RefusedInput refused ? $"{one.GetType().Name} ({refused.Code})" : one.GetType().FullName!;
        }
    }

    /// <summary>The whole of it as lines, for whoever reads the end of a command.</summary>
    public static IEnumerable<string> Whole(Exception exception) => exception.StackTrace is { } stack ? [.. Types(exception), stack] : Types(exception);
}
