using System.Buffers;

namespace Mangrove.Portability.Fhir;

/// <summary>
/// Resources on their way into an <see cref="ExportFolder"/>, as lines by type. What several threads compose at once is
/// collected apart and added in a fixed order, so that the files do not depend on who was faster.
/// </summary>
public sealed class ExportLines : IDisposable
{
    private readonly Dictionary<string, Lines> types = new(StringComparer.Ordinal);

    /// <summary>Bytes collected and not yet added to the folder.</summary>
    public long Bytes { get; private set; }

    /// <summary>Collects one resource, which MUST be on one line. Resources of a type stay in the order in which they come.</summary>
    public void Add(string type, ReadOnlySpan<byte> resource)
    {
        if (resource.Contains((byte)'\n') || !types.TryGetValue(type, out var lines) && Definitions.R4.Resource(type) is null)
        {
            throw new ArgumentException("Not one line of a resource of R4.", nameof(type));
        }

        if (lines is null)
        {
            types[type] = lines = new Lines();
        }

        var room = lines.Text.GetSpan(resource.Length + 1);
        resource.CopyTo(room);
        room[resource.Length] = (byte)'\n';
        lines.Text.Advance(resource.Length + 1);
        lines.Count++;
        Bytes += resource.Length + 1;
    }

    /// <summary>The lines of each type, valid until the next change.</summary>
    internal IEnumerable<(string Type, ReadOnlyMemory<byte> Text, int Count)> Collected() =>
        types.Where(static type => type.Value.Count > 0).Select(static type => (type.Key, type.Value.Text.WrittenMemory, type.Value.Count));

    /// <summary>Forgets what was collected and zeroes its bytes; the room stays for the next lines.</summary>
    internal void Clear()
    {
        foreach (var lines in types.Values)
        {
            lines.Text.Clear();
            lines.Count = 0;
        }

        Bytes = 0;
    }

    public void Dispose() => Clear();

    private sealed class Lines
    {
        public ArrayBufferWriter<byte> Text { get; } = new();

        public int Count { get; set; }
    }
}
