using System.Collections.Frozen;
using Mangrove.Kernel;
using Mangrove.Sealing;
using Mangrove.Vault.Keys;

namespace Mangrove.Vault.Backups;

/// <summary>
/// A key bundle that was opened, by the hospital that runs or by whoever recovers: it opens the archives of its backup and
/// makes a keys.db of it under a new root key. Dispose zeroes every key.
/// </summary>
public sealed class OpenedBundle : IArchiveKeys, IDisposable
{
    private readonly BundleHead head;
    private readonly BundleKeys keys;
    private readonly CheckpointVerifier verifier;
    private readonly ArchiveReader reader;

    private OpenedBundle(BundleHead head, BundleKeys keys, CheckpointVerifier verifier, ArchiveReader reader)
    {
        this.head = head;
        this.keys = keys;
        this.verifier = verifier;
        this.reader = reader;
    }

    public Guid Facility => head.Facility;

    public string FacilityName => keys.FacilityName;

    public Guid Backup => head.Backup;

    internal BundleHead Head => head;

    internal BundleKeys Keys => keys;

    /// <summary>The copies of the key store that it carries.</summary>
    public IReadOnlyList<(string Name, long Length)> Parts => keys.Parts;

    /// <summary>Opens a bundle through one of its slots.</summary>
    /// <param name="path">The bundle's file.</param>
    /// <param name="secret">Passphrase, key file or shares.</param>
    /// <exception cref="RefusedInput"><c>backup.damaged</c>, or a code of the recovery: the secret is not the one that opens it.</exception>
    public static OpenedBundle Open(string path, RecoverySecret secret) => Open(path, head =>
        RecoveryRecipients.Open(head.Slots, BundleHead.SlotContext(head.Facility, head.Epoch), secret));

    /// <summary>How a bundle can be opened, told without opening it: the kinds of its slots, and what shares are needed.</summary>
    /// <exception cref="RefusedInput"><c>backup.damaged</c>.</exception>
    public static (string FacilityName, IReadOnlyList<RecoverySlot> Slots) Look(string path)
    {
        using var file = File.OpenRead(path);
        try
        {
            var (head, _) = BundleHead.ReadFrom(file);
            return (head.FacilityName, head.Slots);
        }
        catch (SealBroken)
        {
            throw Damaged();
        }
    }

    public ArchiveReader Open(Guid id, Stream source) => ArchiveOpening.Open(source, Facility, id, () =>
        keys.Blobs.FirstOrDefault(blob => blob.Id == id).Key is { } key ? KeyMaterial.From(key.Bytes) : throw new SealBroken());

    public bool Verify(ReadOnlySpan<byte> manifest, ReadOnlySpan<byte> signature) => verifier.Verify(manifest, signature);

    /// <summary>Reads the bundle to its end, so that a damaged one is found before anything is written.</summary>
    /// <exception cref="RefusedInput"><c>backup.damaged</c>.</exception>
    public void Check() => Copy(null);

    /// <summary>Writes the copies of the key store into a folder, a file each.</summary>
    /// <exception cref="RefusedInput"><c>backup.damaged</c>.</exception>
    public IReadOnlyList<SnapshotPart> Extract(string folder) => Copy(folder);

    /// <summary>Protects the hospital anew: a new root key over the purpose keys of keys.db, which was put in place before.</summary>
    /// <param name="storage">Where the hospital is restored.</param>
    /// <param name="secret">The protector of the new root key.</param>
    /// <param name="cancel">Gives up.</param>
    /// <exception cref="RefusedInput">As <see cref="VaultRoom.Create"/> for the protector; <c>restore.keys-differ</c>.</exception>
    public async Task Protect(StorageOptions storage, RootSecret secret, CancellationToken cancel)
    {
        using var root = await RootProtector.Create(storage.Folder, secret, FacilityName, Facility, cancel);
        await KeyRing.Rewrap(new Store(storage, "keys"), keys.Purposes, root, cancel);
    }

    public void Dispose()
    {
        reader.Dispose();
        verifier.Dispose();
        Wipe(keys);
    }

    /// <summary>Opens a bundle by the epoch key that the caller finds for it.</summary>
    internal static OpenedBundle Open(string path, Func<BundleHead, KeyMaterial> epochOf)
    {
        var file = File.OpenRead(path);
        ArchiveReader? archive = null;
        BundleKeys? inside = null;
        try
        {
            var (head, hash) = BundleHead.ReadFrom(file);
            using var epoch = epochOf(head);
            archive = new ArchiveReader(file, header =>
                header.Kind == ArchiveKind.Keys && header.Facility == head.Facility && header.Id == head.Backup && header.KeyId == head.Epoch && header.Bound.Span.SequenceEqual(hash)
                    ? KeyWrap.UnwrapBound(epoch, head.Wrapped, head.KeyContext())
                    : throw new SealBroken());
            if (!archive.Next(out var first))
            {
                throw new SealBroken();
            }

            inside = BundleKeys.Parse(first);
            var opened = new OpenedBundle(head, inside, CheckpointVerifier.From(inside.SignerPublic), archive);
            archive = null;
            inside = null;
            file = null;
            return opened;
        }
        catch (Exception broken) when (broken is SealBroken or CanonicalBroken)
        {
            throw Damaged();
        }
        finally
        {
            archive?.Dispose();
            file?.Dispose();
            if (inside is not null)
            {
                Wipe(inside);
            }
        }
    }

    private List<SnapshotPart> Copy(string? folder)
    {
        try
        {
            var parts = new List<SnapshotPart>();
            foreach (var (name, length) in keys.Parts)
            {
                var path = folder is null ? null : Path.Combine(folder, PartName.FileOf(name));
                using var target = path is null ? Stream.Null : new FileStream(path, FileMode.CreateNew, FileAccess.Write);
                for (var left = length; left > 0;)
                {
                    if (!reader.Next(out var content) || content.Length > left || content.Length == 0)
                    {
                        throw new SealBroken();
                    }

                    target.Write(content);
                    left -= content.Length;
                }

                if (target is FileStream file)
                {
                    file.Flush(flushToDisk: true);
                    parts.Add(new SnapshotPart(name, path!, length, FrozenDictionary<string, long>.Empty));
                }
            }

            return reader.Next(out var rest) && rest.Length == 0 && !reader.Next(out _) ? parts : throw new SealBroken();
        }
        catch (SealBroken)
        {
            throw Damaged();
        }
    }

    private static void Wipe(BundleKeys keys)
    {
        foreach (var key in keys.Purposes.Select(entry => entry.Key).Concat(keys.Blobs.Select(entry => entry.Key)))
        {
            key.Dispose();
        }
    }

    private static RefusedInput Damaged() => new("backup.damaged", "This backup is damaged or was changed. Nothing was restored; use another backup.");
}

/// <summary>Names of parts as files: they come from a signed and sealed list, and still never lead anywhere.</summary>
public static class PartName
{
    /// <summary>The file name of a part within a folder.</summary>
    /// <exception cref="RefusedInput"><c>backup.part-name</c>: the name is none that a backup writes.</exception>
    public static string FileOf(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return name.Length is > 0 and <= 120 && name.All(sign => char.IsAsciiLetterLower(sign) || char.IsAsciiDigit(sign) || sign is '_' or '-' or '/' or '.')
            && !name.Contains("..", StringComparison.Ordinal) && char.IsAsciiLetterOrDigit(name[0]) && name.Count(sign => sign == '/') <= 1
            ? name.Replace('/', '.')
            : throw new RefusedInput("backup.part-name", "This backup names a file that no backup contains. Nothing was restored.");
    }
}
