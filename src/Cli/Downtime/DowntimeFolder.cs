using System.Text.Json;
using System.Text.Json.Serialization;
using Mangrove.Kernel;
using Mangrove.Vault;

namespace Mangrove.Cli.Downtime;

/// <summary>What a folder of read-only copies says of itself, and each copy in it: of which hospital, and of which of its backups.</summary>
/// <param name="Facility">The hospital.</param>
/// <param name="Current">The copy in use, a folder within; null in the copy itself, and before the first one is whole.</param>
/// <param name="Backup">The backup that it was made of.</param>
/// <param name="Number">Of that backup in its target. One that is not higher never takes its place.</param>
/// <param name="Created">When that backup was made.</param>
/// <param name="LogSize">How many entries the hospital's log had by the backup's manifest.</param>
/// <param name="LogRoot">The root over them: the next copy's log has to contain it.</param>
/// <param name="Entries">How many entries the copy's log had when it was made of the backup; what came later happened at the copy.</param>
public sealed record DowntimeMark(Guid Facility, string? Current, Guid Backup, long Number, DateTimeOffset Created, long LogSize, string LogRoot, long Entries)
{
    public int Format { get; init; } = 1;
}

/// <summary>
/// A folder that only ever holds read-only copies of one hospital: the one in use, the next one while it is being made, and the logs of
/// those that were in use. It says so by its mark, which every copy carries too, so that none is ever taken for a hospital.
/// </summary>
public sealed class DowntimeFolder : IDisposable
{
    /// <summary>The mark, in the folder and in each copy.</summary>
    public const string MarkName = "downtime.json";

    /// <summary>Where the logs of copies are kept until they are handed in; never removed by Mangrove.</summary>
    public const string LogsName = "logs";

    private const string CopyPrefix = "copy-";
    private const string LogEnding = ".audit.db";

    private readonly FolderLock taken;

    private DowntimeFolder(string path, FolderLock taken)
    {
        Folder = path;
        this.taken = taken;
        Mark = Read(path);
    }

    public string Folder { get; }

    /// <summary>What lies there; null in a new folder.</summary>
    public DowntimeMark? Mark { get; private set; }

    /// <summary>The copy in use, or null.</summary>
    public string? Current => Mark?.Current is { } name ? Path.Combine(Folder, name) : null;

    private string Logs => Path.Combine(Folder, LogsName);

    /// <summary>Whether a folder holds copies, or is one.</summary>
    public static bool IsOne(string folder) => File.Exists(Path.Combine(folder, MarkName));

    /// <summary>Refuses a folder of copies, or one copy, where a hospital is meant.</summary>
    /// <exception cref="RefusedInput"><c>downtime.copy</c>.</exception>
    public static void Refuse(string folder)
    {
        if (IsOne(folder))
        {
            throw new RefusedInput("downtime.copy", "This folder holds a read-only copy for downtimes and never becomes a hospital. Look at it with 'mangrove serve --read-only'; to bring a hospital back use 'mangrove backup restore' with another folder.");
        }
    }

    /// <summary>Takes a folder for copies: one that holds some, or an empty or new one.</summary>
    /// <exception cref="RefusedInput"><c>downtime.not-empty</c>, <c>downtime.mark-bad</c>, <c>data.in-use</c>, <c>data.unwritable</c>.</exception>
    public static DowntimeFolder Take(string folder)
    {
        if (!IsOne(folder) && Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any(entry => Path.GetFileName(entry) != "lock"))
        {
            throw new RefusedInput("downtime.not-empty", "This folder holds something else than read-only copies, a hospital perhaps. Name an empty or new folder with --data.");
        }

        try
        {
            var made = !Directory.Exists(folder);
            Directory.CreateDirectory(folder);
            if (made && !OperatingSystem.IsWindows())
            {
                File.SetUnixFileMode(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            }
        }
        catch (Exception error) when (error is UnauthorizedAccessException or IOException)
        {
            throw new RefusedInput("data.unwritable", "The data folder cannot be made or written by this account. Name another one with --data, or give the account the right to write it.");
        }

        var held = FolderLock.Take(folder);
        try
        {
            return new DowntimeFolder(folder, held);
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }

    /// <summary>A folder for the next copy, empty. What an attempt of before left under the name goes.</summary>
    public string Next(long number, Guid backup)
    {
        var path = Path.Combine(Folder, $"{CopyPrefix}{number:000000}-{backup.ToString("N")[..8]}");
        if (path == Current)
        {
            throw new InvalidOperationException("The copy in use is not made anew in its own place.");
        }

        Remove(path);
        Directory.CreateDirectory(path);
        return path;
    }

    /// <summary>Marks a folder as a copy of a backup, before anything else lies in it.</summary>
    public static void MarkCopy(string copy, DowntimeMark mark) => Write(copy, mark with { Current = null });

    /// <summary>Makes a copy that is whole the one in use. After this call it is, whatever happens.</summary>
    public void Use(string copy, DowntimeMark mark)
    {
        var next = mark with { Current = Path.GetFileName(copy) };
        Write(Folder, next);
        Mark = next;
    }

    /// <summary>Keeps a copy's log, which nobody writes any more; under the name of its copy, so that a later state of the same log takes its place.</summary>
    public void KeepLog(string copy)
    {
        Directory.CreateDirectory(Logs);

        // A copy that did not end in order left its last entries in the write-ahead log.
        foreach (var ending in new[] { "-wal", "" })
        {
            var source = Path.Combine(copy, "audit.db" + ending);
            var kept = Path.Combine(Logs, Path.GetFileName(copy) + LogEnding + ending);
            if (ending.Length > 0 && new FileInfo(source) is not { Exists: true, Length: > 0 })
            {
                File.Delete(kept);
                continue;
            }

            var part = kept + ".part";
            File.Delete(part);
            using (var from = File.OpenRead(source))
            using (var to = Durable.NewFile(part))
            {
                from.CopyTo(to);
                to.Flush(flushToDisk: true);
            }

            File.Move(part, kept, overwrite: true);
        }

        Durable.FlushFolder(Logs);
    }

    /// <summary>No copy is in use any more; which hospital's they were, and how new, is still known.</summary>
    public void Drop()
    {
        if (Mark is { } mark)
        {
            Mark = mark with { Current = null };
            Write(Folder, Mark);
        }
    }

    /// <summary>Removes every copy but the one in use. Their logs were kept before.</summary>
    public void Sweep()
    {
        foreach (var copy in Directory.EnumerateDirectories(Folder, CopyPrefix + "*").Where(path => path != Current))
        {
            Remove(copy);
        }
    }

    /// <summary>The logs that are kept in a folder of copies, or in its folder of logs that somebody carried elsewhere; oldest copy first.</summary>
    /// <exception cref="RefusedInput"><c>downtime.no-logs</c>.</exception>
    public static IReadOnlyList<string> LogsIn(string folder)
    {
        var place = IsOne(folder) ? Path.Combine(folder, LogsName) : folder;
        string[] logs = Directory.Exists(place) ? [.. Directory.EnumerateFiles(place, CopyPrefix + "*" + LogEnding).Order(StringComparer.Ordinal)] : [];
        return logs.Length > 0
            ? logs
            : throw new RefusedInput("downtime.no-logs", "No log of a read-only copy lies there. Stop the copy, then name its data folder or the folder 'logs' in it; when nobody signed in at the copy there is none, and nothing to hand in.");
    }

    public void Dispose() => taken.Dispose();

    private static void Remove(string path)
    {
        if (Directory.Exists(path))
        {
            Directory.Delete(path, recursive: true);
        }
    }

    private static DowntimeMark? Read(string folder)
    {
        var path = Path.Combine(folder, MarkName);
        if (!File.Exists(path))
        {
            return null;
        }

        try
        {
            var mark = JsonSerializer.Deserialize(File.ReadAllBytes(path), DowntimeJson.Default.DowntimeMark);
            return mark is { Format: 1, Current: null or { Length: > 0 }, LogRoot: not null } && (mark.Current is null || Path.GetFileName(mark.Current) == mark.Current)
                ? mark
                : throw Bad();
        }
        catch (JsonException)
        {
            throw Bad();
        }
    }

    private static void Write(string folder, DowntimeMark mark)
    {
        var path = Path.Combine(folder, MarkName);
        var part = path + ".part";
        File.Delete(part);
        using (var file = Durable.NewFile(part))
        {
            JsonSerializer.Serialize(file, mark, DowntimeJson.Default.DowntimeMark);
            file.Flush(flushToDisk: true);
        }

        File.Move(part, path, overwrite: true);
        Durable.FlushFolder(folder);
    }

    private static RefusedInput Bad() => new("downtime.mark-bad", "downtime.json of this folder cannot be read. Keep the folder 'logs' in it to hand it in, and name an empty folder with --data.");
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, WriteIndented = true)]
[JsonSerializable(typeof(DowntimeMark))]
internal sealed partial class DowntimeJson : JsonSerializerContext;
