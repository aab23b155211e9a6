using Mangrove.Kernel;
using Mangrove.Vault.Access;
using Mangrove.Vault.Identity;
using Mangrove.Vault.Keys;

namespace Mangrove.Vault;

/// <summary>The root key and what protects it. Both acts ask for the secret that opens it now, besides an administrator.</summary>
public sealed partial class KeyDesk
{
    private const string Root = "key:root";
    private const string ProtectorAction = "CHANGE_PROTECTOR";

    internal RootProtector Protector => keeper.Protector;

    /// <summary>Puts the root key under another passphrase, key file, TPM or token. The secret of before opens nothing from then on; old copies of root.json still answer to it, until the root key is rotated too.</summary>
    /// <param name="admin">The administrator.</param>
    /// <param name="old">What opens the root key now.</param>
    /// <param name="wanted">What is to open it.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>How it is protected from now on, or a <c>keys.</c>, <c>tpm.</c> or <c>token.</c> code of either secret.</returns>
    /// <exception cref="Refused">The actor is no administrator.</exception>
    public async Task<Result<ProtectorKind>> ChangeProtector(Actor admin, RootSecret old, RootSecret wanted, CancellationToken cancel)
    {
        var before = Protector.Kind;
        return await RootAct(
            admin,
            ProtectorAction,
            async note =>
            {
                await keeper.Change(old, wanted, after => note($"{RootGuard.NameOf(before)} -> {Said(after.Guard)}"), cancel);

                // From now on backups open by the new secret; those of before by the old one, as long as they are kept.
                await recovery.FollowProtector(keeper.Protector, wanted, cancel);
                return Protector.Kind;
            },
            cancel);
    }

    /// <summary>Makes a new root key and wraps every purpose key anew under it, in one transaction.</summary>
    /// <param name="admin">The administrator.</param>
    /// <param name="secret">What opens the root key; it opens the new one too.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>How many keys were wrapped anew, or a <c>keys.</c> code of the secret.</returns>
    /// <exception cref="Refused">The actor is no administrator.</exception>
    public Task<Result<int>> RotateRoot(Actor admin, RootSecret secret, CancellationToken cancel) => RootAct(
        admin,
        KeyRotations.BeginAction,
        async note =>
        {
            var wrapped = 0;
            await keeper.Rotate(
                secret,
                count =>
                {
                    wrapped = count;
                    return note($"a new root key, {count} keys wrapped anew");
                },
                cancel);
            return wrapped;
        },
        cancel);

    private async Task<Result<T>> RootAct<T>(Actor admin, string action, Func<Func<string, Task>, Task<T>> act, CancellationToken cancel)
    {
        if (!admin.May(Rights.Administration))
        {
            // Says no, writes the refusal and throws.
            await door.Record(admin, Rights.Administration, Sessions.Act(action, Root, null), cancel);
        }

        try
        {
            return await act(words => door.Record(admin, Rights.Administration, Sessions.Act(action, Root, words), cancel));
        }
        catch (RefusedInput refused) when (refused is not Refused)
        {
            await log.Refuse(admin, Sessions.Act(action, Root, null), refused.Error, cancel);
            return refused.Error;
        }
    }

    private static string Said(RootGuard guard) => guard switch
    {
        { BesideData: true } => $"{guard.Name}, on the volume of the data",
        { Kind: ProtectorKind.Tpm, AsksPin: true, BoundToBoot: true } => $"{guard.Name}, with a PIN and bound to the boot",
        { Kind: ProtectorKind.Tpm, AsksPin: true } => $"{guard.Name}, with a PIN",
        { BoundToBoot: true } => $"{guard.Name}, bound to the boot",
        _ => guard.Name,
    };
}
