using System.IO.Compression;

namespace Mangrove.Portability.Exchange;

/// <summary>How a kept resource lies in its sealed field: one line of JSON, Brotli-compressed (nearly free at the lowest quality).</summary>
internal static class OriginalCodec
{
    private const int Quality = 1;
    private const int Window = 22;

    public static byte[] Pack(ReadOnlySpan<byte> json)
    {
        var packed = new byte[BrotliEncoder.GetMaxCompressedLength(json.Length)];
        return BrotliEncoder.TryCompress(json, packed, out var written, Quality, Window)
            ? packed[..written]
            : throw new InvalidOperationException("The compressor's own bound was too small.");
    }

    public static byte[] Unpack(byte[] packed)
    {
        using var source = new BrotliStream(new MemoryStream(packed), CompressionMode.Decompress);
        using var target = new MemoryStream();
        source.CopyTo(target);
        return target.ToArray();
    }
}
