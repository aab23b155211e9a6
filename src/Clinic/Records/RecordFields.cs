using Mangrove.Vault;

namespace Mangrove.Clinic.Records;

/// <summary>Every sealed field of a record, by the name that the log gives it.</summary>
public static class RecordFields
{
    private static readonly FieldUse[] All =
    [
        Patient.NameField, Patient.PersonField, Patient.ContactField, Patient.PayerField, Visit.EncounterField, TriageAssessment.OutcomeField,
        Observation.Vitals, Observation.BodyMeasures, Observation.LabResults, Observation.Others, Allergy.RecordField, Problem.RecordField, Note.TextField,
        Prescription.LineField, Prescription.MedicineField, Dispense.RecordField, LabOrder.LineField, Procedure.RecordField, Immunization.RecordField,
        DiagnosticReport.RecordField, Charge.LineField, Payment.RecordField,
    ];

    public static IReadOnlyList<string> Names { get; } = [.. All.Select(use => use.Name).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];

    /// <summary>The uses of a field: one name can stand for several categories, such as a vital sign and a laboratory value.</summary>
    public static IReadOnlyList<FieldUse> Named(string? name) => [.. All.Where(use => use.Name.Equals(name, StringComparison.OrdinalIgnoreCase))];
}
