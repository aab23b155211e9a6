using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Mangrove.Kernel;

namespace Mangrove.Cli.Installing;

/// <summary>The accounts of this system, and whose a file is.</summary>
internal static class Accounts
{
    /// <summary>The numbers of an account and its group; null where there is none of the name.</summary>
    public static (uint User, uint Group)? Find(string name)
    {
        foreach (var line in File.ReadLines("/etc/passwd"))
        {
            var parts = line.Split(':');
            if (parts.Length > 3 && parts[0] == name
                && uint.TryParse(parts[2], NumberStyles.None, CultureInfo.InvariantCulture, out var user)
                && uint.TryParse(parts[3], NumberStyles.None, CultureInfo.InvariantCulture, out var group))
            {
                return (user, group);
            }
        }

        return null;
    }

    /// <summary>Gives a folder and everything in it to an account. Links are given themselves, not what they lead to.</summary>
    /// <exception cref="RefusedInput"><c>install.owner</c>: the system refuses.</exception>
    public static void Give(string folder, (uint User, uint Group) account)
    {
        foreach (var path in Directory.EnumerateFileSystemEntries(folder, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.None, ReturnSpecialDirectories = false }).Append(folder))
        {
            GiveFile(path, account);
        }
    }

    /// <summary>Gives one file or folder to an account.</summary>
    public static void GiveFile(string path, (uint User, uint Group) account)
    {
        if (Change(Encoding.UTF8.GetBytes(path + "\0"), account.User, account.Group) != 0)
        {
            throw new RefusedInput("install.owner", "The data could not be given to the account of the service. Run this as root, on a file system that knows owners.");
        }
    }

    // Not LibraryImport, whose generated code needs unsafe blocks.
    [DllImport("libc", EntryPoint = "lchown", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Change(byte[] path, uint user, uint group);
}
