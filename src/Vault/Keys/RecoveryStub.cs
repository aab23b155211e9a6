#pragma warning disable CA1822
using Mangrove.Sealing;
namespace Mangrove.Vault.Keys;
public sealed record RecoverySlot(Guid Recipient, string Kind, int Threshold, byte[] SealedKey, byte[]? WrappedPrivate, byte[]? Salt, int Rounds);
public sealed record RecoverySecret(RootSecret? Root);
internal sealed class RecoveryRecipients
{
    public Task<IReadOnlyList<RecoverySlot>> SlotsFor(KeyMaterial epoch, ReadOnlyMemory<byte> context, CancellationToken cancel) => Task.FromResult<IReadOnlyList<RecoverySlot>>([]);
    public static KeyMaterial Open(IReadOnlyList<RecoverySlot> slots, ReadOnlySpan<byte> context, RecoverySecret secret) => throw new SealBroken();
}
