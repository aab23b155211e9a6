namespace Mangrove.Web.Parts;

/// <summary>One choice of a pick list.</summary>
/// <param name="Code">What is sent: an ICD-10 code, a test, a medicine.</param>
/// <param name="Text">What is read.</param>
/// <param name="Meta">What helps to choose: <c>used here 41×</c>.</param>
public sealed record Pick(string Code, string Text, string? Meta = null);
