namespace Mangrove.Cli.CommandLine;

/// <summary>
/// One call of a verb, wherever it runs: the folder it was typed in, the password of the person it acts for, and where
/// its progress goes. Paths in the arguments are read against <see cref="Directory"/>, never the process's own folder.
/// </summary>
internal sealed class Call(string directory, string? password, Action<string> progress)
{
    public string Directory { get; } = directory;

    /// <summary>Of the person named with --as; asked for or read where the command was typed.</summary>
    public string? Password { get; } = password;

    /// <summary>What else was typed where the command was (<see cref="HospitalVerb.AskHere"/>).</summary>
    public IReadOnlyList<string> Typed { get; init; } = [];

    /// <summary>A line for the person who waits. Goes to standard error.</summary>
    public void Say(string line) => progress(line);

    public string Full(string path) => Path.GetFullPath(path, Directory);
}
