using System.Text.Json;
using Mangrove.Kernel;

namespace Mangrove.Portability.Fhir.Model;

/// <summary>https://hl7.org/fhir/R4/observation.html: a vital sign, a laboratory result or another finding.</summary>
/// <param name="Value">Null when absent (see <paramref name="DataAbsentReason"/>) or when the components carry the values.</param>
public sealed record Observation(
    string? Id, IReadOnlyList<Identifier> Identifiers, IReadOnlyList<Reference> BasedOn, string Status, IReadOnlyList<CodeableConcept> Categories, CodeableConcept Code,
    Reference? Subject, Reference? Encounter, FhirDateTime? Effective, Period? EffectivePeriod, FhirDateTime? Issued, IReadOnlyList<Reference> Performers,
    FhirValue? Value, CodeableConcept? DataAbsentReason, IReadOnlyList<CodeableConcept> Interpretation, IReadOnlyList<Annotation> Notes,
    IReadOnlyList<Observation.ReferenceRange> ReferenceRanges, IReadOnlyList<Observation.Component> Components)
{
    public sealed record ReferenceRange(Quantity? Low, Quantity? High, string? Text)
    {
        internal static ReferenceRange Read(Element e) => new(e.One("low", Quantity.Read), e.One("high", Quantity.Read), e.Text("text"));

        /// <summary>Nothing of the value.</summary>
        public override string ToString() => nameof(ReferenceRange);
    }

    /// <summary>One value of several, such as the systolic of a blood pressure.</summary>
    public sealed record Component(
        CodeableConcept Code, FhirValue? Value, CodeableConcept? DataAbsentReason, IReadOnlyList<CodeableConcept> Interpretation, IReadOnlyList<ReferenceRange> ReferenceRanges)
    {
        internal static Component Read(Element e) => new(
            e.OneRequired("code", CodeableConcept.Read), FhirValue.Read(e), e.One("dataAbsentReason", CodeableConcept.Read), e.Many("interpretation", CodeableConcept.Read),
            e.Many("referenceRange", ReferenceRange.Read));

        /// <summary>Nothing of the value.</summary>
        public override string ToString() => nameof(Component);
    }

    public static Result<Observation> Read(JsonElement resource) => Element.Read(resource, nameof(Observation), From);

    /// <summary>Of a resource that was held against R4 when it was read.</summary>
    internal static Result<Observation> Of(IncomingResource resource) => Element.Take(resource.Json, nameof(Observation), From);

    private static Observation From(Element e) => new Observation(
        e.Text("id"), e.Many("identifier", Identifier.Read), e.Many("basedOn", Reference.Read), e.Required("status"), e.Many("category", CodeableConcept.Read),
        e.OneRequired("code", CodeableConcept.Read), e.One("subject", Reference.Read), e.One("encounter", Reference.Read),
        e.Time("effectiveDateTime") ?? e.Time("effectiveInstant"), e.One("effectivePeriod", Period.Read), e.Time("issued"), e.Many("performer", Reference.Read),
        FhirValue.Read(e), e.One("dataAbsentReason", CodeableConcept.Read), e.Many("interpretation", CodeableConcept.Read), e.Many("note", Annotation.Read),
        e.Many("referenceRange", ReferenceRange.Read), e.Many("component", Component.Read));

    /// <inheritdoc/>
    public override string ToString() => nameof(Observation);
}
