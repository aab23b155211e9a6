using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using System.Text;

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
        FlushFolder(Path.GetDirectoryName(path)!);
    }

    /// <summary>Makes a new file; one of the name must not be there.</summary>
    public static void Create(string path, ReadOnlySpan<byte> content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        Write(path, content);
        FlushFolder(Path.GetDirectoryName(path)!);
    }

    private static void Write(string path, ReadOnlySpan<byte> content)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, BufferSize = 0 };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        using var stream = new FileStream(path, options);
        stream.Write(content);
        stream.Flush(flushToDisk: true);
    }

    // A rename is an entry of the folder: until that is on the disk, a power cut brings the old file back. Windows keeps its
    // renames in a journal by itself.
    private static void FlushFolder(string folder)
    {
        if (OperatingSystem.IsLinux())
        {
            FlushLinux(folder);
        }
    }

    [SupportedOSPlatform("linux")]
    private static void FlushLinux(string folder)
    {
        // fcntl.h: O_RDONLY is 0.
        var handle = OpenFolder(Encoding.UTF8.GetBytes(folder + "\0"), 0);
        if (handle < 0)
        {
            throw new IOException($"The folder of a key file cannot be flushed (errno {Marshal.GetLastPInvokeError()}).");
        }

        var flushed = Sync(handle);
        var error = Marshal.GetLastPInvokeError();
        _ = Close(handle);
        if (flushed != 0)
        {
            throw new IOException($"The folder of a key file cannot be flushed (errno {error}).");
        }
    }

    // Not LibraryImport, whose generated code needs unsafe blocks: this room has none.
    [DllImport("libc", EntryPoint = "open", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int OpenFolder(byte[] path, int flags);

    [DllImport("libc", EntryPoint = "fsync", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Sync(int handle);

    [DllImport("libc", EntryPoint = "close")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Close(int handle);
}
