using System.Security.Cryptography;

namespace Mangrove.Portability.Fhir;

/// <summary>
/// Writes an export: a folder with one NDJSON file a resource type, and at the end the manifest. The folder must be new or
/// empty. Files are readable by their owner only. Until <see cref="Finish"/> there is no manifest, and so a broken export
/// cannot be taken for a whole one.
/// </summary>
public sealed class ExportFolder : IDisposable
{
    private readonly string folder;
    private readonly SortedDictionary<string, Part> parts = new(StringComparer.Ordinal);
    private readonly bool made;

    /// <exception cref="Kernel.RefusedInput">The folder holds something already, or cannot be made.</exception>
    public ExportFolder(string folder)
    {
        this.folder = folder;
        try
        {
            made = !Directory.Exists(folder);
            Directory.CreateDirectory(folder);
            if (Directory.EnumerateFileSystemEntries(folder).Any())
            {
                throw new Kernel.RefusedInput("export.not-empty", "The folder for the export is not empty. Name a new one.");
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new Kernel.RefusedInput("export.no-folder", "The folder for the export cannot be made. Check the path and its permissions.");
        }
    }

    /// <summary>Adds one resource, which MUST be on one line. Resources of a type stand in the order in which they are added.</summary>
    public void Add(string type, ReadOnlySpan<byte> resource)
    {
        using var lines = new ExportLines();
        lines.Add(type, resource);
        Add(lines);
    }

    /// <summary>Adds everything that was collected, each type behind what its file holds already, and empties the collection.</summary>
    public void Add(ExportLines lines)
    {
        foreach (var (type, text, count) in lines.Collected())
        {
            if (!parts.TryGetValue(type, out var part))
            {
                parts[type] = part = new Part(Path.Combine(folder, type + ".ndjson"));
            }

            part.Write(text.Span, count);
        }

        lines.Clear();
    }

    /// <summary>Makes everything durable, then writes the manifest.</summary>
    public ExportManifest Finish()
    {
        var manifest = new ExportManifest([.. parts.Select(static part => part.Value.Close(part.Key))]);
        using var file = Create(Path.Combine(folder, ExportManifest.FileName));
        file.Write(manifest.Write());
        file.Flush(flushToDisk: true);
        return manifest;
    }

    /// <summary>Removes what was written, and the folder when it was made for this export: no plaintext stays behind a failure.</summary>
    public void Abandon()
    {
        Dispose();
        foreach (var type in parts.Keys)
        {
            File.Delete(Path.Combine(folder, type + ".ndjson"));
        }

        File.Delete(Path.Combine(folder, ExportManifest.FileName));
        if (made)
        {
            Directory.Delete(folder);
        }
    }

    public void Dispose()
    {
        foreach (var part in parts.Values)
        {
            part.Dispose();
        }
    }

    private static FileStream Create(string path)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, BufferSize = 1 << 16 };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        return new FileStream(path, options);
    }

    private sealed class Part(string path) : IDisposable
    {
        private readonly FileStream file = Create(path);
        private readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        private long lines;
        private long bytes;

        public void Write(ReadOnlySpan<byte> text, int count)
        {
            file.Write(text);
            hash.AppendData(text);
            lines += count;
            bytes += text.Length;
        }

        public ExportManifest.Item Close(string type)
        {
            file.Flush(flushToDisk: true);
            return new ExportManifest.Item(Path.GetFileName(path), type, lines, bytes, Convert.ToHexStringLower(hash.GetHashAndReset()));
        }

        public void Dispose()
        {
            file.Dispose();
            hash.Dispose();
        }
    }
}
