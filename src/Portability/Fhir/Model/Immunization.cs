using System.Text.Json;
using Mangrove.Kernel;

namespace Mangrove.Portability.Fhir.Model;

/// <summary>https://hl7.org/fhir/R4/immunization.html</summary>
/// <param name="Status">completed, entered-in-error or not-done.</param>
/// <param name="Occurred">When, if given as a date; otherwise <paramref name="OccurredText"/>.</param>
public sealed record Immunization(
    string? Id, string Status, CodeableConcept Vaccine, Reference Patient, Reference? Encounter, FhirDateTime? Occurred, string? OccurredText, bool? PrimarySource,
    string? LotNumber, PartialDate? Expires, CodeableConcept? Site, CodeableConcept? Route, Quantity? Dose, IReadOnlyList<Annotation> Notes)
{
    public static Result<Immunization> Read(JsonElement resource) => Element.Read(resource, nameof(Immunization), From);

    /// <summary>Of a resource that was held against R4 when it was read.</summary>
    internal static Result<Immunization> Of(IncomingResource resource) => Element.Take(resource.Json, nameof(Immunization), From);

    private static Immunization From(Element e) => new Immunization(
        e.Text("id"), e.Required("status"), e.OneRequired("vaccineCode", CodeableConcept.Read), e.OneRequired("patient", Reference.Read), e.One("encounter", Reference.Read),
        e.Time("occurrenceDateTime"), e.Text("occurrenceString"), e.Flag("primarySource"), e.Text("lotNumber"),
        PartialDate.TryParse(e.Text("expirationDate"), out var expires) ? expires : null, e.One("site", CodeableConcept.Read), e.One("route", CodeableConcept.Read),
        e.One("doseQuantity", Quantity.Read), e.Many("note", Annotation.Read));

    /// <inheritdoc/>
    public override string ToString() => nameof(Immunization);
}
