using System.Buffers;
using System.IO.Compression;
using System.Text.Json;

namespace Mangrove.Portability.Exchange;

/// <summary>How a kept resource lies in its sealed field: one line of JSON, Brotli-compressed (nearly free at the lowest quality).</summary>
internal static class OriginalCodec
{
    private const int Quality = 1;
    private const int Window = 22;

    // Twice what a sealed field may hold unpacked: no import lets a longer resource in.
    private const int Largest = 1 << 29;

    public static byte[] Pack(ReadOnlySpan<byte> json)
    {
        var room = ArrayPool<byte>.Shared.Rent(BrotliEncoder.GetMaxCompressedLength(json.Length));
        try
        {
            return BrotliEncoder.TryCompress(json, room, out var written, Quality, Window)
                ? room.AsSpan(0, written).ToArray()
                : throw new InvalidOperationException("The compressor's own bound was too small.");
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(room, clearArray: true);
        }
    }

    public static byte[] Unpack(ReadOnlySpan<byte> packed)
    {
        // FHIR unpacks to five or ten times its size; what does not is tried with twice the room until it fits.
        for (var size = Math.Max(1 << 10, packed.Length * 8); ; size = checked(size * 2))
        {
            var room = ArrayPool<byte>.Shared.Rent(size);
            try
            {
                if (BrotliDecoder.TryDecompress(packed, room, out var written))
                {
                    return room.AsSpan(0, written).ToArray();
                }
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(room, clearArray: true);
            }

            if (size > Largest)
            {
                throw new InvalidDataException("A kept resource does not unpack.");
            }
        }
    }

    /// <summary>The id of a kept resource, read no further than needed.</summary>
    public static string? IdIn(ReadOnlySpan<byte> resource)
    {
        var json = new Utf8JsonReader(resource);
        json.Read();
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            var found = json.ValueTextEquals("id"u8);
            json.Read();
            if (found)
            {
                return json.GetString();
            }

            json.Skip();
        }

        return null;
    }
}
