namespace Mangrove.Portability.Fhir;

/// <summary>The file that lies beside exported resources: what was written, how much, and the SHA-256 of each file.</summary>
public sealed record ExportManifest(IReadOnlyList<ExportManifest.Item> Files)
{
    /// <summary>The first key of a manifest, by which import knows it.</summary>
    internal const string Mark = "mangroveExport";

    /// <param name="Name">File name within the export.</param>
    /// <param name="Type">Resource type of its lines.</param>
    /// <param name="Resources">Number of lines.</param>
    /// <param name="Bytes">Length of the file.</param>
    /// <param name="Sha256">Lower-case hexadecimal.</param>
    public sealed record Item(string Name, string Type, long Resources, long Bytes, string Sha256);
}
