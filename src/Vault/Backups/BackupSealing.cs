using Mangrove.Sealing;
using Mangrove.Vault.Keys;

namespace Mangrove.Vault.Backups;

/// <summary>The keys of archives on the hospital that runs.</summary>
internal class LiveArchiveKeys(BackupKeys keys, IReadOnlyDictionary<Guid, WrappedBackupKey> archives, CheckpointSigner signer, Guid facility) : IArchiveKeys, IDisposable
{
    private readonly CheckpointVerifier verifier = CheckpointVerifier.From(signer.ExportPublicKey());

    public Guid Facility => facility;

    protected BackupKeys Keys => keys;

    protected CheckpointSigner Signer => signer;

    protected IReadOnlyDictionary<Guid, WrappedBackupKey> Archives => archives;

    public ArchiveReader Open(Guid id, Stream source) => ArchiveOpening.Open(
        source, facility, id, () => archives.TryGetValue(id, out var wrapped) ? keys.Archive(wrapped) : throw new SealBroken());

    public bool Verify(ReadOnlySpan<byte> manifest, ReadOnlySpan<byte> signature) => verifier.Verify(manifest, signature);

    public virtual void Dispose()
    {
        verifier.Dispose();
        signer.Dispose();
    }
}

/// <summary>Opens an archive only as what it was asked for.</summary>
internal static class ArchiveOpening
{
    public static ArchiveReader Open(Stream source, Guid facility, Guid id, Func<KeyMaterial> key)
    {
        try
        {
            return new ArchiveReader(source, header => header.Kind == ArchiveKind.Data && header.Facility == facility && header.Id == id ? key() : throw new SealBroken());
        }
        catch
        {
            source.Dispose();
            throw;
        }
    }
}

/// <summary>One backup while it is made: its archive's key, and the copy of keys.db that goes into its bundle.</summary>
internal sealed class BackupSealing : LiveArchiveKeys, IArchiveMaker
{
    private readonly IReadOnlyList<(KeyPurpose Purpose, int Version, KeyMaterial Key)> purposes;
    private readonly string facilityName;
    private readonly KeyMaterial archive;
    private readonly KeyMaterial epoch;
    private readonly IReadOnlyList<RecoverySlot> slots;
    private readonly IReadOnlyList<SnapshotPart> keysCopy;

    internal BackupSealing(
        LiveRing live,
        (Guid Id, KeyMaterial Key) archive,
        (Guid Id, KeyMaterial Key) epoch,
        IReadOnlyList<RecoverySlot> slots,
        IReadOnlyList<SnapshotPart> keysCopy,
        DateTimeOffset created)
        : base(live.Keys, live.Archives, live.Signer, live.Facility)
    {
        purposes = live.Purposes;
        facilityName = live.FacilityName;
        this.archive = archive.Key;
        this.epoch = epoch.Key;
        this.slots = slots;
        this.keysCopy = keysCopy;
        Backup = archive.Id;
        Epoch = epoch.Id;
        Created = created;
    }

    public Guid Backup { get; }

    public Guid Epoch { get; }

    public DateTimeOffset Created { get; }

    public ArchiveWriter Create(Stream target) =>
        new(target, archive, new ArchiveHeader(ArchiveKind.Data, Facility, Backup, Backup, Created, new byte[32]), leaveOpen: true);

    public void WriteKeys(Stream target, IReadOnlyCollection<Guid> others)
    {
        var blobs = new List<(Guid, KeyMaterial)> { (Backup, archive) };
        var opened = new List<KeyMaterial>();
        try
        {
            foreach (var other in others)
            {
                var key = Archives.TryGetValue(other, out var wrapped) ? Keys.Archive(wrapped) : throw new SealBroken();
                opened.Add(key);
                blobs.Add((other, key));
            }

            BundleWriting.Write(
                target,
                new BundleHead { Facility = Facility, FacilityName = facilityName, Backup = Backup, Epoch = Epoch, Created = Created, Slots = slots },
                epoch,
                new BundleKeys(facilityName, Signer.ExportPublicKey(), purposes, blobs, [.. keysCopy.Select(part => (part.Name, part.Length))]),
                [.. keysCopy.Select(part => part.Path)]);
        }
        finally
        {
            opened.ForEach(key => key.Dispose());
        }
    }

    public byte[] Sign(ReadOnlySpan<byte> manifest) => Signer.Sign(manifest);

    public override void Dispose()
    {
        archive.Dispose();
        epoch.Dispose();
        base.Dispose();
    }
}

/// <summary>The parts of a running hospital that its backups are sealed with.</summary>
internal sealed record LiveRing(IReadOnlyList<(KeyPurpose Purpose, int Version, KeyMaterial Key)> Purposes, BackupKeys Keys, IReadOnlyDictionary<Guid, WrappedBackupKey> Archives, CheckpointSigner Signer, Guid Facility, string FacilityName);
