using System.Text.Json;
using Mangrove.Kernel;

namespace Mangrove.Portability.Fhir.Model;

/// <summary>https://hl7.org/fhir/R4/procedure.html</summary>
/// <param name="Performed">When, as a date; or <paramref name="PerformedPeriod"/>, or <paramref name="PerformedText"/>.</param>
public sealed record Procedure(
    string? Id, string Status, CodeableConcept? Category, CodeableConcept? Code, Reference Subject, Reference? Encounter, FhirDateTime? Performed,
    Period? PerformedPeriod, string? PerformedText, IReadOnlyList<Reference> Performers, IReadOnlyList<CodeableConcept> Reasons,
    IReadOnlyList<Reference> ReasonReferences, IReadOnlyList<CodeableConcept> BodySites, CodeableConcept? Outcome, IReadOnlyList<Annotation> Notes)
{
    public static Result<Procedure> Read(JsonElement resource) => Element.Read(resource, nameof(Procedure), From);

    /// <summary>Of a resource that was held against R4 when it was read.</summary>
    internal static Result<Procedure> Of(IncomingResource resource) => Element.Take(resource.Json, nameof(Procedure), From);

    private static Procedure From(Element e) => new Procedure(
        e.Text("id"), e.Required("status"), e.One("category", CodeableConcept.Read), e.One("code", CodeableConcept.Read), e.OneRequired("subject", Reference.Read),
        e.One("encounter", Reference.Read), e.Time("performedDateTime"), e.One("performedPeriod", Period.Read), e.Text("performedString"),
        [.. e.Many("performer", static p => p.One("actor", Reference.Read)).OfType<Reference>()], e.Many("reasonCode", CodeableConcept.Read),
        e.Many("reasonReference", Reference.Read), e.Many("bodySite", CodeableConcept.Read), e.One("outcome", CodeableConcept.Read), e.Many("note", Annotation.Read));

    /// <inheritdoc/>
    public override string ToString() => nameof(Procedure);
}
