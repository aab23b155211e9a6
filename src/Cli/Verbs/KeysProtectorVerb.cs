using System.CommandLine;
using Mangrove.Cli.CommandLine;
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
        var wanted = RootSecrets.Chosen(arguments.GetValue(protector)!, arguments.GetValue(newPassphrase), "--new-passphrase-file", arguments.GetValue(acceptSameVolume), ask: false, call);
        var kind = (await hospital.Vault.Keys.ChangeProtector(actor, RootSecrets.Now(arguments, call), wanted, cancel)).Value;
        var words = kind == ProtectorKind.Passphrase ? "passphrase" : "key file";
        return Answer.Of(
            new { protector = kind == ProtectorKind.Passphrase ? "passphrase" : "keyfile" },
            $"The root key is protected by the new {words}. The old one no longer opens this folder, but it still opens copies of root.json from before: run 'mangrove keys rotate root' to make them worthless, then destroy it.");
    }
}
