using Mangrove.Kernel;

namespace Mangrove.Cli.Verbs;

/// <summary>
/// A witness's own file while one run has it. The file that will take its place is made first and is the lock: of two runs at
/// once the second is refused, so that neither can put back what the other has cosigned beyond.
/// </summary>
internal sealed class WitnessFile : IDisposable
{
    private readonly string path;
    private FileStream? next;

    private WitnessFile(string path, FileStream next)
    {
        this.path = path;
        this.next = next;
    }

    private string NextPath => path + ".new";

    public bool Exists => File.Exists(path);

    /// <exception cref="RefusedInput"><c>witness.state-unwritable</c>.</exception>
    public static WitnessFile Hold(string path)
    {
        try
        {
            return new WitnessFile(path, Durable.NewFile(path + ".new"));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw Unwritable();
        }
    }

    /// <summary>Puts the state in place: its content and its name are on the disk when this returns.</summary>
    /// <exception cref="RefusedInput"><c>witness.state-unwritable</c>: the state is as it was.</exception>
    public void Keep(byte[] state)
    {
        try
        {
            using (var stream = next ?? throw new InvalidOperationException("The state was kept already."))
            {
                stream.Write(state);
                stream.Flush(flushToDisk: true);
            }

            next = null;
            File.Move(NextPath, path, overwrite: true);
            Durable.FlushFolder(Path.GetDirectoryName(path)!);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw Unwritable();
        }
    }

    public void Dispose()
    {
        if (next is not null)
        {
            next.Dispose();
            File.Delete(NextPath);
        }
    }

    private static RefusedInput Unwritable() => new("witness.state-unwritable", "The witness's file could not be written, so nothing was cosigned. If no other run is under way, remove the file beside it that ends in .new.");
}
