namespace Mangrove.Portability.Fhir;

public enum ReferenceKind
{
    /// <summary>Not a reference in any form that R4 knows.</summary>
    Invalid = 0,

    /// <summary><c>Patient/123</c></summary>
    Relative = 1,

    /// <summary><c>https://elsewhere.example/fhir/Patient/123</c>. Never fetched.</summary>
    Absolute = 2,

    /// <summary><c>urn:uuid:…</c> or <c>urn:oid:…</c></summary>
    Urn = 3,

    /// <summary><c>#p1</c>, or <c>#</c> for the resource that contains this one.</summary>
    Contained = 4,

    /// <summary><c>Patient?identifier=system|value</c></summary>
    Conditional = 5,
}

/// <summary>A literal reference taken apart (https://hl7.org/fhir/R4/references.html#literal).</summary>
/// <param name="Text">As written, without the version.</param>
/// <param name="Type">Resource type, when the text names one.</param>
/// <param name="Id">Logical id, or the id within the container for <see cref="ReferenceKind.Contained"/>.</param>
/// <param name="Version">Behind <c>/_history/</c>, or null.</param>
/// <param name="Query">Behind <c>?</c>, for <see cref="ReferenceKind.Conditional"/>.</param>
public readonly record struct FhirReference(ReferenceKind Kind, string Text, string? Type, string? Id, string? Version, string? Query)
{
    public static FhirReference Parse(string text)
    {
        if (text.StartsWith('#'))
        {
            return new FhirReference(ReferenceKind.Contained, text, null, text[1..], null, null);
        }

        if (text.StartsWith("urn:", StringComparison.Ordinal))
        {
            return new FhirReference(ReferenceKind.Urn, text, null, null, null, null);
        }

        var mark = text.IndexOf('?', StringComparison.Ordinal);
        if (mark >= 0)
        {
            var type = text[(text.LastIndexOf('/', mark) + 1)..mark];
            return Definitions.R4.Resource(type) is null || mark == text.Length - 1
                ? default(FhirReference) with { Text = text }
                : new FhirReference(ReferenceKind.Conditional, text, type, null, null, text[(mark + 1)..]);
        }

        const string history = "/_history/";
        var at = text.IndexOf(history, StringComparison.Ordinal);
        var version = at < 0 ? null : text[(at + history.Length)..];
        var bare = at < 0 ? text : text[..at];
        var parts = bare.Split('/');
        var absolute = bare.Contains("://", StringComparison.Ordinal);
        return parts.Length < 2 || (!absolute && parts.Length > 2) || !IsId(parts[^1]) || Definitions.R4.Resource(parts[^2]) is null
            ? absolute ? new FhirReference(ReferenceKind.Absolute, bare, null, null, version, null) : default(FhirReference) with { Text = text }
            : new FhirReference(absolute ? ReferenceKind.Absolute : ReferenceKind.Relative, bare, parts[^2], parts[^1], version, null);
    }

    /// <summary>Nothing of the text: identifiers may stand in it.</summary>
    public override string ToString() => Kind.ToString();

    private static bool IsId(string text) => text.Length is > 0 and <= 64 && text.All(static c => char.IsAsciiLetterOrDigit(c) || c is '-' or '.');
}
