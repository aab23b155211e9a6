using Mangrove.Portability.Fhir;

namespace Mangrove.Portability.Exchange;

/// <summary>
/// What is composed of some patients, on its way into the export. It waits in memory until the pages before it are
/// written, and no longer than it is small: a page that has grown large waits for its turn and then writes as it goes.
/// </summary>
/// <param name="folder">The export.</param>
/// <param name="lines">Room for what waits, of this page alone until it is finished.</param>
/// <param name="turn">Ends when the pages before are written.</param>
internal sealed class ExportPage(ExportFolder folder, ExportLines lines, Task turn)
{
    private const long MostWaiting = 16L << 20;

    /// <summary>Adds one resource on one line.</summary>
    public ValueTask Add(string type, ReadOnlySpan<byte> resource)
    {
        lines.Add(type, resource);
        return lines.Bytes < MostWaiting ? default : new ValueTask(Finish());
    }

    /// <summary>Writes what waits. After the last call the next page may.</summary>
    public async Task Finish()
    {
        await turn;
        folder.Add(lines);
    }
}
