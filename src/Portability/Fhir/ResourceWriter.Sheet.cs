using System.Buffers;
using System.Text.Json;

namespace Mangrove.Portability.Fhir;

/// <content>Where one resource is written before it is taken as a whole.</content>
public static partial class ResourceWriter
{
    /// <summary>
    /// A buffer and its JSON writer, one of each kept for a thread: made anew for each resource they cost as much as the
    /// writing. What is left in the buffer is zeroed with each resource.
    /// </summary>
    private sealed class Sheet : IDisposable
    {
        private const int LargestKept = 1 << 16;

        [ThreadStatic]
        private static Sheet? kept;

        private readonly ArrayBufferWriter<byte> buffer = new(2048);

        private Sheet() => Json = new Utf8JsonWriter(buffer, Options);

        public Utf8JsonWriter Json { get; }

        public static Sheet Take()
        {
            var sheet = kept ?? new Sheet();
            kept = null;
            return sheet;
        }

        public byte[] Finish()
        {
            Json.Flush();
            return buffer.WrittenSpan.ToArray();
        }

        public void Dispose()
        {
            buffer.Clear();
            if (buffer.Capacity > LargestKept)
            {
                Json.Dispose();
                return;
            }

            Json.Reset();
            kept = this;
        }
    }
}
