using System.IO.Compression;
using Mangrove.Kernel;

namespace Mangrove.Portability.Package;

/// <summary>
/// Opens what a person names for import: files, folders, zip and tar archives, one file after the other, in a stable order.
/// Nothing is unpacked to disk, nothing outside of the named paths is read, and every file that is not handed out is
/// answered with its reason.
/// </summary>
public sealed class InputFiles(InputLimits limits)
{
    private static readonly string[] PointedTo = ["Patient.", "Encounter.", "Observation."];

    public InputFiles()
        : this(new InputLimits())
    {
    }

    /// <summary>The files behind <paramref name="paths"/>. Never throws for what it finds there.</summary>
    public IEnumerable<InputFile> Open(IEnumerable<string> paths)
    {
        var allowance = new Allowance(limits);
        foreach (var path in paths)
        {
            foreach (var file in Path(path, allowance))
            {
                yield return file;
                if (allowance.Exhausted)
                {
                    yield break;
                }
            }
        }
    }

    private static IEnumerable<InputFile> Path(string path, Allowance allowance)
    {
        if (path.Length == 0 || path.Contains('\0', StringComparison.Ordinal))
        {
            return [InputFile.Refused(path, InputErrors.NotFound)];
        }

        return Directory.Exists(path) ? Folder(path, allowance) : OneFile(path, allowance, linksRefused: false);
    }

    private static IEnumerable<InputFile> Folder(string folder, Allowance allowance)
    {
        var everything = new EnumerationOptions { RecurseSubdirectories = false, IgnoreInaccessible = false, AttributesToSkip = FileAttributes.None, ReturnSpecialDirectories = false };
        var waiting = new Stack<string>([folder]);
        while (waiting.TryPop(out var here))
        {
            var (found, error) = Look(here, everything);
            if (error is not null)
            {
                yield return InputFile.Refused(here, error);
                continue;
            }

            foreach (var item in found.Where(static item => item.Attributes.HasFlag(FileAttributes.Directory)).Reverse())
            {
                if (!item.Attributes.HasFlag(FileAttributes.ReparsePoint))
                {
                    waiting.Push(item.FullName);
                }
            }

            foreach (var item in found)
            {
                if (item.Attributes.HasFlag(FileAttributes.ReparsePoint))
                {
                    yield return InputFile.Refused(item.FullName, InputErrors.NotAFile);
                }
                else if (!item.Attributes.HasFlag(FileAttributes.Directory))
                {
                    foreach (var file in OneFile(item.FullName, allowance, linksRefused: true))
                    {
                        yield return file;
                    }
                }
            }
        }
    }

    private static (FileSystemInfo[] Found, Error? Error) Look(string folder, EnumerationOptions options)
    {
        try
        {
            var found = new DirectoryInfo(folder).GetFileSystemInfos("*", options);
            Array.Sort(found, static (a, b) => Order(a.Name, b.Name));
            return (found, null);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or System.Security.SecurityException)
        {
            return ([], InputErrors.Unreadable);
        }
    }

    /// <summary>
    /// By name; but where an export has one file for each type, patients, visits and observations come before what points
    /// to them, so that nothing has to wait in memory for its patient.
    /// </summary>
    private static int Order(string a, string b)
    {
        static int Rank(string name) => Array.FindIndex(PointedTo, type => name.StartsWith(type, StringComparison.Ordinal) && EntryName.Kind(name) is { Ok: true, Value: InputKind.Ndjson }) is >= 0 and var rank ? rank : PointedTo.Length;
        return Rank(a).CompareTo(Rank(b)) is not 0 and var first ? first : string.CompareOrdinal(a, b);
    }

    private static IEnumerable<InputFile> OneFile(string path, Allowance allowance, bool linksRefused)
    {
        var (file, error) = OpenFile(path, linksRefused);
        if (file is null)
        {
            yield return InputFile.Refused(path, error!);
            yield break;
        }

        using (file)
        {
            if (EntryName.IsZip(path) || EntryName.IsTarGz(path) || EntryName.IsTar(path))
            {
                foreach (var entry in EntryName.IsZip(path) ? Zip(path, file, allowance) : Tar(path, file, allowance, packed: !EntryName.IsTar(path)))
                {
                    yield return entry;
                }

                yield break;
            }

            if (allowance.CountFile() is { } tooMany)
            {
                yield return InputFile.Refused(path, tooMany);
                yield break;
            }

            var kind = EntryName.Kind(path);
            if (kind.Error is { } unsupported)
            {
                yield return InputFile.Refused(path, unsupported == InputErrors.NestedArchive ? InputErrors.Unsupported : unsupported);
            }
            else if (kind.Value == InputKind.Json && file.Length > allowance.Limits.EntryBytes)
            {
                yield return InputFile.Refused(path, InputErrors.TooLarge);
            }
            else
            {
                yield return Readable(path, kind.Value, new PlainStream(file, allowance), allowance);
            }
        }
    }

    private static (FileStream? File, Error? Error) OpenFile(string path, bool linksRefused)
    {
        try
        {
            var info = new FileInfo(path);
            if (!info.Exists)
            {
                return (null, InputErrors.NotFound);
            }

            if (linksRefused && info.LinkTarget is not null)
            {
                return (null, InputErrors.NotAFile);
            }

            // Pipes, devices and sockets have no length. Asking for it first keeps a pipe from holding the import at open().
            var real = info.LinkTarget is null ? info : info.ResolveLinkTarget(returnFinalTarget: true) as FileInfo;
            if (real is not { Exists: true, Length: > 0 })
            {
                return (null, InputErrors.Empty);
            }

            return (new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16, FileOptions.SequentialScan), null);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or System.Security.SecurityException or NotSupportedException or ArgumentException)
        {
            return (null, InputErrors.Unreadable);
        }
    }

    private static IEnumerable<InputFile> Tar(string path, FileStream file, Allowance allowance, bool packed)
    {
        var ratio = new ArchiveRatio(allowance.Limits);
        using var unpacked = packed
            ? new UnpackedStream(new GZipStream(new PackedStream(file, ratio), CompressionMode.Decompress), ratio, allowance)
            : new UnpackedStream(new PackedStream(file, ratio), ratio, allowance);
        var tar = new TarEntries(unpacked);
        while (true)
        {
            var (entry, damaged) = Try(tar.Next);
            if (damaged is not null)
            {
                yield return InputFile.Refused(path, damaged);
                yield break;
            }

            if (entry is null)
            {
                yield break;
            }

            if (allowance.CountFile() is { } tooMany)
            {
                yield return InputFile.Refused(path, tooMany);
                yield break;
            }

            var error = !EntryName.IsSafe(entry.Name) ? InputErrors.UnsafeName : entry.Kind == TarEntries.EntryKind.Other ? InputErrors.NotAFile : null;
            if (entry.Kind == TarEntries.EntryKind.Folder && error is null)
            {
                continue;
            }

            yield return Entry(path, entry.Name, error, entry.Size, entry.Content, allowance);
            if (ratio.Passed || allowance.Exhausted)
            {
                yield break;
            }
        }
    }

    private static IEnumerable<InputFile> Zip(string path, FileStream file, Allowance allowance)
    {
        var (archive, damaged) = Try(() => OpenZip(file, allowance));
        if (archive is null)
        {
            yield return InputFile.Refused(path, damaged!);
            yield break;
        }

        using (archive)
        {
            // The whole file is what the entries together may cost: entries that overlap share their packed bytes.
            var ratio = new ArchiveRatio(allowance.Limits) { Packed = file.Length };
            foreach (var entry in archive.Entries)
            {
                if (allowance.CountFile() is { } tooMany)
                {
                    yield return InputFile.Refused(path, tooMany);
                    yield break;
                }

                var error = Refusal(entry);
                if (entry.FullName.EndsWith('/') && error is null)
                {
                    continue;
                }

                Stream? content = null;
                if (error is null)
                {
                    (content, error) = Try(entry.Open);
                }

                using (content)
                {
                    yield return Entry(path, entry.FullName, error, entry.Length, new UnpackedStream(content ?? Stream.Null, ratio, allowance), allowance);
                }

                if (ratio.Passed)
                {
                    yield break;
                }
            }
        }
    }

    private static Error? Refusal(ZipArchiveEntry entry)
    {
        // The upper half of the attributes is the Unix mode when the entry was packed there; 0 when it was not.
        const int formatMask = 0xF000;
        const int regular = 0x8000;
        const int folder = 0x4000;
        var format = unchecked((int)((uint)entry.ExternalAttributes >> 16)) & formatMask;
        return !EntryName.IsSafe(entry.FullName) ? InputErrors.UnsafeName
            : format is not (0 or regular or folder) ? InputErrors.NotAFile
            : entry.IsEncrypted ? InputErrors.Encrypted
            : null;
    }

    private static ZipArchive OpenZip(FileStream file, Allowance allowance)
    {
        switch (ZipDirectory.Count(file, allowance.Limits.Files))
        {
            case null:
                throw new RefusedInput(InputErrors.BadArchive);
            case var count when count > allowance.Limits.Files:
                throw new RefusedInput(InputErrors.TooMany);
            default:
                file.Seek(0, SeekOrigin.Begin);
                var archive = new ZipArchive(file, ZipArchiveMode.Read, leaveOpen: true);

                // The list is read on first use, and that is where a damaged one throws.
                _ = archive.Entries.Count;
                return archive;
        }
    }

    private static InputFile Entry(string archive, string name, Error? error, long size, Stream content, Allowance allowance)
    {
        var shown = $"{archive}!{(error == InputErrors.UnsafeName ? "(unsafe name)" : name)}";
        if (error is not null)
        {
            return InputFile.Refused(shown, error);
        }

        var kind = EntryName.Kind(name);
        if (kind.Error is { } unsupported)
        {
            return InputFile.Refused(shown, unsupported);
        }

        return kind.Value == InputKind.Json && size > allowance.Limits.EntryBytes
            ? InputFile.Refused(shown, InputErrors.TooLarge)
            : Readable(shown, kind.Value, content, allowance);
    }

    /// <summary>A file of lines may be as long as the import allows; the reader caps each line.</summary>
    private static InputFile Readable(string name, InputKind kind, Stream content, Allowance allowance) =>
        InputFile.Readable(name, kind, kind == InputKind.Json ? new CappedStream(content, allowance.Limits.EntryBytes) : content);

    /// <summary>What a damaged archive throws, as a value: an iterator cannot yield from a catch block.</summary>
    private static (T? Value, Error? Error) Try<T>(Func<T?> read)
        where T : class
    {
        try
        {
            return (read(), null);
        }
        catch (RefusedInput refused)
        {
            return (null, refused.Error);
        }
        catch (Exception error) when (error is InvalidDataException or EndOfStreamException or NotSupportedException or ArgumentException)
        {
            return (null, InputErrors.BadArchive);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return (null, InputErrors.Unreadable);
        }
    }
}
