using System.Text;
using Mangrove.Kernel;
using Mangrove.Sealing;

namespace Mangrove.Vault.Keys;

/// <summary>The two ends of a slot: sealed by the hospital that runs, opened by whoever recovers it.</summary>
public sealed partial class RecoveryRecipients
{
    private const int SaltSize = 32;

    private static Error NoSlot { get; } = new("recovery.no-slot", "This backup cannot be opened in this way: when it was made, the hospital had no such protector or sheets. Use its passphrase, its key file, or sheets of its holders, whichever it had.");

    private static Error BadSlot { get; } = new("recovery.slot-bad", "The backup's way in is damaged, or was taken from another backup. Try another copy of the backup.");

    /// <summary>Seals a key to every recipient that counts: the protector of the root key, and the set of sheets in force.</summary>
    /// <param name="epochKey">What whoever recovers gets.</param>
    /// <param name="context">What the key belongs to, up to 512 bytes; <see cref="Open"/> asks for the same.</param>
    /// <param name="cancel">Gives up.</param>
    internal Task<IReadOnlyList<RecoverySlot>> SlotsFor(KeyMaterial epochKey, ReadOnlyMemory<byte> context, CancellationToken cancel) => SlotsFor(keys, epochKey, context, cancel);

    /// <summary>The same for whoever has the ring alone.</summary>
    internal static async Task<IReadOnlyList<RecoverySlot>> SlotsFor(KeyRing keys, KeyMaterial epochKey, ReadOnlyMemory<byte> context, CancellationToken cancel) =>
    [
        .. (await Read(keys, cancel))
            .Where(one => one.Retired is null && (!one.IsShares || one.Shown().InForce))
            .Select(one => new RecoverySlot(one.Id, one.Kind, one.Threshold, RecoverySeal.Seal(one.Public, epochKey, context.Span), one.WrappedPrivate, one.Salt, one.Rounds)),
    ];

    /// <summary>Opens a key by what somebody has, from slots that nobody vouches for. Needs nothing of the hospital.</summary>
    /// <param name="slots">As they stand in the backup.</param>
    /// <param name="context">The context given when they were sealed.</param>
    /// <param name="secret">Passphrase, key file or sheets.</param>
    /// <exception cref="RefusedInput">
    /// <c>recovery.no-slot</c>, <c>recovery.slot-bad</c>, <c>keys.no-secret</c>, <c>keys.passphrase-wrong</c>, <c>keys.file-missing</c>, <c>keys.file-foreign</c>,
    /// <c>shares.other-set</c>, <c>shares.doubled</c>, <c>shares.too-few</c>, <c>shares.wrong</c>.
    /// </exception>
    internal static KeyMaterial Open(IReadOnlyList<RecoverySlot> slots, ReadOnlySpan<byte> context, RecoverySecret secret) => secret.Root is { } root
        ? OpenByProtector(slots, context, root)
        : OpenByShares(slots, context, secret.Shares);

    private static KeyMaterial OpenByProtector(IReadOnlyList<RecoverySlot> slots, ReadOnlySpan<byte> context, RootSecret root)
    {
        var byPassphrase = root.Passphrase is not null;
        var slot = slots.FirstOrDefault(one => one.Kind == RecoverySlot.ProtectorKindName && one.Rounds > 0 == byPassphrase) ?? throw new RefusedInput(NoSlot);

        // The slot comes from a file that anybody may have written: rounds without end would keep the machine busy for days.
        if (slot is not { WrappedPrivate: { } wrapped, Salt: { Length: SaltSize } salt } || (byPassphrase && slot.Rounds is < KeyDerivation.FewestIterations or > MostRounds))
        {
            throw new RefusedInput(BadSlot);
        }

        using var wrapping = WrappingKey(root, salt, slot.Rounds);
        KeyMaterial scalar;
        try
        {
            scalar = KeyWrap.UnwrapBound(wrapping, wrapped, WrapContext(slot.Recipient, slot.Rounds));
        }
        catch (SealBroken)
        {
            throw byPassphrase
                ? new RefusedInput("keys.passphrase-wrong", "The passphrase is wrong, or was another when this backup was made. Nothing was opened.")
                : new RefusedInput("keys.file-foreign", "The key file is not the one that the hospital had when this backup was made. Name that one.");
        }

        using (scalar)
        {
            return OpenSlot(scalar, slot, context, BadSlot);
        }
    }

    private static KeyMaterial OpenByShares(IReadOnlyList<RecoverySlot> slots, ReadOnlySpan<byte> context, IReadOnlyList<RecoveryShare> shares)
    {
        var ofSheets = slots.Where(one => one.Kind == RecoverySlot.SharesKindName).ToList();
        if (ofSheets.Count == 0)
        {
            throw new RefusedInput(NoSlot);
        }

        using var scalar = RecoveryShare.Combine(shares).Value;
        var slot = ofSheets.Find(one => Recipient.SetOf(one.Recipient) == shares[0].Set) ?? throw new RefusedInput(
            "shares.other-set",
            $"The sheets are of set {RecoveryShare.NameOf(shares[0].Set)}; this backup opens with set {string.Join(" or ", ofSheets.Select(one => RecoveryShare.NameOf(Recipient.SetOf(one.Recipient))))}.");
        return OpenSlot(scalar, slot, context, Wrong with { Message = "The sheets are read well but do not open this backup: one of them is not what was printed, or the backup is damaged. Try sheets of other holders, or another copy of the backup." });
    }

    private static KeyMaterial OpenSlot(KeyMaterial scalar, RecoverySlot slot, ReadOnlySpan<byte> context, Error otherwise)
    {
        try
        {
            using var key = RecoveryKey.FromPrivate(scalar.Bytes);
            return key.Open(slot.SealedKey, context);
        }
        catch (SealBroken)
        {
            throw new RefusedInput(otherwise);
        }
    }

    /// <summary>The key that a protector's private key is wrapped under: the passphrase's own, or one derived from the key file's.</summary>
    private static KeyMaterial WrappingKey(RootSecret secret, byte[] salt, int rounds)
    {
        if (rounds > 0)
        {
            return KeyDerivation.FromPassphrase(secret.Passphrase is { Length: > 0 } passphrase ? passphrase : throw NoSecret(), salt, rounds);
        }

        using var file = RootProtector.ReadKeyFile(secret.KeyFile ?? throw NoSecret());
        return KeyDerivation.Derive(file, salt, "mangrove/recovery/key-file/1"u8);

        static RefusedInput NoSecret() => new("keys.no-secret", "Give the passphrase or the key file of the hospital.");
    }

    private static byte[] WrapContext(Guid recipient, int rounds) => Encoding.ASCII.GetBytes(Numbered($"recovery:{recipient:N}:{rounds}"));

    // Ten times what is written now: half a minute on a slow machine.
    private const int MostRounds = 10 * KeyDerivation.FewestIterations;
}
