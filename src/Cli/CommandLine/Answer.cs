using System.Text.Json;

namespace Mangrove.Cli.CommandLine;

/// <summary>What a verb came to: the object for scripts, the words for people, and the exit code.</summary>
/// <param name="Json">Written as one JSON value when --json was given.</param>
/// <param name="Text">Written otherwise.</param>
/// <param name="Exit">0 on success, 1 when a check found something wrong.</param>
internal sealed record Answer(JsonElement Json, string Text, int Exit = ExitCode.Success)
{
    private static readonly JsonSerializerOptions Names = new(JsonSerializerDefaults.Web);

    public static Answer Of<T>(T json, string text, int exit = ExitCode.Success) => new(JsonSerializer.SerializeToElement(json, Names), text, exit);
}

/// <summary>Exit codes of the contract.</summary>
internal static class ExitCode
{
    public const int Success = 0;

    /// <summary>A check ran and found something wrong.</summary>
    public const int Wrong = 1;

    /// <summary>Bad usage or refused input.</summary>
    public const int Refused = 2;

    /// <summary>A fault of the program itself.</summary>
    public const int Broken = 3;
}
