namespace Mangrove.Sealing;

/// <summary>
/// What a backup needs of the keys without holding any: the vault's side of a hospital that runs, or what a key bundle gave
/// on another machine. Continuity carries ciphertext and cannot open it; through this it opens archives, in which every
/// field of a patient is sealed once more under a key that it never sees.
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

/// <summary>The keys of one backup while it is made.</summary>
public interface IArchiveMaker : IArchiveKeys, IDisposable
{
    /// <summary>Names the backup and its data archive.</summary>
    Guid Backup { get; }

    /// <summary>The epoch under whose key the key bundle stands; destroying that key destroys every bundle of the epoch.</summary>
    Guid Epoch { get; }

    /// <summary>When it was begun.</summary>
    DateTimeOffset Created { get; }

    /// <summary>Begins the data archive; once. The target stays the caller's.</summary>
    ArchiveWriter Create(Stream target);

    /// <summary>Writes the key bundle, which opens this archive and those named.</summary>
    /// <param name="target">Where it goes; stays the caller's.</param>
    /// <param name="others">Earlier archives in which chunks of this backup lie.</param>
    void WriteKeys(Stream target, IReadOnlyCollection<Guid> others);

    /// <summary>Signs the manifest.</summary>
    byte[] Sign(ReadOnlySpan<byte> manifest);
}
