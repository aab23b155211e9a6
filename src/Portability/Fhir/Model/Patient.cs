using System.Text.Json;
using Mangrove.Kernel;

namespace Mangrove.Portability.Fhir.Model;

/// <summary>
/// https://hl7.org/fhir/R4/patient.html as the clinic needs it. Names other than the chosen one, photographs and extensions
/// stay in the original.
/// </summary>
/// <param name="Name">The name the person goes by; <see cref="PersonName.Unnamed"/> when none is known.</param>
/// <param name="Gender">male, female, other, unknown, or null.</param>
/// <param name="Deceased">True when dead, also when only a date says so; null when nothing is said.</param>
/// <param name="DeceasedAt">When, if known.</param>
public sealed record Patient(
    string? Id, bool? Active, IReadOnlyList<Identifier> Identifiers, PersonName Name, string? Gender, PartialDate? BirthDate,
    bool? Deceased, FhirDateTime? DeceasedAt, IReadOnlyList<ContactPoint> Telecom, IReadOnlyList<Address> Addresses,
    CodeableConcept? MaritalStatus, IReadOnlyList<Patient.ContactPerson> Contacts, string? Language)
{
    /// <summary>Next of kin or another person to call.</summary>
    public sealed record ContactPerson(IReadOnlyList<CodeableConcept> Relationship, PersonName Name, IReadOnlyList<ContactPoint> Telecom, Address? Address, string? Gender, Reference? Organization = null)
    {
        internal static ContactPerson Read(Element e) => new(
            e.Many("relationship", CodeableConcept.Read), e.One("name", Names.One) ?? PersonName.Unnamed, e.Many("telecom", ContactPoint.Read),
            e.One("address", Model.Address.Read), e.Text("gender"), e.One("organization", Reference.Read));

        /// <summary>Nothing of the person.</summary>
        public override string ToString() => nameof(ContactPerson);
    }

    public static Result<Patient> Read(JsonElement resource) => Element.Read(resource, nameof(Patient), From);

    /// <summary>Of a resource that was held against R4 when it was read.</summary>
    internal static Result<Patient> Of(IncomingResource resource) => Element.Take(resource.Json, nameof(Patient), From);

    private static Patient From(Element e) => new Patient(
        e.Text("id"), e.Flag("active"), e.Many("identifier", Identifier.Read), Names.Choose(e), e.Text("gender"),
        PartialDate.TryParse(e.Text("birthDate"), out var born) ? born : null,
        e.Flag("deceasedBoolean") ?? (e.Time("deceasedDateTime") is null ? null : true), e.Time("deceasedDateTime"),
        e.Many("telecom", ContactPoint.Read), e.Many("address", Address.Read), e.One("maritalStatus", CodeableConcept.Read),
        e.Many("contact", ContactPerson.Read),
        e.Many("communication", static c => (Preferred: c.Flag("preferred") ?? false, Code: c.One("language", CodeableConcept.Read) is { Codings: [var first, ..] } ? first.Code : null))
            .OrderByDescending(static c => c.Preferred).Select(static c => c.Code).FirstOrDefault());

    /// <summary>Nothing of the person.</summary>
    public override string ToString() => nameof(Patient);
}
