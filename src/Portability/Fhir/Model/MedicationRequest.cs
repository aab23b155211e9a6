using System.Text.Json;
using Mangrove.Kernel;

namespace Mangrove.Portability.Fhir.Model;

/// <summary>https://hl7.org/fhir/R4/medicationrequest.html: a prescription line.</summary>
/// <param name="Medication">The medicine when it is coded here or in a contained Medication.</param>
/// <param name="MedicationReference">The medicine when it is another resource; null when it is contained.</param>
public sealed record MedicationRequest(
    string? Id, string Status, string Intent, CodeableConcept? Medication, Reference? MedicationReference, Reference Subject, Reference? Encounter,
    FhirDateTime? Authored, Reference? Requester, IReadOnlyList<CodeableConcept> Reasons, IReadOnlyList<Annotation> Notes,
    IReadOnlyList<MedicationRequest.Dosage> Dosages, Quantity? DispenseQuantity, int? Repeats)
{
    /// <summary>R4 Dosage. Timing beyond frequency and period stays in the original.</summary>
    /// <param name="Dose">Amount a time, or null; a range stays in <paramref name="DoseRange"/>.</param>
    /// <param name="Frequency">Times a <paramref name="Period"/> of <paramref name="PeriodUnit"/> (s, min, h, d, wk, mo, a).</param>
    public sealed record Dosage(
        int? Sequence, string? Text, string? PatientInstruction, bool? AsNeeded, CodeableConcept? AsNeededFor, CodeableConcept? Route, Quantity? Dose, Range? DoseRange,
        int? Frequency, ExactDecimal? Period, string? PeriodUnit, CodeableConcept? TimingCode)
    {
        internal static Dosage Read(Element e)
        {
            var rate = e.Many("doseAndRate", static r => (Dose: r.One("doseQuantity", Quantity.Read), Range: r.One("doseRange", Model.Range.Read))) is [var first, ..]
                ? first
                : default;
            var timing = e.Json.TryGetProperty("timing", out var given) ? new Element(given) : default(Element?);
            var repeat = timing?.Json.TryGetProperty("repeat", out var cycle) == true ? new Element(cycle) : default(Element?);
            return new Dosage(
                e.Whole("sequence"), e.Text("text"), e.Text("patientInstruction"), e.Flag("asNeededBoolean"), e.One("asNeededCodeableConcept", CodeableConcept.Read),
                e.One("route", CodeableConcept.Read), rate.Dose, rate.Range, repeat?.Whole("frequency"), repeat?.Decimal("period"), repeat?.Text("periodUnit"),
                timing?.One("code", CodeableConcept.Read));
        }

        /// <summary>Nothing of the value.</summary>
        public override string ToString() => nameof(Dosage);
    }

    public static Result<MedicationRequest> Read(JsonElement resource) => Element.Read(resource, nameof(MedicationRequest), From);

    /// <summary>Of a resource that was held against R4 when it was read.</summary>
    internal static Result<MedicationRequest> Of(IncomingResource resource) => Element.Take(resource.Json, nameof(MedicationRequest), From);

    private static MedicationRequest From(Element e)
    {
        var dispense = e.Json.TryGetProperty("dispenseRequest", out var given) ? new Element(given) : default(Element?);
        var reference = e.One("medicationReference", Reference.Read);
        var contained = reference?.Literal is ['#', .. var id] ? Contained(e, id) : null;
        return new MedicationRequest(
            e.Text("id"), e.Required("status"), e.Required("intent"), e.One("medicationCodeableConcept", CodeableConcept.Read) ?? contained,
            contained is null ? reference : null, e.OneRequired("subject", Reference.Read), e.One("encounter", Reference.Read), e.Time("authoredOn"),
            e.One("requester", Reference.Read), e.Many("reasonCode", CodeableConcept.Read), e.Many("note", Annotation.Read),
            e.Many("dosageInstruction", Dosage.Read), dispense?.One("quantity", Quantity.Read), dispense?.Whole("numberOfRepeatsAllowed"));
    }

    /// <inheritdoc/>
    public override string ToString() => nameof(MedicationRequest);

    private static CodeableConcept? Contained(Element request, string id) => request.Many("contained", static c => c)
        .Where(c => c.Text("resourceType") == "Medication" && c.Text("id") == id)
        .Select(static c => c.One("code", CodeableConcept.Read)).FirstOrDefault();
}
