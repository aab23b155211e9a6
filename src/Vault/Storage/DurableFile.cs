using Mangrove.Kernel;

namespace Mangrove.Vault.Storage;

/// <summary>
/// Small files that must survive a power cut whole: written beside their place, flushed, moved there, and the folder
/// flushed too, so that afterwards there is either the old content or the new one and, when the call has ended, the new one.
/// For the owner alone (0600).
/// </summary>
internal static class DurableFile
{
    /// <summary>Puts the content in the place of whatever is there.</summary>
    public static void Replace(string path, ReadOnlySpan<byte> content)
    {
        var beside = path + ".new";
        File.Delete(beside);
        Write(beside, content);
        File.Move(beside, path, overwrite: true);
        Durable.FlushFolder(Path.GetDirectoryName(path)!);
    }

    /// <summary>Makes a new file; one of the name must not be there.</summary>
    public static void Create(string path, ReadOnlySpan<byte> content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        Write(path, content);
        Durable.FlushFolder(Path.GetDirectoryName(path)!);
    }

    private static void Write(string path, ReadOnlySpan<byte> content)
    {
        // No buffer: what it would hold of a key file stays in memory.
        using var stream = Durable.NewFile(path, bufferSize: 0);
        stream.Write(content);
        stream.Flush(flushToDisk: true);
    }
}
