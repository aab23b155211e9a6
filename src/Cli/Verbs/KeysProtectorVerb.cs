using System.CommandLine;
using Mangrove.Cli.CommandLine;
using Mangrove.Vault.Keys;

namespace Mangrove.Cli.Verbs;

/// <summary>Puts the root key under another passphrase, key file, TPM or token. The old secret is asked for, and opens nothing afterwards.</summary>
internal sealed class KeysProtectorVerb : HospitalVerb
{
    private readonly WantedProtector protector = new("How the root key is kept from now on: passphrase, keyfile:PATH on another volume, tpm (of this machine), or pkcs11:LABEL (a token).", required: true, anew: true);

    public KeysProtectorVerb()
        : base("protector", "Put the root key under another passphrase, key file, TPM or token. The one of before no longer opens the hospital.", "keys", actsAsSomebody: true) =>
        Add([.. protector.Options]);

    public override async Task<Answer> Run(Hospital hospital, ParseResult arguments, Call call, CancellationToken cancel)
    {
        var actor = await Actor(hospital, arguments, call, cancel);

        // Backups open already by what protected it until now; a passphrase of their own is a choice here.
        var wanted = protector.Chosen(arguments, call, ask: false, forBackups: []) switch
        {
            { ForBackups.Length: 0 } unchanged => unchanged with { ForBackups = null },
            var given => given,
        };
        var kind = (await hospital.Vault.Keys.ChangeProtector(actor, RootSecrets.Now(arguments, call), wanted, cancel)).Value;
        var guard = hospital.Vault.RootGuard;
        var backups = kind is ProtectorKind.Tpm or ProtectorKind.Token && wanted.ForBackups is null ? " Backups still open by what protected the root key before: keep that." : "";
        return Answer.Of(
            new { protector = guard.Option, reveals = guard.StolenDisk },
            $"The root key is protected by {guard.Words}. {guard.StolenDisk} What protected it before no longer opens this folder, but it still opens copies of root.json from before: run 'mangrove keys rotate root' to make them worthless.{backups}");
    }
}
