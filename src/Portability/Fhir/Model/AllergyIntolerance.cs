using System.Text.Json;
using Mangrove.Kernel;

namespace Mangrove.Portability.Fhir.Model;

/// <summary>https://hl7.org/fhir/R4/allergyintolerance.html</summary>
/// <param name="Type">allergy, intolerance or null.</param>
/// <param name="Categories">food, medication, environment, biologic.</param>
/// <param name="Criticality">low, high, unable-to-assess or null.</param>
public sealed record AllergyIntolerance(
    string? Id, CodeableConcept? ClinicalStatus, CodeableConcept? VerificationStatus, string? Type, IReadOnlyList<string> Categories, string? Criticality,
    CodeableConcept? Code, Reference Patient, Reference? Encounter, FhirDateTime? Onset, FhirDateTime? Recorded, IReadOnlyList<Annotation> Notes,
    IReadOnlyList<AllergyIntolerance.Reaction> Reactions)
{
    /// <param name="Severity">mild, moderate, severe or null.</param>
    public sealed record Reaction(CodeableConcept? Substance, IReadOnlyList<CodeableConcept> Manifestations, string? Severity, string? Description)
    {
        internal static Reaction Read(Element e) => new(
            e.One("substance", CodeableConcept.Read), e.Many("manifestation", CodeableConcept.Read), e.Text("severity"), e.Text("description"));

        /// <summary>Nothing of the value.</summary>
        public override string ToString() => nameof(Reaction);
    }

    public static Result<AllergyIntolerance> Read(JsonElement resource) => Element.Read(resource, nameof(AllergyIntolerance), From);

    /// <summary>Of a resource that was held against R4 when it was read.</summary>
    internal static Result<AllergyIntolerance> Of(IncomingResource resource) => Element.Take(resource.Json, nameof(AllergyIntolerance), From);

    private static AllergyIntolerance From(Element e) => new AllergyIntolerance(
        e.Text("id"), e.One("clinicalStatus", CodeableConcept.Read), e.One("verificationStatus", CodeableConcept.Read), e.Text("type"), e.Texts("category"),
        e.Text("criticality"), e.One("code", CodeableConcept.Read), e.OneRequired("patient", Reference.Read), e.One("encounter", Reference.Read),
        e.Time("onsetDateTime") ?? e.One("onsetPeriod", Period.Read)?.Start, e.Time("recordedDate"), e.Many("note", Annotation.Read),
        e.Many("reaction", Reaction.Read));

    /// <inheritdoc/>
    public override string ToString() => nameof(AllergyIntolerance);
}
