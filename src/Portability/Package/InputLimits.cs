namespace Mangrove.Portability.Package;

/// <summary>
/// How much a person may hand over for import. The defaults let every real set through that we have seen and stop a bomb
/// before it costs memory; docs/decisions/0008-import-limits.md has the measurements.
/// </summary>
public sealed record InputLimits
{
    /// <summary>Bytes of one JSON file, one resource line or one archive entry, unpacked. Default 30 MiB, range 1 KiB to 1 GiB.</summary>
    public long EntryBytes { get; init; } = 30L << 20;

    /// <summary>Bytes of everything in one import, unpacked. Default 64 GiB.</summary>
    public long TotalBytes { get; init; } = 64L << 30;

    /// <summary>Files and archive entries in one import. Default 200,000 (a hospital exported as one bundle a patient).</summary>
    public int Files { get; init; } = 200_000;

    /// <summary>
    /// Unpacked bytes for each packed byte of an archive. Default 100. Real FHIR compresses 20:1 (the Synthea set) to 35:1
    /// (single official examples) and generated NDJSON 55:1, so a cap of 20:1 would refuse honest hospitals. One repeated
    /// byte gives 230:1 at DEFLATE's fastest and 1,030:1 at its best, so every bomb made that way is stopped; what stays
    /// below the ratio is stopped by <see cref="EntryBytes"/> and <see cref="TotalBytes"/>.
    /// </summary>
    public int Ratio { get; init; } = 100;

    /// <summary>Unpacked bytes below which the ratio is not judged: a small file of blanks harms nobody. Default 1 MiB.</summary>
    public long RatioFloor { get; init; } = 1L << 20;

    /// <summary>Bytes of one string inside a resource, as written. Default 16 MiB: above that a document belongs in an attachment.</summary>
    public int ValueBytes { get; init; } = 16 << 20;

    /// <summary>Levels of nesting of one JSON text. Default 32; the deepest official example has 21.</summary>
    public int Depth { get; init; } = 32;

    /// <summary>Entries of one bundle. Default 10,000; the largest Synthea bundle has 1,244.</summary>
    public int BundleEntries { get; init; } = 10_000;
}
