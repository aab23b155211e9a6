using System.CommandLine;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Keys;

namespace Mangrove.Cli.CommandLine;

/// <summary>Options that several verbs share. Each is one object, so that it means the same everywhere.</summary>
internal static class Common
{
    public static readonly Option<bool> Json = new("--json") { Description = "Print one JSON value on standard output and nothing else there." };

    public static readonly Option<string> Data = new("--data")
    {
        Description = "The hospital's data folder.",
        HelpName = "DIR",
        DefaultValueFactory = _ => "./data",
    };

    public static readonly Option<string?> PassphraseFile = new("--passphrase-file") { Description = "A file whose first line is the passphrase of the root key.", HelpName = "FILE" };

    public static readonly Option<string?> KeyFile = new("--key-file") { Description = "The key file of the root key, when it is no longer where it was at set-up.", HelpName = "FILE" };

    public static readonly Option<string?> PinFile = new("--pin-file") { Description = "A file whose first line is the PIN of the TPM or token; asked for when left out.", HelpName = "FILE" };

    public static readonly Option<StorageKind> Storage = new("--storage")
    {
        Description = "Where the hospital's databases are: sqlite (files in the data folder) or postgres.",
        HelpName = "sqlite|postgres",
        DefaultValueFactory = _ => StorageKind.Sqlite,
    };

    public static readonly Option<string?> Connection = new("--connection") { Description = "For postgres: a file with one 'name=connection string' a line.", HelpName = "FILE" };

    public static readonly Option<string> As = new("--as") { Description = "The user for whom the command acts. The policy decides and the log records.", HelpName = "USER", Required = true };

    public static readonly Option<string?> PasswordFile = new("--password-file") { Description = "A file whose first line is that user's password; asked for when left out.", HelpName = "FILE" };

    public static void AddUnsealing(Command command)
    {
        command.Options.Add(PassphraseFile);
        command.Options.Add(KeyFile);
        command.Options.Add(PinFile);
        command.Options.Add(Storage);
        command.Options.Add(Connection);
    }

    public static string FolderOf(ParseResult arguments, Call call) => call.Full(arguments.GetValue(Data)!);

    /// <exception cref="RefusedInput">A <c>storage.</c> code.</exception>
    public static StorageOptions StorageOf(ParseResult arguments, Call call)
    {
        var folder = FolderOf(arguments, call);
        if (arguments.GetValue(Storage) == StorageKind.Sqlite)
        {
            return arguments.GetValue(Connection) is null
                ? StorageOptions.Sqlite(folder)
                : throw new RefusedInput("storage.connection-unused", "--connection belongs to --storage postgres. Add that, or leave the connection file out.");
        }

        return arguments.GetValue(Connection) is { } file
            ? StorageOptions.Postgres(folder, call.Full(file)).Value
            : throw new RefusedInput("storage.connection-file-missing", "With --storage postgres, name the connection file with --connection.");
    }

    /// <summary>What opens the root key: the file named, the passphrase or PIN given or asked for, or what was chosen at set-up and asks for nothing.</summary>
    /// <exception cref="RefusedInput">A code of <see cref="Typed"/>.</exception>
    public static RootSecret SecretOf(ParseResult arguments, Call call)
    {
        var given = RootSecrets.Now(arguments, call);
        if (given is not { KeyFile: null, Passphrase: null, Pin: null } || !Typed.Possible)
        {
            return given;
        }

        return VaultRoom.ProtectorIn(FolderOf(arguments, call)) switch
        {
            { Kind: ProtectorKind.Passphrase } => new RootSecret { Passphrase = Typed.Ask("Passphrase of the root key: ") },
            { AsksPin: true } guard => new RootSecret { Pin = Typed.Ask($"PIN of the {guard.Name}: ") },
            _ => given,
        };
    }
}
