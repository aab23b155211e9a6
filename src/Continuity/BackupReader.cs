using System.Security.Cryptography;
using Mangrove.Kernel;
using Mangrove.Sealing;

namespace Mangrove.Continuity;

/// <summary>
/// Reads a backup. Opening proves the list of chunks against the signed manifest; <see cref="Verify"/> then reads every
/// chunk of every archive; only after both does a restore write anything.
/// </summary>
public sealed class BackupReader : IDisposable
{
    private readonly Dictionary<Guid, ArchiveReader> archives = [];
    private readonly BackupFolder folder;
    private readonly StoredBackup stored;
    private readonly IArchiveKeys keys;
    private readonly Dictionary<Guid, string> paths = [];

    private BackupReader(BackupFolder folder, StoredBackup stored, IArchiveKeys keys)
    {
        this.folder = folder;
        this.stored = stored;
        this.keys = keys;
    }

    internal ChunkTable Table { get; private set; } = new([]);

    /// <summary>Names of the files in it.</summary>
    public IEnumerable<string> Names => Table.Files.Select(file => file.Name);

    /// <summary>Opens a backup and proves its list of chunks.</summary>
    /// <exception cref="RefusedInput"><c>backup.damaged</c>, <c>backup.archive-missing</c>.</exception>
    public static BackupReader Open(BackupFolder folder, StoredBackup stored, IArchiveKeys keys)
    {
        var reader = new BackupReader(folder, stored, keys);
        try
        {
            reader.ReadTable();
            var opened = reader;
            reader = null;
            return opened;
        }
        catch (Exception broken) when (broken is SealBroken or CanonicalBroken or OverflowException)
        {
            throw Damaged();
        }
        finally
        {
            reader?.Dispose();
        }
    }

    /// <summary>Reads every chunk and compares its hash. Writes nothing. Works on the caller's thread between two chunks: give it one of its own.</summary>
    /// <exception cref="RefusedInput"><c>backup.damaged</c>, <c>backup.archive-missing</c>.</exception>
    public async Task Verify(IProgress<long>? progress, CancellationToken cancel)
    {
        var done = 0L;
        foreach (var file in Table.Files)
        {
            done = await Copy(file, Stream.Null, done, progress, cancel);
        }
    }

    /// <summary>Writes the files, each chunk after it was proven, and makes them durable.</summary>
    /// <param name="target">Gives the path for a name; the caller sees to it that it lies where it may.</param>
    /// <exception cref="RefusedInput"><c>backup.damaged</c>, <c>backup.archive-missing</c>.</exception>
    public async Task Extract(Func<string, string> target, IProgress<long>? progress, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(target);
        var done = 0L;
        foreach (var file in Table.Files)
        {
            using var written = Durable.NewFile(target(file.Name));
            done = await Copy(file, written, done, progress, cancel);
            written.Flush(flushToDisk: true);
        }
    }

    public void Dispose()
    {
        foreach (var archive in archives.Values)
        {
            archive.Dispose();
        }

        archives.Clear();
    }

    private async Task<long> Copy(TableFile file, Stream target, long done, IProgress<long>? progress, CancellationToken cancel)
    {
        // Two buffers: one chunk is hashed and written while the next is opened.
        var buffers = new[] { new byte[Archive.LongestChunk], new byte[Archive.LongestChunk] };
        var proving = Task.CompletedTask;
        try
        {
            for (var at = 0; at < file.Chunks.Count; at++)
            {
                cancel.ThrowIfCancellationRequested();
                var chunk = file.Chunks[at];
                var buffer = buffers[at % 2];
                ArchiveOf(chunk.Archive).Read(chunk.Place, buffer);
                await proving;
                proving = Task.Run(() => Prove(chunk, buffer, target), cancel);
                done += chunk.Place.Length;
                if (at % 64 == 0)
                {
                    progress?.Report(done);
                }
            }

            await proving;
        }
        catch (SealBroken)
        {
            throw Damaged();
        }
        finally
        {
            // Nobody leaves while a chunk is still being written to a file that is about to be closed.
            await proving.ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        }

        progress?.Report(done);
        return done;
    }

    private static void Prove(ChunkEntry chunk, byte[] buffer, Stream target)
    {
        var content = buffer.AsSpan(0, chunk.Place.Length);
        if (ChunkHash.Of(content) != chunk.Hash)
        {
            throw new SealBroken();
        }

        target.Write(content);
    }

    private void ReadTable()
    {
        var manifest = stored.Manifest;
        if (manifest.Table.Length > int.MaxValue || !File.Exists(stored.DataPath) || new FileInfo(stored.DataPath).Length != manifest.Length)
        {
            throw Damaged();
        }

        var own = ArchiveOf(manifest.Backup);
        var bytes = new byte[manifest.Table.Length];
        var place = new ArchivePlace(manifest.Table.Index, manifest.Table.Offset, 0);
        for (var at = 0; at < bytes.Length; at += Archive.LongestChunk)
        {
            place = place with { Length = Math.Min(Archive.LongestChunk, bytes.Length - at) };
            own.Read(place, bytes.AsSpan(at, place.Length));
            place = new ArchivePlace(checked(place.Index + 1), place.Offset + Archive.SizeOf(place.Length), 0);
        }

        if (!Convert.ToHexStringLower(SHA256.HashData(bytes)).Equals(manifest.Table.Sha256, StringComparison.Ordinal))
        {
            throw Damaged();
        }

        Table = ChunkTable.Parse(bytes);
        foreach (var archive in Table.Files.SelectMany(file => file.Chunks).Select(chunk => chunk.Archive).Distinct())
        {
            ArchiveOf(archive);
        }
    }

    private ArchiveReader ArchiveOf(Guid id)
    {
        if (archives.TryGetValue(id, out var open))
        {
            return open;
        }

        var file = new FileStream(PathOf(id), FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, 1 << 18, FileOptions.SequentialScan);
        return archives[id] = keys.Open(id, file);
    }

    /// <summary>Archives are named by number and time; which is which stands in each one's header, proven when its first chunk opens.</summary>
    private string PathOf(Guid id)
    {
        if (id == stored.Manifest.Backup)
        {
            return stored.DataPath;
        }

        if (paths.Count == 0)
        {
            var header = new byte[ArchiveHeader.Size];
            foreach (var path in Directory.EnumerateFiles(folder.Folder, "*" + BackupFolder.DataEnding))
            {
                using var file = File.OpenRead(path);
                if (file.ReadAtLeast(header, header.Length, throwOnEndOfStream: false) == header.Length)
                {
                    try
                    {
                        paths.TryAdd(ArchiveHeader.Parse(header).Id, path);
                    }
                    catch (SealBroken)
                    {
                        // Some other file: it is nobody's archive, and only those that are needed count.
                    }
                }
            }
        }

        return paths.TryGetValue(id, out var found)
            ? found
            : throw new RefusedInput("backup.archive-missing", "A file that this backup builds on is missing from the target. Use another backup, or bring the file back.");
    }

    private static RefusedInput Damaged() => new("backup.damaged", "This backup is damaged or was changed. Nothing was restored; use another backup.");
}
