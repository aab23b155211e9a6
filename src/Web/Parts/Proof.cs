namespace Mangrove.Web.Parts;

/// <summary>One of the five proofs on the administrator's page.</summary>
/// <param name="Icon">Tabler icon.</param>
/// <param name="Name">Audit log, Last checkpoint, Last backup, Last proven restore, Oldest key.</param>
/// <param name="Verdict">In bold: <c>Verified, whole chain</c>.</param>
/// <param name="Detail">Figures, size, place.</param>
/// <param name="When">When it was proven and when next.</param>
/// <param name="Stale">Older than its limit: orange, and the act is offered.</param>
/// <param name="Act">Words of the act, or null.</param>
/// <param name="ActAddress">Where the act begins.</param>
public sealed record Proof(string Icon, string Name, string Verdict, string Detail, string When, bool Stale = false, string? Act = null, string? ActAddress = null);
