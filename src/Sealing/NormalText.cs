using System.Buffers;
using System.Security.Cryptography;
using System.Text;

namespace Mangrove.Sealing;

/// <summary>Secret text as bytes: NFC, then UTF-8, with every buffer on the way zeroed.</summary>
internal static class NormalText
{
    /// <summary>The bytes, which the caller zeroes, or null where the text holds half of a surrogate pair.</summary>
    internal static byte[]? Utf8(ReadOnlySpan<char> text)
    {
        for (var rest = text; !rest.IsEmpty;)
        {
            if (Rune.DecodeFromUtf16(rest, out _, out var consumed) != OperationStatus.Done)
            {
                return null;
            }

            rest = rest[consumed..];
        }

        var normal = ArrayPool<char>.Shared.Rent(Math.Max(1, text.GetNormalizedLength(NormalizationForm.FormC)));
        try
        {
            if (!text.TryNormalize(normal, out var length, NormalizationForm.FormC))
            {
                return null;
            }

            var utf8 = GC.AllocateUninitializedArray<byte>(
                CanonicalWriter.StrictUtf8.GetByteCount(normal, 0, length), pinned: true);
            CanonicalWriter.StrictUtf8.GetBytes(normal.AsSpan(0, length), utf8);
            return utf8;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(System.Runtime.InteropServices.MemoryMarshal.AsBytes(normal.AsSpan()));
            ArrayPool<char>.Shared.Return(normal);
        }
    }
}
