namespace Mangrove.Portability.Package;

/// <summary>One thing that was not taken, and why.</summary>
/// <param name="File">
/// The name as the person gave it. Names of files can hold names of patients, so this is answered to the person who
/// imports and MUST NOT be logged.
/// </param>
/// <param name="Entry">Position in the bundle or line of the NDJSON file, from 1; 0 is the file as a whole.</param>
/// <param name="Code">Stable code such as <c>import.not-json</c>.</param>
/// <param name="Message">What to do. Holds no content of the file.</param>
public sealed record Rejection(string File, int Entry, string Code, string Message)
{
    internal Rejection(string file, int entry, Kernel.Error error)
        : this(file, entry, error.Code, error.Message)
    {
    }
}
