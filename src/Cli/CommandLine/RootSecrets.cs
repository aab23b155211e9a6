using System.CommandLine;
using Mangrove.Kernel;
using Mangrove.Vault.Keys;

namespace Mangrove.Cli.CommandLine;

/// <summary>Secrets of the root key from the options of a command.</summary>
internal static class RootSecrets
{
    private const string KeyFile = "keyfile:";

    /// <summary>What opens the root key now: as given, else the key file chosen at set-up.</summary>
    public static RootSecret Now(ParseResult arguments, Call call) =>
        arguments.GetValue(Common.KeyFile) is { } key ? new RootSecret { KeyFile = call.Full(key) }
        : arguments.GetValue(Common.PassphraseFile) is { } file ? new RootSecret { Passphrase = Typed.FirstLine(call.Full(file)) }
        : new RootSecret();

    /// <summary>What is to open it.</summary>
    /// <param name="kind"><c>passphrase</c> or <c>keyfile:PATH</c>.</param>
    /// <param name="passphraseFile">Where the passphrase stands.</param>
    /// <param name="option">The option that names that file.</param>
    /// <param name="acceptSameVolume">Whether the key file may lie beside the data.</param>
    /// <param name="ask">Whether somebody may be asked: never where the command may run in the server.</param>
    /// <param name="call">Whose paths they are.</param>
    /// <exception cref="RefusedInput"><c>keys.protector</c>, <c>keys.two-protectors</c>, <c>keys.no-secret</c>, <c>keys.passphrase-differs</c>, or a code of <see cref="Typed"/>.</exception>
    public static RootSecret Chosen(string kind, string? passphraseFile, string option, bool acceptSameVolume, bool ask, Call call)
    {
        if (kind.StartsWith(KeyFile, StringComparison.Ordinal) && kind.Length > KeyFile.Length)
        {
            return passphraseFile is null
                ? new RootSecret { KeyFile = call.Full(kind[KeyFile.Length..]), AcceptSameVolume = acceptSameVolume }
                : throw new RefusedInput("keys.two-protectors", "Choose one: a key file or a passphrase.");
        }

        if (kind != "passphrase")
        {
            throw new RefusedInput("keys.protector", "Give --protector passphrase or --protector keyfile:PATH.");
        }

        if (passphraseFile is { } file)
        {
            return new RootSecret { Passphrase = Typed.FirstLine(call.Full(file)) };
        }

        if (!ask || !Typed.Possible)
        {
            throw new RefusedInput("keys.no-secret", $"Give the passphrase of the root key with {option}, or name a key file with --protector keyfile:PATH.");
        }

        var first = Typed.Ask("Choose a passphrase for the root key (15 characters or more): ");
        return first.AsSpan().SequenceEqual(Typed.Ask("The same again: "))
            ? new RootSecret { Passphrase = first }
            : throw new RefusedInput("keys.passphrase-differs", "The two passphrases differ. Nothing was made; try again.");
    }
}
