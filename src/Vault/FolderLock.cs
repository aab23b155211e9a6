using Mangrove.Kernel;

namespace Mangrove.Vault;

/// <summary>One process owns a data folder; a second one is told so instead of opening the databases beside it.</summary>
public sealed class FolderLock : IDisposable
{
    private readonly FileStream stream;

    private FolderLock(FileStream stream) => this.stream = stream;

    /// <summary>Takes the folder.</summary>
    /// <exception cref="RefusedInput"><c>data.in-use</c>: another process owns it; <c>data.unwritable</c>: it cannot be written.</exception>
    public static FolderLock Take(string folder) =>
        TryTake(folder) ?? throw new RefusedInput("data.in-use", "Another Mangrove process is using this data folder. Stop it first, or name another folder with --data.");

    /// <summary>Takes the folder, or gives null when another process owns it.</summary>
    public static FolderLock? TryTake(string folder)
    {
        try
        {
            Directory.CreateDirectory(folder);
            return new FolderLock(new FileStream(Path.Combine(folder, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
        }
        catch (UnauthorizedAccessException)
        {
            throw new RefusedInput("data.unwritable", "The data folder cannot be written by this account. Give the service account the right to write it.");
        }
        catch (IOException) when (File.Exists(Path.Combine(folder, "lock")))
        {
            return null;
        }
    }

    public void Dispose() => stream.Dispose();
}
