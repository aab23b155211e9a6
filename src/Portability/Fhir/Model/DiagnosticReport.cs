using System.Text.Json;
using Mangrove.Kernel;

namespace Mangrove.Portability.Fhir.Model;

/// <summary>https://hl7.org/fhir/R4/diagnosticreport.html. Presented forms stay in the original.</summary>
public sealed record DiagnosticReport(
    string? Id, IReadOnlyList<Identifier> Identifiers, IReadOnlyList<Reference> BasedOn, string Status, IReadOnlyList<CodeableConcept> Categories, CodeableConcept Code,
    Reference? Subject, Reference? Encounter, FhirDateTime? Effective, Period? EffectivePeriod, FhirDateTime? Issued, IReadOnlyList<Reference> Performers,
    IReadOnlyList<Reference> Results, string? Conclusion, IReadOnlyList<CodeableConcept> ConclusionCodes)
{
    public static Result<DiagnosticReport> Read(JsonElement resource) => Element.Read(resource, nameof(DiagnosticReport), From);

    /// <summary>Of a resource that was held against R4 when it was read.</summary>
    internal static Result<DiagnosticReport> Of(IncomingResource resource) => Element.Take(resource.Json, nameof(DiagnosticReport), From);

    private static DiagnosticReport From(Element e) => new DiagnosticReport(
        e.Text("id"), e.Many("identifier", Identifier.Read), e.Many("basedOn", Reference.Read), e.Required("status"), e.Many("category", CodeableConcept.Read),
        e.OneRequired("code", CodeableConcept.Read), e.One("subject", Reference.Read), e.One("encounter", Reference.Read), e.Time("effectiveDateTime"),
        e.One("effectivePeriod", Period.Read), e.Time("issued"), e.Many("performer", Reference.Read), e.Many("result", Reference.Read), e.Text("conclusion"),
        e.Many("conclusionCode", CodeableConcept.Read));

    /// <inheritdoc/>
    public override string ToString() => nameof(DiagnosticReport);
}
