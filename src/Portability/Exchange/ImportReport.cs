using Mangrove.Portability.Package;

namespace Mangrove.Portability.Exchange;

/// <summary>What became of every resource: stored + kept + rejected = all.</summary>
/// <param name="Files">Files read.</param>
/// <param name="Resources">Resources read, by type.</param>
/// <param name="Stored">Mapped into the clinic, by type.</param>
/// <param name="Kept">Sealed unchanged with their patient, by type.</param>
/// <param name="Unchanged">Of the stored and the kept, those that were here already with the same content, by type; nothing was written for them.</param>
/// <param name="Rejected">Refused, with file, entry, stable code and message. File names may name persons: show them, never log them.</param>
/// <param name="Seconds">How long it took.</param>
public sealed record ImportReport(
    int Files,
    IReadOnlyDictionary<string, int> Resources,
    IReadOnlyDictionary<string, int> Stored,
    IReadOnlyDictionary<string, int> Kept,
    IReadOnlyDictionary<string, int> Unchanged,
    IReadOnlyList<Rejection> Rejected,
    double Seconds);
