using System.CommandLine;
using Mangrove.Kernel;
using Mangrove.Vault.Backups;
using Mangrove.Vault.Keys;

namespace Mangrove.Cli.CommandLine;

/// <summary>What opens a backup on a machine that has nothing of the hospital: from the options of a command, or asked for.</summary>
internal static class RecoverySecrets
{
    /// <summary>Printed sheets, the key file or the passphrase of the time of the backup.</summary>
    /// <param name="arguments">As typed.</param>
    /// <param name="call">Whose paths they are.</param>
    /// <param name="sheets">Files with the text of one printed sheet each; empty where there are none.</param>
    /// <param name="bundle">The key bundle, whose hospital's name stands in the question.</param>
    /// <returns>The secret, and what it was made of where that was no sheet.</returns>
    /// <exception cref="RefusedInput"><c>recovery.secret-needed</c>, a <c>shares.</c> code, or a code of <see cref="Typed"/>.</exception>
    public static (RecoverySecret Opening, RootSecret? Known) Of(ParseResult arguments, Call call, string[] sheets, string bundle)
    {
        if (sheets.Length > 0)
        {
            return (RecoverySecret.OfSheets([.. sheets.Select(file => new string(Typed.Whole(call.Full(file))))]).Value, null);
        }

        RootSecret known;
        if (arguments.GetValue(Common.KeyFile) is { } key)
        {
            known = new RootSecret { KeyFile = call.Full(key) };
        }
        else if (arguments.GetValue(Common.PassphraseFile) is { } file)
        {
            known = new RootSecret { Passphrase = Typed.FirstLine(call.Full(file)) };
        }
        else
        {
            var (name, _) = OpenedBundle.Look(bundle);
            known = Typed.Possible
                ? new RootSecret { Passphrase = Typed.Ask($"Passphrase of {name}: ") }
                : throw new RefusedInput("recovery.secret-needed", "Give what opens the backup: --passphrase-file, --key-file, or --share-file for each printed sheet.");
        }

        return (RecoverySecret.Of(known), known);
    }
}
