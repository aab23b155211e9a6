namespace Mangrove.Portability.Fhir;

/// <summary>Cuts a stream at line feeds, one line in memory at a time, and none longer than allowed.</summary>
internal sealed class LineReader(Stream stream, long longest) : IDisposable
{
    private readonly byte[] buffer = new byte[1 << 16];
    private readonly MemoryStream line = new();
    private int start;
    private int end;

    /// <summary>
    /// The next line, in memory of its own; false at the end. A line that is too long is passed over and reported as such.
    /// </summary>
    public bool Next(out ReadOnlyMemory<byte> text, out bool tooLong)
    {
        text = default;
        tooLong = false;
        line.SetLength(0);
        var any = false;
        while (true)
        {
            if (start == end)
            {
                start = 0;
                end = stream.Read(buffer);
                if (end == 0)
                {
                    text = line.ToArray();
                    return any;
                }
            }

            any = true;
            var rest = buffer.AsSpan(start, end - start);
            var feed = rest.IndexOf((byte)'\n');
            var part = feed < 0 ? rest : rest[..feed];
            start += feed < 0 ? rest.Length : feed + 1;
            tooLong = tooLong || line.Length + part.Length > longest;
            if (!tooLong)
            {
                line.Write(part);
            }

            if (feed >= 0)
            {
                text = tooLong ? default : line.ToArray();
                return true;
            }
        }
    }

    public void Dispose() => line.Dispose();
}
