using System.CommandLine;
using Mangrove.Kernel;
using Mangrove.Vault.Keys;

namespace Mangrove.Cli.CommandLine;

/// <summary>Secrets of the root key from the options of a command.</summary>
internal static class RootSecrets
{
    /// <summary>What opens the root key now: as given, else what was chosen at set-up and asks for nothing.</summary>
    public static RootSecret Now(ParseResult arguments, Call call) => new()
    {
        KeyFile = arguments.GetValue(Common.KeyFile) is { } key ? call.Full(key) : null,
        Passphrase = arguments.GetValue(Common.PassphraseFile) is { } file ? Typed.FirstLine(call.Full(file)) : null,
        Pin = arguments.GetValue(Common.PinFile) is { } pin ? Typed.FirstLine(call.Full(pin)) : null,
    };
}

/// <summary>
/// The options by which a command is told what is to protect the root key: a passphrase, a key file, the TPM of the
/// machine, or a token. Each command has its own, because the files of new secrets are named differently where an old
/// one is asked for too.
/// </summary>
internal sealed class WantedProtector
{
    /// <summary>What <c>--protector</c> takes.</summary>
    public const string Kinds = "passphrase|keyfile:PATH|tpm|pkcs11:LABEL";

    private const string KeyFile = "keyfile:";
    private const string Registers = "tpm:pcrs=";
    private const string Token = "pkcs11:";

    private readonly Option<string?> protector;
    private readonly Option<string?> passphraseFile;
    private readonly Option<string?> pinFile;
    private readonly Option<string?> module = new("--module") { Description = "With pkcs11: the token's PKCS#11 module, a whole path.", HelpName = "FILE" };
    private readonly Option<bool> acceptSameVolume = new("--accept-same-volume") { Description = "Accept that the key file lies on the volume of the data. Recorded in the log." };

    /// <param name="description">What the choice is about.</param>
    /// <param name="required">Whether there is no default.</param>
    /// <param name="anew">Whether there are secrets of before, so that the new ones are named with <c>--new-</c>.</param>
    public WantedProtector(string description, bool required, bool anew)
    {
        protector = new("--protector") { Description = $"{description} tpm:pcrs=7 binds it to how the machine starts.", HelpName = Kinds, Required = required };
        passphraseFile = anew
            ? new("--new-passphrase-file") { Description = "A file whose first line is the new passphrase: of the root key, or with tpm and pkcs11 of the backups.", HelpName = "FILE" }
            : Common.PassphraseFile;
        pinFile = anew ? new("--new-pin-file") { Description = "A file whose first line is the PIN of the new TPM or token.", HelpName = "FILE" } : Common.PinFile;
    }

    public IReadOnlyList<Option> Options => [protector, module, passphraseFile, pinFile, acceptSameVolume];

    /// <summary>Whether a passphrase is what was chosen, and none is named: the caller may take one that it has.</summary>
    public bool LeavesPassphrase(ParseResult arguments) => arguments.GetValue(protector) is null or "passphrase" && arguments.GetValue(passphraseFile) is null;

    /// <summary>What is to open the root key.</summary>
    /// <param name="arguments">As typed.</param>
    /// <param name="call">Whose paths they are.</param>
    /// <param name="ask">Whether somebody may be asked: never where the command may run in the server.</param>
    /// <param name="forBackups">With a TPM or token: a passphrase that opens the backups already, so that none has to be chosen; null where one has to be.</param>
    /// <exception cref="RefusedInput"><c>keys.protector</c>, <c>keys.two-protectors</c>, <c>keys.no-secret</c>, <c>keys.no-recovery</c>, <c>keys.passphrase-differs</c>, or a code of <see cref="Typed"/>.</exception>
    public RootSecret Chosen(ParseResult arguments, Call call, bool ask, char[]? forBackups)
    {
        var kind = arguments.GetValue(protector) ?? "passphrase";
        var passphrase = arguments.GetValue(passphraseFile) is { } file ? Typed.FirstLine(call.Full(file)) : null;
        var asking = ask && Typed.Possible;
        if (kind.StartsWith(KeyFile, StringComparison.Ordinal) && kind.Length > KeyFile.Length)
        {
            return passphrase is null && arguments.GetValue(pinFile) is null
                ? new RootSecret { KeyFile = call.Full(kind[KeyFile.Length..]), AcceptSameVolume = arguments.GetValue(acceptSameVolume) }
                : throw new RefusedInput("keys.two-protectors", "Choose one: a key file or a passphrase.");
        }

        if (kind == "passphrase")
        {
            return new RootSecret
            {
                Passphrase = passphrase ?? (asking
                    ? Twice("Choose a passphrase for the root key (15 characters or more): ")
                    : throw new RefusedInput("keys.no-secret", $"Give the passphrase of the root key with {passphraseFile.Name}, or name a key file with --protector keyfile:PATH.")),
            };
        }

        var secret = Hardware(kind, arguments) ?? throw new RefusedInput("keys.protector", "Give --protector passphrase, keyfile:PATH, tpm, tpm:pcrs=7, or pkcs11:LABEL with --module.");
        return secret with
        {
            Pin = arguments.GetValue(pinFile) is { } pin ? Typed.FirstLine(call.Full(pin))
                : secret.Token is not null && asking ? Typed.Ask("PIN of the token: ")
                : null,
            ForBackups = passphrase ?? forBackups ?? (asking
                ? Twice("Choose a passphrase that opens the backups when this machine is lost (15 characters or more): ")
                : throw new RefusedInput("keys.no-recovery", $"A TPM or token can be lost with the machine. Give with {passphraseFile.Name} a passphrase that opens the backups then; it does not open the data folder.")),
        };
    }

    private RootSecret? Hardware(string kind, ParseResult arguments)
    {
        if (kind == "tpm")
        {
            return new RootSecret { Tpm = new TpmWanted([]) };
        }

        if (kind.StartsWith(Registers, StringComparison.Ordinal))
        {
            var numbers = kind[Registers.Length..].Split(',');
            return numbers.All(one => byte.TryParse(one, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out _))
                ? new RootSecret { Tpm = new TpmWanted([.. numbers.Select(one => (int)byte.Parse(one, System.Globalization.CultureInfo.InvariantCulture))]) }
                : null;
        }

        return kind.StartsWith(Token, StringComparison.Ordinal) && kind.Length > Token.Length
            ? new RootSecret { Token = new TokenWanted(arguments.GetValue(module) ?? "", kind[Token.Length..]) }
            : null;
    }

    private static char[] Twice(string question)
    {
        var first = Typed.Ask(question);
        return first.AsSpan().SequenceEqual(Typed.Ask("The same again: "))
            ? first
            : throw new RefusedInput("keys.passphrase-differs", "The two passphrases differ. Nothing was made; try again.");
    }
}
