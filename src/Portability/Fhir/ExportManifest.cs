using System.Buffers;
using System.Text.Json;

namespace Mangrove.Portability.Fhir;

/// <summary>The file that lies beside exported resources: what was written, how much, and the SHA-256 of each file.</summary>
public sealed record ExportManifest(IReadOnlyList<ExportManifest.Item> Files)
{
    public const string FileName = "manifest.json";

    /// <summary>The first key of a manifest, by which import knows it.</summary>
    internal const string Mark = "mangroveExport";

    /// <param name="Name">File name within the export.</param>
    /// <param name="Type">Resource type of its lines.</param>
    /// <param name="Resources">Number of lines.</param>
    /// <param name="Bytes">Length of the file.</param>
    /// <param name="Sha256">Lower-case hexadecimal.</param>
    public sealed record Item(string Name, string Type, long Resources, long Bytes, string Sha256);

    /// <summary>Says nothing of when or where, so that the same content gives the same bytes.</summary>
    internal byte[] Write()
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true, NewLine = "\n" }))
        {
            json.WriteStartObject();
            json.WriteNumber(Mark, 1);
            json.WriteString("fhirVersion", "4.0.1");
            json.WriteStartArray("files");
            foreach (var file in Files)
            {
                json.WriteStartObject();
                json.WriteString("name", file.Name);
                json.WriteString("type", file.Type);
                json.WriteNumber("resources", file.Resources);
                json.WriteNumber("bytes", file.Bytes);
                json.WriteString("sha256", file.Sha256);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }
}
