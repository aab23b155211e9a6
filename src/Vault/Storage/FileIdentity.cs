using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace Mangrove.Vault.Storage;

/// <summary>
/// Which file stands behind a path: device and inode. A file that was deleted and written anew under the same name has
/// another identity, and what a process still writes to the old one is lost.
/// </summary>
internal readonly record struct FileIdentity(ulong Device, ulong Inode)
{
    /// <summary>The identity, or null when nothing is at <paramref name="path"/>.</summary>
    /// <remarks>
    /// Where the layout of <c>struct stat</c> is not known here (not 64-bit Linux) only presence is seen; Windows does
    /// not let an open database be deleted.
    /// </remarks>
    public static FileIdentity? Of(string path)
    {
        if (!OperatingSystem.IsLinux() || !Environment.Is64BitProcess)
        {
            return File.Exists(path) ? default(FileIdentity) : null;
        }

        // st_dev and st_ino are the first two 64-bit words on every 64-bit Linux; 512 bytes are more than any layout has.
        var status = new byte[512];
        if (Stat(Encoding.UTF8.GetBytes(path + "\0"), status) != 0)
        {
            return null;
        }

        return BitConverter.IsLittleEndian
            ? new FileIdentity(BinaryPrimitives.ReadUInt64LittleEndian(status), BinaryPrimitives.ReadUInt64LittleEndian(status.AsSpan(8)))
            : new FileIdentity(BinaryPrimitives.ReadUInt64BigEndian(status), BinaryPrimitives.ReadUInt64BigEndian(status.AsSpan(8)));
    }

    // Not LibraryImport, whose generated code needs unsafe blocks: this room has none.
    [DllImport("libc", EntryPoint = "stat")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Stat(byte[] path, [Out] byte[] status);
}
