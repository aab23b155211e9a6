using Mangrove.Cli.CommandLine;
using Mangrove.Kernel;

namespace Mangrove.Cli.Verbs;

/// <summary>Small files that go between a hospital, its witnesses and those who verify its log.</summary>
internal static class OutsideFiles
{
    // Some thousand notes; a file that is longer is none of ours.
    private const int Longest = 4 << 20;

    /// <exception cref="RefusedInput"><c>audit.file-unreadable</c>.</exception>
    public static async Task<byte[]> Bytes(Call call, string name, CancellationToken cancel)
    {
        try
        {
            var path = call.Full(name);
            return new FileInfo(path).Length <= Longest
                ? await File.ReadAllBytesAsync(path, cancel)
                : throw new RefusedInput("audit.file-unreadable", "A key, anchor, proof or request is a small file; the one named is too long. Is another one meant?");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new RefusedInput("audit.file-unreadable", "A key, anchor, proof or request that was named cannot be read. Name a readable file.");
        }
    }

    /// <exception cref="RefusedInput"><c>audit.file-unreadable</c>.</exception>
    public static async Task<string> Text(Call call, string name, CancellationToken cancel) => System.Text.Encoding.UTF8.GetString(await Bytes(call, name, cancel));

    /// <summary>Writes a new file, durably.</summary>
    /// <exception cref="RefusedInput"><c>audit.out-file</c>: it is there already, or cannot be written.</exception>
    public static async Task<string> Write(Call call, string name, string text, CancellationToken cancel)
    {
        var path = call.Full(name);
        try
        {
            await using (var stream = Durable.NewFile(path))
            {
                await stream.WriteAsync(System.Text.Encoding.UTF8.GetBytes(text), cancel);
                stream.Flush(flushToDisk: true);
            }

            Durable.FlushFolder(Path.GetDirectoryName(path)!);
            return path;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new RefusedInput("audit.out-file", "The file could not be written, or is there already and is not replaced. Name another one.");
        }
    }
}
