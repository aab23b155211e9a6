using System.Security.Cryptography;
using Mangrove.Kernel;
using Mangrove.Sealing;

namespace Mangrove.Continuity;

/// <summary>A file that goes into a backup: ciphertext, and lying still.</summary>
/// <param name="Name">As the backup names it.</param>
/// <param name="Path">Where it lies.</param>
public sealed record BackupSource(string Name, string Path);

/// <summary>What a backup says of the hospital, measured on the copies that go into it.</summary>
public sealed record BackupFacts(string Version, string Storage, string Schema, ManifestAudit Audit, IReadOnlyDictionary<string, long> Rows);

/// <summary>
/// Writes a backup into a target: the chunks that no backup before holds, the list of all of them, the key bundle, and
/// last the signed manifest. Each file is durable under its name before the next begins, so whatever interrupts it leaves
/// the backups of before and nothing that looks like a new one.
/// </summary>
public static class BackupWriter
{
    /// <summary>Content of a chunk: the unit in which unchanged pieces are found again.</summary>
    public const int ChunkSize = 256 * 1024;

    private const int ChunksAtOnce = 32;

    /// <summary>Writes the backup.</summary>
    /// <param name="folder">The hospital's folder in the target; made when it is missing.</param>
    /// <param name="maker">Its keys.</param>
    /// <param name="files">What goes in.</param>
    /// <param name="facts">What it says of the hospital.</param>
    /// <param name="complete">True to write every chunk anew, whatever lies there.</param>
    /// <param name="after">The highest number that this target ever had; the new one is higher.</param>
    /// <param name="progress">Bytes of content done.</param>
    /// <param name="cancel">Gives up and leaves nothing.</param>
    public static async Task<StoredBackup> Write(
        BackupFolder folder, IArchiveMaker maker, IReadOnlyList<BackupSource> files, BackupFacts facts, bool complete, long after, IProgress<long>? progress, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(folder);
        ArgumentNullException.ThrowIfNull(maker);
        Directory.CreateDirectory(folder.Folder);
        folder.Sweep();

        // One that cannot be read stays for a person to look at, and keeps nobody from making the next.
        var before = folder.Survey(maker).Backups;
        var last = before.Count > 0 ? before[^1] : null;
        var known = complete || last is null ? [] : Known(folder, last, maker);
        complete = known.Count == 0;

        var number = Math.Max(after, last?.Manifest.Number ?? 0) + 1;
        var name = folder.NameOf(number, maker.Created);
        var manifest = new BackupManifest
        {
            Facility = maker.Facility,
            Backup = maker.Backup,
            Number = number,
            Previous = last?.Hash,
            Created = DateTimeOffset.FromUnixTimeMilliseconds(maker.Created.ToUnixTimeMilliseconds()),
            Complete = complete,
            Version = facts.Version,
            Storage = facts.Storage,
            Schema = facts.Schema,
            Audit = facts.Audit,
            Rows = facts.Rows,
            Epoch = maker.Epoch,
        };
        string[] parts = [name + BackupFolder.DataEnding, name + BackupFolder.KeysEnding, name + BackupFolder.ManifestEnding];
        try
        {
            await Task.Run(
                async () =>
                {
                    using (var data = Create(parts[0]))
                    {
                        manifest = await Data(data, maker, files, known, manifest, progress, cancel);
                        data.Flush(flushToDisk: true);
                    }

                    Publish(parts[0]);
                    using (var keys = Create(parts[1]))
                    {
                        maker.WriteKeys(keys, [.. manifest.Archives.Skip(1)]);
                        keys.Flush(flushToDisk: true);
                    }

                    Publish(parts[1]);
                    cancel.ThrowIfCancellationRequested();
                    var line = manifest.ToBytes();
                    using (var file = Create(parts[2]))
                    {
                        file.Write(BackupManifest.File(line, maker.Sign(line)));
                        file.Flush(flushToDisk: true);
                    }

                    Publish(parts[2]);
                    Durable.FlushFolder(folder.Folder);
                },
                cancel);
        }
        catch
        {
            foreach (var part in parts)
            {
                File.Delete(part);
                File.Delete(part + BackupFolder.PartEnding);
            }

            throw;
        }

        return BackupFolder.Read(parts[2], maker);
    }

    private static async Task<BackupManifest> Data(
        FileStream target, IArchiveMaker maker, IReadOnlyList<BackupSource> files, Dictionary<ChunkHash, ChunkEntry> known, BackupManifest manifest, IProgress<long>? progress, CancellationToken cancel)
    {
        using var archive = maker.Create(target);
        var table = new List<TableFile>();
        var done = 0L;
        var buffers = new[] { new byte[ChunkSize * ChunksAtOnce], new byte[ChunkSize * ChunksAtOnce] };
        foreach (var source in files)
        {
            using var file = new FileStream(source.Path, FileMode.Open, FileAccess.Read, FileShare.Read, 0, FileOptions.SequentialScan);
            var chunks = new List<ChunkEntry>();
            var turn = 0;

            // While one group is sealed and written, the next is read and hashed.
            var next = Task.Run(() => Read(file, buffers[0]), cancel);
            while (await next is { Length: > 0 } group)
            {
                cancel.ThrowIfCancellationRequested();
                var buffer = buffers[turn];
                turn = 1 - turn;
                var other = buffers[turn];
                next = Task.Run(() => Read(file, other), cancel);
                for (var at = 0; at < group.Length; at++)
                {
                    var (hash, length) = group[at];
                    if (!known.TryGetValue(hash, out var entry))
                    {
                        entry = new ChunkEntry(hash, maker.Backup, archive.Write(buffer.AsSpan(at * ChunkSize, length)));
                        known[hash] = entry;
                    }

                    chunks.Add(entry);
                    done += length;
                }

                progress?.Report(done);
            }

            table.Add(new TableFile(source.Name, chunks.Sum(chunk => (long)chunk.Place.Length), chunks));
        }

        IReadOnlyList<Guid> archives = [maker.Backup, .. table.SelectMany(file => file.Chunks).Select(chunk => chunk.Archive).Where(id => id != maker.Backup).Distinct()];
        var bytes = new ChunkTable(table).ToBytes(archives);
        var place = WriteTable(archive, bytes);
        return manifest with
        {
            Length = archive.Length,
            Content = done,
            Archives = archives,
            Table = new ManifestTable(place.Index, place.Offset, bytes.Length, Convert.ToHexStringLower(SHA256.HashData(bytes))),
        };
    }

    /// <summary>The list in as many chunks as it needs; the last of them ends the archive.</summary>
    private static ArchivePlace WriteTable(ArchiveWriter archive, byte[] bytes)
    {
        ArchivePlace? first = null;
        for (var at = 0; at < bytes.Length; at += Archive.LongestChunk)
        {
            var piece = bytes.AsSpan(at, Math.Min(Archive.LongestChunk, bytes.Length - at));
            var place = at + piece.Length == bytes.Length ? archive.Finish(piece) : archive.Write(piece);
            first ??= place;
        }

        return first!.Value;
    }

    private static (ChunkHash Hash, int Length)[] Read(FileStream file, byte[] buffer)
    {
        var read = file.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
        var group = new (ChunkHash, int)[(read + ChunkSize - 1) / ChunkSize];
        for (var at = 0; at < group.Length; at++)
        {
            var length = Math.Min(ChunkSize, read - (at * ChunkSize));
            group[at] = (ChunkHash.Of(buffer.AsSpan(at * ChunkSize, length)), length);
        }

        return group;
    }

    /// <summary>The chunks of the backup before that can still be opened; none when anything of it is missing or damaged.</summary>
    private static Dictionary<ChunkHash, ChunkEntry> Known(BackupFolder folder, StoredBackup last, IArchiveMaker maker)
    {
        try
        {
            using var reader = BackupReader.Open(folder, last, maker);
            var known = new Dictionary<ChunkHash, ChunkEntry>();
            foreach (var chunk in reader.Table.Files.SelectMany(file => file.Chunks))
            {
                known[chunk.Hash] = chunk;
            }

            return known;
        }
        catch (RefusedInput)
        {
            // What the backup before holds cannot be relied on, so this one holds everything itself.
            return [];
        }
    }

    private static FileStream Create(string path) => Durable.NewFile(path + BackupFolder.PartEnding);

    private static void Publish(string path) => File.Move(path + BackupFolder.PartEnding, path);
}
