namespace Mangrove.Sealing;

/// <summary>
/// What a backup needs of the keys without holding any: the vault's side of a hospital that runs, or what a key bundle gave
/// on another machine. Continuity carries ciphertext and cannot open it; through this it seals and opens archives, in
/// which every field of a patient is sealed once more under a key that it never sees.
/// </summary>
public interface IArchiveKeys
{
    /// <summary>The hospital.</summary>
    Guid Facility { get; }

    /// <summary>Opens a data archive.</summary>
    /// <param name="id">Which one; its header must say the same.</param>
    /// <param name="source">Where it lies; closed with the reader, or when it cannot be opened.</param>
    /// <exception cref="SealBroken">It is another archive, or its key is unknown or was destroyed.</exception>
    ArchiveReader Open(Guid id, Stream source);

    /// <summary>Whether this is the hospital's own signature of exactly these bytes.</summary>
    bool Verify(ReadOnlySpan<byte> manifest, ReadOnlySpan<byte> signature);
}
