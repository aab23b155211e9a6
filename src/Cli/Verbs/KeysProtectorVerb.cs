using System.CommandLine;
using Mangrove.Cli.CommandLine;
using Mangrove.Kernel;
using Mangrove.Vault.Keys;

namespace Mangrove.Cli.Verbs;

/// <summary>Puts the root key under another passphrase or key file. The old secret is asked for, and opens nothing afterwards.</summary>
internal sealed class KeysProtectorVerb : HospitalVerb
{
    private readonly Option<string> protector = new("--protector") { Description = "How the root key is kept from now on: passphrase, or keyfile:PATH on another volume.", HelpName = "passphrase|keyfile:PATH", Required = true };
    private readonly Option<string?> newPassphrase = new("--new-passphrase-file") { Description = "A file whose first line is the new passphrase.", HelpName = "FILE" };
    private readonly Option<bool> acceptSameVolume = new("--accept-same-volume") { Description = "Accept that the key file lies on the volume of the data. Recorded in the log." };

    public KeysProtectorVerb()
        : base("protector", "Put the root key under another passphrase or key file. The one of before no longer opens the hospital.", "keys", actsAsSomebody: true) =>
        Add(protector, newPassphrase, acceptSameVolume);

    public override async Task<Answer> Run(Hospital hospital, ParseResult arguments, Call call, CancellationToken cancel)
    {
        var actor = await Actor(hospital, arguments, call, cancel);
        var wanted = RootSecrets.Chosen(arguments.GetValue(protector)!, arguments.GetValue(newPassphrase), arguments.GetValue(acceptSameVolume), call);
        var kind = (await hospital.Vault.Keys.ChangeProtector(actor, RootSecrets.Now(arguments, call), wanted, cancel)).Value;
        var words = kind == ProtectorKind.Passphrase ? "passphrase" : "key file";
        return Answer.Of(
            new { protector = kind == ProtectorKind.Passphrase ? "passphrase" : "keyfile" },
            $"The root key is protected by the new {words}. The old one no longer opens this folder, but it still opens copies of root.json from before: run 'mangrove keys rotate root' to make them worthless, then destroy it.");
    }
}

/// <summary>Secrets of the root key from the options of a command. Never asked for at a prompt: the command may run in the server.</summary>
internal static class RootSecrets
{
    private const string KeyFile = "keyfile:";

    /// <summary>What opens the root key now: as given, else the key file chosen at set-up.</summary>
    public static RootSecret Now(ParseResult arguments, Call call) =>
        arguments.GetValue(Common.KeyFile) is { } key ? new RootSecret { KeyFile = call.Full(key) }
        : arguments.GetValue(Common.PassphraseFile) is { } file ? new RootSecret { Passphrase = Typed.FirstLine(call.Full(file)) }
        : new RootSecret();

    /// <summary>What is to open it.</summary>
    /// <exception cref="RefusedInput"><c>keys.protector</c>, <c>keys.two-protectors</c>, <c>keys.no-secret</c>, or a code of <see cref="Typed"/>.</exception>
    public static RootSecret Chosen(string kind, string? passphraseFile, bool acceptSameVolume, Call call)
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

        return passphraseFile is { } file
            ? new RootSecret { Passphrase = Typed.FirstLine(call.Full(file)) }
            : throw new RefusedInput("keys.no-secret", "Give the new passphrase with --new-passphrase-file.");
    }
}
