using System.Security.Cryptography;
using Mangrove.Kernel;

namespace Mangrove.Vault.Keys.Hardware;

/// <summary>
/// A folder of this account alone in memory, for what the tools of the TPM hand to each other by files: contexts, which
/// the TPM has encrypted, and a PIN while an object is made for it. Gone when disposed. On a disk its bytes could stay.
/// </summary>
internal sealed class MemoryFolder : IDisposable
{
    private MemoryFolder(string path) => Place = path;

    public string Place { get; }

    /// <exception cref="RefusedInput"><c>tpm.no-memory</c>: there is no file system in memory here.</exception>
    public static MemoryFolder Make()
    {
        string?[] candidates = [Environment.GetEnvironmentVariable("RUNTIME_DIRECTORY"), Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR"), "/dev/shm", "/run"];
        foreach (var candidate in candidates)
        {
            if (candidate is { Length: > 0 } && Directory.Exists(candidate) && InMemory(candidate))
            {
                try
                {
                    // Whose it is stands in the name: what a killed process left can be told from what is in use.
                    var path = Path.Combine(candidate, $"mangrove-{Environment.ProcessId}-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8))}");
                    if (OperatingSystem.IsWindows())
                    {
                        break;
                    }

                    Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
                    return new MemoryFolder(path);
                }
                catch (UnauthorizedAccessException)
                {
                    // Not ours to write: the next one.
                }
            }
        }

        throw new RefusedInput("tpm.no-memory", "There is no folder in memory that this account may write, such as /dev/shm or the RuntimeDirectory of a service. The TPM's tools need one; make it, or choose another protector.");
    }

    /// <summary>Puts bytes into a file of the folder, for its owner alone.</summary>
    public void Put(string name, ReadOnlySpan<byte> content)
    {
        using var file = Durable.NewFile(Path.Combine(Place, name), bufferSize: 0);
        file.Write(content);
    }

    /// <exception cref="RefusedInput"><c>tpm.refused</c>: the tool said that it had written the file, and had not.</exception>
    public byte[] Take(string name)
    {
        var path = Path.Combine(Place, name);
        return File.Exists(path) ? File.ReadAllBytes(path) : throw new RefusedInput("tpm.refused", "The TPM's tool wrote nothing. Look whether the system's tpm2-tools are in order.");
    }

    public void Dispose() => Directory.Delete(Place, recursive: true);

    private static bool InMemory(string path)
    {
        try
        {
            return new DriveInfo(path).DriveFormat is "tmpfs" or "ramfs";
        }
        catch (IOException)
        {
            return false;
        }
    }
}
