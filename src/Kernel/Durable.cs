using System.Runtime.InteropServices;
using System.Text;

namespace Mangrove.Kernel;

/// <summary>
/// Files and names that survive a power cut. After a file was renamed, the folder that holds the name has to reach the disk too. Windows keeps
/// names in its journal and has no such call; a file system that knows none (some network shares) says so and is believed.
/// </summary>
public static class Durable
{
    private const int ReadOnly = 0;
    private const int InvalidArgument = 22;
    private const int NotSupported = 95;

    /// <summary>A new file that only this account may read (0600). What is written is durable after <c>Flush(flushToDisk: true)</c>, its name after <see cref="FlushFolder"/>.</summary>
    /// <param name="path">Must not be there.</param>
    /// <param name="bufferSize">Bytes held before they are written; 0 for none.</param>
    /// <exception cref="IOException">It is there already, or cannot be made.</exception>
    public static FileStream NewFile(string path, int bufferSize = 1 << 20)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, BufferSize = bufferSize };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        return new FileStream(path, options);
    }

    /// <summary>Flushes the folder's names.</summary>
    /// <exception cref="IOException">The disk reports an error; <c>HResult</c> is the system's number of it, as in the framework's own.</exception>
    public static void FlushFolder(string folder)
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        var handle = Open(Encoding.UTF8.GetBytes(folder + "\0"), ReadOnly);
        if (handle < 0)
        {
            throw new IOException("The folder cannot be opened.", Marshal.GetLastPInvokeError());
        }

        try
        {
            if (Sync(handle) != 0 && Marshal.GetLastPInvokeError() is not (InvalidArgument or NotSupported) and var error)
            {
                throw new IOException("The folder could not be made durable.", error);
            }
        }
        finally
        {
            _ = Close(handle);
        }
    }

    // Not LibraryImport, whose generated code needs unsafe blocks.
    [DllImport("libc", EntryPoint = "open", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Open(byte[] path, int flags);

    [DllImport("libc", EntryPoint = "fsync", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Sync(int handle);

    [DllImport("libc", EntryPoint = "close")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Close(int handle);
}
