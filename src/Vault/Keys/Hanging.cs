using Mangrove.Sealing;

namespace Mangrove.Vault.Keys;

/// <summary>How much of one kind hangs from one version of a purpose key.</summary>
/// <param name="Version">Of the purpose key.</param>
/// <param name="Count">How many ciphertexts or hashes.</param>
internal readonly record struct Hanging(int Version, long Count)
{
    /// <summary>The version that an envelope names; 0, which no key has, for bytes that are none.</summary>
    public static int VersionIn(byte[] envelope)
    {
        try
        {
            return Envelope.ReadHeader(envelope).KeyVersion;
        }
        catch (SealBroken)
        {
            return 0;
        }
    }

    /// <summary>Counts things, each given by its version.</summary>
    public static IReadOnlyList<Hanging> ByVersion(IEnumerable<int> versions) =>
        [.. versions.GroupBy(version => version).Select(group => new Hanging(group.Key, group.LongCount())).OrderBy(one => one.Version)];
}

/// <summary>What one batch of a rotation came to.</summary>
/// <param name="Moved">Moved to the newest version.</param>
/// <param name="Broken">Did not open and were left as they are: the old version stays for as long as there are any.</param>
/// <param name="Next">Where the next batch goes on; null at the end of the pass.</param>
internal readonly record struct MovedBatch(int Moved, int Broken, byte[]? Next);

/// <summary>
/// One kind of thing that hangs from a purpose key. A room that seals or hashes under a purpose key registers one with
/// <see cref="KeyRotations.Register"/>; from then on an old version is retired when every kind of its purpose counts zero
/// under it, and never before. Whoever makes or opens such things holds the ring meanwhile (<see cref="KeyRing.Hold"/>).
/// </summary>
/// <param name="Purpose">The purpose key it hangs from.</param>
/// <param name="Name">In the plural, as people read it: <c>patients' keys</c>.</param>
/// <param name="Count">How many there are under each version.</param>
/// <param name="Move">Moves the next batch from an old version to the newest, in one transaction; null for things that only their owners can make anew, such as hashes of passwords.</param>
internal sealed record HangingKind(
    KeyPurpose Purpose,
    string Name,
    Func<CancellationToken, Task<IReadOnlyList<Hanging>>> Count,
    Func<PurposeKey, byte[]?, CancellationToken, Task<MovedBatch>>? Move);
