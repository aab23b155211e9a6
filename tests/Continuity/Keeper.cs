using System.Security.Cryptography;
using Mangrove.Continuity;
using Mangrove.Kernel;
using Mangrove.Sealing;

namespace Mangrove.Tests.Continuity;

/// <summary>The keys of a hospital as a backup needs them, without a hospital.</summary>
internal sealed class Keeper : IDisposable
{
    private readonly CheckpointSigner signer = CheckpointSigner.Generate();
    private readonly CheckpointVerifier verifier;
    private readonly Dictionary<Guid, KeyMaterial> keys = [];

    public Keeper() => verifier = CheckpointVerifier.From(signer.ExportPublicKey());

    public Guid Facility { get; } = Ids.New();

    public IArchiveKeys Keys => new Maker(this, Guid.Empty, default);

    /// <summary>Destroys the key of an archive.</summary>
    public void Forget(Guid archive)
    {
        keys[archive].Dispose();
        keys.Remove(archive);
    }

    public IArchiveMaker Begin(DateTimeOffset created)
    {
        var id = Ids.New();
        keys[id] = KeyMaterial.Generate();
        return new Maker(this, id, created);
    }

    public void Dispose()
    {
        signer.Dispose();
        verifier.Dispose();
        foreach (var key in keys.Values)
        {
            key.Dispose();
        }
    }

    private sealed class Maker(Keeper keeper, Guid id, DateTimeOffset created) : IArchiveMaker
    {
        public Guid Facility => keeper.Facility;

        public Guid Backup => id;

        public Guid Epoch => Guid.Empty;

        public DateTimeOffset Created => created;

        public ArchiveWriter Create(Stream target) =>
            new(target, keeper.keys[id], new ArchiveHeader(ArchiveKind.Data, keeper.Facility, id, id, created, new byte[32]), leaveOpen: true);

        public ArchiveReader Open(Guid archive, Stream source)
        {
            try
            {
                return new ArchiveReader(source, header => header.Kind == ArchiveKind.Data && header.Facility == keeper.Facility && header.Id == archive && keeper.keys.TryGetValue(archive, out var key)
                    ? KeyMaterial.From(key.Bytes)
                    : throw new SealBroken());
            }
            catch
            {
                source.Dispose();
                throw;
            }
        }

        public void WriteKeys(Stream target, IReadOnlyCollection<Guid> others) => target.Write("keys"u8);

        public byte[] Sign(ReadOnlySpan<byte> manifest) => keeper.signer.Sign(manifest);

        public bool Verify(ReadOnlySpan<byte> manifest, ReadOnlySpan<byte> signature) => keeper.verifier.Verify(manifest, signature);

        public void Dispose()
        {
            // The keeper's keys outlive one backup.
        }
    }
}

/// <summary>A folder of files that change, and a target that they are backed up to.</summary>
internal sealed class Ground : IDisposable
{
    private static readonly DateTimeOffset First = new(2026, 11, 1, 6, 0, 0, TimeSpan.Zero);
    private readonly string root = Directory.CreateTempSubdirectory("mangrove-continuity-").FullName;
    private int made;

    public Keeper Keeper { get; } = new();

    public string Target => Path.Combine(root, "target");

    public BackupFolder Folder => BackupFolder.In(Target, Keeper.Facility);

    public Dictionary<string, byte[]> Files { get; } = new(StringComparer.Ordinal);

    /// <summary>When the backup of this number was begun: one a day.</summary>
    public static DateTimeOffset Day(int number) => First.AddDays(number - 1);

    public static byte[] Random(int length) => RandomNumberGenerator.GetBytes(length);

    public async Task<StoredBackup> Backup(bool complete = false, long after = 0, CancellationToken cancel = default)
    {
        var source = Directory.CreateDirectory(Path.Combine(root, $"source-{made}")).FullName;
        var files = new List<BackupSource>();
        foreach (var (name, content) in Files)
        {
            var path = Path.Combine(source, name.Replace('/', '.'));
            await File.WriteAllBytesAsync(path, content, cancel);
            files.Add(new BackupSource(name, path));
        }

        using var maker = Keeper.Begin(Day(++made));
        var facts = new BackupFacts("0.1.0", "sqlite", "20261101_First", new ManifestAudit(10 * made, new string('a', 64)), new Dictionary<string, long>(StringComparer.Ordinal) { ["clinic.patients"] = made });
        return await BackupWriter.Write(Folder, maker, files, facts, complete, after, null, cancel);
    }

    /// <summary>Restores into a new folder and gives what came out.</summary>
    public async Task<Dictionary<string, byte[]>> Restore(StoredBackup stored)
    {
        var place = Directory.CreateDirectory(Path.Combine(root, Ids.New().ToString("N"))).FullName;
        using var reader = BackupReader.Open(Folder, stored, Keeper.Keys);
        await reader.Verify(null, default);
        await reader.Extract(name => Path.Combine(place, name.Replace('/', '.')), null, default);
        return Files.Keys.Where(name => File.Exists(Path.Combine(place, name.Replace('/', '.')))).ToDictionary(name => name, name => File.ReadAllBytes(Path.Combine(place, name.Replace('/', '.'))), StringComparer.Ordinal);
    }

    public void Dispose()
    {
        Keeper.Dispose();
        Directory.Delete(root, recursive: true);
    }
}
