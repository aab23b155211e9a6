using Mangrove.Vault.Identity;

namespace Mangrove.Vault;

/// <summary>How many records are recognised by fingerprints under one version of the index key.</summary>
/// <param name="Version">Of the index key.</param>
/// <param name="Count">Records.</param>
public readonly record struct FingerprintCount(int Version, long Count);

/// <summary>What one batch of records came to.</summary>
/// <param name="Moved">Recognised under the newest version from now on.</param>
/// <param name="Broken">Did not open and were left as they are: the old version stays for as long as there are any.</param>
/// <param name="Next">Where the next batch goes on; null at the end.</param>
public readonly record struct FingerprintBatch(int Moved, int Broken, byte[]? Next);

/// <summary>
/// Records that are recognised by keyed fingerprints. A fingerprint under another key needs what it was made of, so whoever
/// keeps such records makes them anew: through the door, as the actor that is given, each batch an entry in the log.
/// </summary>
public interface IFingerprintedRecords
{
    /// <summary>In the plural, as people read it: <c>imported records</c>.</summary>
    string Kind { get; }

    /// <summary>How many there are under each version.</summary>
    Task<IReadOnlyList<FingerprintCount>> Count(CancellationToken cancel);

    /// <summary>Makes the fingerprints of the next records anew under the newest version, in one transaction.</summary>
    /// <param name="recognition">As whom the originals are opened.</param>
    /// <param name="version">The version to leave.</param>
    /// <param name="after">What the last batch gave as its next; null at the beginning.</param>
    /// <param name="most">Records in a batch.</param>
    /// <param name="cancel">Gives up; nothing of the batch is stored then.</param>
    Task<FingerprintBatch> Move(Actor recognition, int version, byte[]? after, int most, CancellationToken cancel);
}
