using System.Text.Json;
using Mangrove.Kernel;

namespace Mangrove.Portability.Fhir.Model;

/// <summary>https://hl7.org/fhir/R4/encounter.html: one visit.</summary>
public sealed record Encounter(
    string? Id, IReadOnlyList<Identifier> Identifiers, string Status, Coding Class, IReadOnlyList<CodeableConcept> Types, Reference? Subject,
    Period? Period, IReadOnlyList<CodeableConcept> Reasons, IReadOnlyList<Reference> Participants, Reference? ServiceProvider)
{
    public static Result<Encounter> Read(JsonElement resource) => Element.Read(resource, nameof(Encounter), From);

    /// <summary>Of a resource that was held against R4 when it was read.</summary>
    internal static Result<Encounter> Of(IncomingResource resource) => Element.Take(resource.Json, nameof(Encounter), From);

    private static Encounter From(Element e) => new Encounter(
        e.Text("id"), e.Many("identifier", Identifier.Read), e.Required("status"), e.OneRequired("class", Coding.Read), e.Many("type", CodeableConcept.Read),
        e.One("subject", Reference.Read), e.One("period", Model.Period.Read), e.Many("reasonCode", CodeableConcept.Read),
        [.. e.Many("participant", static p => p.One("individual", Reference.Read)).OfType<Reference>()], e.One("serviceProvider", Reference.Read));

    /// <inheritdoc/>
    public override string ToString() => nameof(Encounter);
}
