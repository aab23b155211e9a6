using Mangrove.Kernel;

namespace Mangrove.Portability.Package;

/// <summary>
/// Judges names inside archives. Nothing is ever written under such a name, but a name that tries to escape says that the
/// archive is hostile, and the name is shown to people.
/// </summary>
internal static class EntryName
{
    private static readonly HashSet<string> Devices = new(StringComparer.OrdinalIgnoreCase)
    {
        "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$",
        "COM1", "COM2", "COM3", "COM4", "COM5", "COM6", "COM7", "COM8", "COM9",
        "LPT1", "LPT2", "LPT3", "LPT4", "LPT5", "LPT6", "LPT7", "LPT8", "LPT9",
    };

    public static bool IsSafe(string name)
    {
        if (name.Length is 0 or > 1024 || name[0] is '/' or '\\' || name.Contains(':', StringComparison.Ordinal) || name.AsSpan().ContainsAnyInRange('\0', '\u001f'))
        {
            return false;
        }

        foreach (var part in name.Split('/', '\\'))
        {
            // Windows drops trailing dots and blanks, so "..  " and "NUL." are what they look like.
            var bare = part.TrimEnd('.', ' ');
            if ((part.Length > 0 && bare.Length == 0 && part != ".") || Devices.Contains(bare.Split('.')[0]))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>What a name promises by its ending.</summary>
    public static Result<InputKind> Kind(string name)
    {
        if (name.EndsWith(".json", StringComparison.OrdinalIgnoreCase))
        {
            return InputKind.Json;
        }

        if (name.EndsWith(".ndjson", StringComparison.OrdinalIgnoreCase) || name.EndsWith(".jsonl", StringComparison.OrdinalIgnoreCase))
        {
            return InputKind.Ndjson;
        }

        return IsArchive(name) ? InputErrors.NestedArchive : InputErrors.Unsupported;
    }

    public static bool IsZip(string name) => name.EndsWith(".zip", StringComparison.OrdinalIgnoreCase);

    public static bool IsTar(string name) => name.EndsWith(".tar", StringComparison.OrdinalIgnoreCase);

    public static bool IsTarGz(string name) => name.EndsWith(".tar.gz", StringComparison.OrdinalIgnoreCase) || name.EndsWith(".tgz", StringComparison.OrdinalIgnoreCase);

    private static bool IsArchive(string name) => IsZip(name) || IsTar(name)
        || name.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) || name.EndsWith(".tgz", StringComparison.OrdinalIgnoreCase)
        || name.EndsWith(".7z", StringComparison.OrdinalIgnoreCase) || name.EndsWith(".xz", StringComparison.OrdinalIgnoreCase)
        || name.EndsWith(".bz2", StringComparison.OrdinalIgnoreCase) || name.EndsWith(".zst", StringComparison.OrdinalIgnoreCase);
}
