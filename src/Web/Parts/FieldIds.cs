namespace Mangrove.Web.Parts;

/// <summary>Ids that tie an own control to its label, hint and error.</summary>
public sealed record FieldIds(string Id, string? DescribedBy, string? Invalid);
