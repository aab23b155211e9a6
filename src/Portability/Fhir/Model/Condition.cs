using System.Text.Json;
using Mangrove.Kernel;

namespace Mangrove.Portability.Fhir.Model;

/// <summary>https://hl7.org/fhir/R4/condition.html: a problem or diagnosis.</summary>
/// <param name="Onset">When it began, if given as a date or the start of a period.</param>
/// <param name="OnsetText">When it began, if given as text.</param>
public sealed record Condition(
    string? Id, CodeableConcept? ClinicalStatus, CodeableConcept? VerificationStatus, IReadOnlyList<CodeableConcept> Categories, CodeableConcept? Severity,
    CodeableConcept? Code, Reference Subject, Reference? Encounter, FhirDateTime? Onset, string? OnsetText, FhirDateTime? Abatement, FhirDateTime? Recorded,
    Reference? Recorder, IReadOnlyList<Annotation> Notes)
{
    public static Result<Condition> Read(JsonElement resource) => Element.Read(resource, nameof(Condition), From);

    /// <summary>Of a resource that was held against R4 when it was read.</summary>
    internal static Result<Condition> Of(IncomingResource resource) => Element.Take(resource.Json, nameof(Condition), From);

    private static Condition From(Element e) => new Condition(
        e.Text("id"), e.One("clinicalStatus", CodeableConcept.Read), e.One("verificationStatus", CodeableConcept.Read), e.Many("category", CodeableConcept.Read),
        e.One("severity", CodeableConcept.Read), e.One("code", CodeableConcept.Read), e.OneRequired("subject", Reference.Read), e.One("encounter", Reference.Read),
        e.Time("onsetDateTime") ?? e.One("onsetPeriod", Period.Read)?.Start, e.Text("onsetString"),
        e.Time("abatementDateTime") ?? e.One("abatementPeriod", Period.Read)?.End, e.Time("recordedDate"), e.One("recorder", Reference.Read),
        e.Many("note", Annotation.Read));

    /// <inheritdoc/>
    public override string ToString() => nameof(Condition);
}
