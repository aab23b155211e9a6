using System.Text.RegularExpressions;
using Mangrove.Kernel;

namespace Mangrove.Cli.Installing;

/// <summary>Where an installation goes. Every path is one of the installed system; <see cref="At"/> gives where it lies now.</summary>
public sealed partial record InstallPlan
{
    /// <summary>A folder that stands for the system's root, for packagers and for trying; / is the system itself.</summary>
    public required string Root { get; init; }

    /// <summary>Folder of the program.</summary>
    public required string Prefix { get; init; }

    /// <summary>The hospital's data folder.</summary>
    public required string Data { get; init; }

    /// <summary>The account that the service runs as.</summary>
    public required string User { get; init; }

    /// <summary>Where the service listens.</summary>
    public required Uri Address { get; init; }

    /// <summary>A key file that opens the root key, on another volume; null where a passphrase does.</summary>
    public string? KeyFile { get; init; }

    /// <summary>Whether this is the system itself, with its accounts and services.</summary>
    public bool Here => Root == "/";

    public string PassphraseFile { get; } = "/etc/mangrove/passphrase";

    public string UnitFile { get; } = "/etc/systemd/system/mangrove.service";

    /// <summary>The rules of the service's own journal.</summary>
    public string JournalFile { get; } = "/etc/systemd/journald@mangrove.conf";

    /// <summary>The command that serves, as the unit has it, for a system without systemd.</summary>
    public string ByHand => $"runuser -u {User} -- {Prefix}/mangrove serve --data {Data} --urls {Address.GetLeftPart(UriPartial.Authority)}{(KeyFile is null ? "   (it asks for the passphrase)" : string.Empty)}";

    /// <summary>Refuses names that would mean something else in a unit file or to another program.</summary>
    /// <exception cref="RefusedInput"><c>install.path</c>, <c>install.user</c>.</exception>
    public InstallPlan Checked()
    {
        foreach (var path in (string?[])[Prefix, Data, KeyFile])
        {
            if (path is not null && (!PlainPath().IsMatch(path) || path.Contains("/../", StringComparison.Ordinal) || path.EndsWith("/..", StringComparison.Ordinal)))
            {
                throw new RefusedInput("install.path", "Give full paths of letters, digits, dots, lines and slashes: they stand in the service's definition.");
            }
        }

        return PlainUser().IsMatch(User) ? this : throw new RefusedInput("install.user", "Give the account a name of small letters, digits and lines, of at most 31 characters.");
    }

    /// <summary>Where a path of the installed system lies now.</summary>
    public string At(string path) => Here ? path : Path.Combine(Root, path.TrimStart('/'));

    [GeneratedRegex("^(/[A-Za-z0-9._-]+)+$", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex PlainPath();

    [GeneratedRegex("^[a-z_][a-z0-9_-]{0,30}$", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex PlainUser();
}
