namespace Mangrove.Portability.Exchange;

/// <summary>What an export came to.</summary>
/// <param name="Resources">Resources written, by type.</param>
/// <param name="Files">NDJSON files, the manifest not counted.</param>
/// <param name="Bytes">Their length in all.</param>
/// <param name="Seconds">How long it took.</param>
public sealed record ExportReport(IReadOnlyDictionary<string, long> Resources, int Files, long Bytes, double Seconds);
