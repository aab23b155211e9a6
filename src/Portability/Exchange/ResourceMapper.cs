using Mangrove.Clinic.Records;
using Mangrove.Kernel;
using Mangrove.Portability.Fhir;
using Mangrove.Vault;
using Model = Mangrove.Portability.Fhir.Model;

namespace Mangrove.Portability.Exchange;

/// <summary>
/// Turns a FHIR resource into the clinic's row for it. What the row has no place for stays in the kept original, so that
/// nothing is lost by the mapping.
/// </summary>
/// <param name="opening">The import's opening: the only way to seal a field.</param>
/// <param name="visitOf">The visit that an encounter reference leads to.</param>
/// <param name="nameOf">The words for a medication that stands in a resource of its own.</param>
/// <param name="rowOf">The row of another resource of the same bundle.</param>
internal sealed class ResourceMapper(Opening opening, Func<Model.Reference?, Guid?> visitOf, Func<Model.Reference?, string?> nameOf, Func<Model.Reference, Guid?> rowOf)
{
    private static readonly HashSet<string> BodyMeasures = new(StringComparer.Ordinal) { "29463-7", "3141-9", "8302-2", "8306-3", "39156-5", "8287-5", "9843-4", "59576-9", "77606-2" };

    /// <summary>The types that the clinic has a place for.</summary>
    public static IReadOnlySet<string> Types { get; } = new HashSet<string>(StringComparer.Ordinal)
    {
        "Patient", "Encounter", "Condition", "Observation", "AllergyIntolerance", "MedicationRequest", "Immunization", "Procedure", "DiagnosticReport",
    };

    /// <summary>Fills a patient's row.</summary>
    public (PersonName Name, BirthAndSex Person, ContactDetails Contact) Patient(Patient row, Model.Patient source)
    {
        var person = new BirthAndSex(
            source.BirthDate?.ToString(),
            source.Gender switch { "female" => AdministrativeSex.Female, "male" => AdministrativeSex.Male, "other" => AdministrativeSex.Other, _ => AdministrativeSex.Unknown },
            source.Deceased ?? false,
            source.DeceasedAt?.Text);
        var address = source.Addresses is [var home, ..] ? home : null;
        var kin = source.Contacts is [var first, ..] ? first : null;
        var contact = new ContactDetails
        {
            Phones = [.. source.Telecom.Where(point => point.System is "phone" or "sms" && point.Value is not null).Select(point => point.Value!)],
            Email = source.Telecom.FirstOrDefault(point => point.System == "email")?.Value,
            Address = address is null ? null : address.Lines.Count > 0 ? string.Join(", ", address.Lines) : address.Text,
            City = address?.City,
            District = address?.District ?? address?.State,
            PostalCode = address?.PostalCode,
            Country = address?.Country,
            Language = source.Language,
            NextOfKin = kin is null || kin.Name.IsEmpty ? null : kin.Name.Text ?? string.Join(' ', kin.Name.Given.Append(kin.Name.Family).OfType<string>()),
            NextOfKinPhone = kin?.Telecom.FirstOrDefault(point => point.System == "phone")?.Value,
        };
        opening.Set(row, Clinic.Records.Patient.NameField, source.Name);
        opening.Set(row, Clinic.Records.Patient.PersonField, person);
        opening.Set(row, Clinic.Records.Patient.ContactField, contact);
        return (source.Name, person, contact);
    }

    /// <summary>The row for a resource of a patient, or why it cannot be mapped.</summary>
    public Result<SealedRow> Map(IncomingResource resource, PatientId patient) => resource.Type switch
    {
        "Encounter" => Read(Model.Encounter.Of(resource), patient, Encounter),
        "Condition" => Read(Model.Condition.Of(resource), patient, Condition),
        "Observation" => Read(Model.Observation.Of(resource), patient, Observation),
        "AllergyIntolerance" => Read(Model.AllergyIntolerance.Of(resource), patient, AllergyIntolerance),
        "MedicationRequest" => Read(Model.MedicationRequest.Of(resource), patient, MedicationRequest),
        "Immunization" => Read(Model.Immunization.Of(resource), patient, Immunization),
        "Procedure" => Read(Model.Procedure.Of(resource), patient, Procedure),
        "DiagnosticReport" => Read(Model.DiagnosticReport.Of(resource), patient, DiagnosticReport),
        _ => throw new ArgumentOutOfRangeException(nameof(resource)),
    };

    private static Result<SealedRow> Read<T>(Result<T> read, PatientId patient, Func<T, PatientId, SealedRow> map) =>
        read.Error is { } error ? error : map(read.Value, patient);

    private SealedRow Encounter(Model.Encounter source, PatientId patient)
    {
        var start = source.Period?.Start;
        var row = Visit.Imported(patient, start?.Moment ?? DateTimeOffset.UnixEpoch, source.Period?.End?.Moment);
        opening.Set(row, Visit.EncounterField, new EncounterRecord
        {
            Class = source.Class.Code,
            Type = source.Types is [var type, ..] ? type.Shown : null,
            Reason = source.Reasons is [var reason, ..] ? reason.Shown : null,
            Provider = source.ServiceProvider?.Display,
            Start = start?.Text,
            End = source.Period?.End?.Text,
        });
        return row;
    }

    private SealedRow Condition(Model.Condition source, PatientId patient)
    {
        var (code, system) = First(source.Code);
        var row = new Problem { PatientId = patient, VisitId = visitOf(source.Encounter), RecordedAt = At(source.Recorded ?? source.Onset) };
        opening.Set(row, Problem.RecordField, new ProblemRecord(
            code,
            system,
            source.Code?.Shown ?? "not named",
            source.Onset?.Text ?? source.OnsetText,
            source.Abatement?.Text,
            First(source.ClinicalStatus).Code ?? "active",
            First(source.VerificationStatus).Code));
        return row;
    }

    private SealedRow Observation(Model.Observation source, PatientId patient)
    {
        var categories = source.Categories.SelectMany(category => category.Codings).Select(coding => coding.Code).ToArray();
        var code = First(source.Code).Code;
        var kind = code is not null && BodyMeasures.Contains(code) ? ObservationKind.BodyMeasure
            : categories.Contains("vital-signs") ? ObservationKind.Vital
            : categories.Contains("laboratory") ? ObservationKind.Laboratory
            : ObservationKind.Other;
        var row = new Observation
        {
            PatientId = patient,
            Kind = kind,
            VisitId = visitOf(source.Encounter),
            TakenAt = At(source.Effective ?? source.EffectivePeriod?.Start ?? source.Issued),
        };
        var components = source.Components.Select(part => Value(part.Code, part.Value, part.ReferenceRanges, part.Interpretation)).ToArray();
        opening.Set(row, Clinic.Records.Observation.ValueField, Value(source.Code, source.Value, source.ReferenceRanges, source.Interpretation) with
        {
            Status = source.Status,
            Components = components,
            Note = source.Notes is [var note, ..] ? note.Text : null,
        });
        return row;
    }

    private SealedRow AllergyIntolerance(Model.AllergyIntolerance source, PatientId patient)
    {
        var (code, system) = First(source.Code);
        var row = new Allergy { PatientId = patient, RecordedAt = At(source.Recorded ?? source.Onset) };
        var reaction = source.Reactions is [var first, ..] ? first : null;
        // SNOMED CT 716186003 is "No known allergy"; its children say the same of drugs, food and the environment.
        var none = code is "716186003" or "409137002" or "428607008" or "429625007";
        opening.Set(row, Allergy.RecordField, new AllergyRecord(
            none,
            source.Code?.Shown ?? reaction?.Substance?.Shown ?? "not named",
            code,
            system,
            source.Categories is [var category, ..] ? category : null,
            reaction?.Manifestations is [var shown, ..] ? shown.Shown : reaction?.Description,
            reaction?.Severity ?? (source.Criticality == "high" ? "severe" : null),
            source.Onset?.Text,
            First(source.VerificationStatus).Code == "entered-in-error" ? "entered-in-error" : First(source.ClinicalStatus).Code ?? "active"));
        return row;
    }

    private SealedRow MedicationRequest(Model.MedicationRequest source, PatientId patient)
    {
        var (code, system) = First(source.Medication);
        var name = source.Medication?.Shown ?? nameOf(source.MedicationReference) ?? source.MedicationReference?.Display ?? "not named";
        var dosage = source.Dosages is [var first, ..] ? first : null;
        var sig = dosage is null ? null : dosage.Text ?? dosage.PatientInstruction ?? Timing(dosage);
        var row = Prescription.Imported(patient, At(source.Authored), visitOf(source.Encounter));
        opening.Set(row, Prescription.LineField, new PrescriptionLine
        {
            Code = code,
            System = system,
            Name = name,
            Dose = dosage?.Dose?.Value is { } dose && dose.TryValue(out var amount) ? amount : null,
            DoseUnit = dosage?.Dose?.Unit,
            Route = dosage?.Route?.Shown,
            Quantity = source.DispenseQuantity?.Value is { } quantity && quantity.TryValue(out var units) ? units : null,
            Sig = sig,
        });
        opening.Set(row, Prescription.MedicineField, new MedicineInUse(name, null, sig, null, source.Status, null));
        return row;
    }

    private SealedRow Immunization(Model.Immunization source, PatientId patient)
    {
        var (code, system) = First(source.Vaccine);
        var row = new Immunization { PatientId = patient, VisitId = visitOf(source.Encounter), At = At(source.Occurred) };
        opening.Set(row, Clinic.Records.Immunization.RecordField, new CodedEvent(code, system, source.Vaccine.Shown ?? "not named", source.Status, source.Occurred?.Text ?? source.OccurredText));
        return row;
    }

    private SealedRow Procedure(Model.Procedure source, PatientId patient)
    {
        var (code, system) = First(source.Code);
        var row = new Procedure { PatientId = patient, VisitId = visitOf(source.Encounter), At = At(source.Performed ?? source.PerformedPeriod?.Start) };
        opening.Set(row, Clinic.Records.Procedure.RecordField, new CodedEvent(
            code,
            system,
            source.Code?.Shown ?? "not named",
            source.Status,
            source.Performed?.Text ?? source.PerformedPeriod?.Start?.Text ?? source.PerformedText,
            source.PerformedPeriod?.End?.Text,
            source.Reasons is [var reason, ..] ? reason.Shown : null));
        return row;
    }

    private SealedRow DiagnosticReport(Model.DiagnosticReport source, PatientId patient)
    {
        var (code, system) = First(source.Code);
        var row = new DiagnosticReport { PatientId = patient, VisitId = visitOf(source.Encounter), At = At(source.Effective ?? source.EffectivePeriod?.Start ?? source.Issued) };
        opening.Set(row, Clinic.Records.DiagnosticReport.RecordField, new ReportRecord(
            code,
            system,
            source.Code.Shown ?? "not named",
            source.Status,
            [.. source.Results.Select(rowOf).OfType<Guid>()],
            source.Conclusion));
        return row;
    }

    private static ObservedValue Value(Model.CodeableConcept concept, Model.FhirValue? value, IReadOnlyList<Model.Observation.ReferenceRange> ranges, IReadOnlyList<Model.CodeableConcept> interpretation)
    {
        var (code, system) = First(concept);
        var quantity = (value as Model.FhirValue.OfQuantity)?.Value;
        var known = quantity?.Value is { } exact && exact.TryValue(out var amount) ? amount : (decimal?)null;
        var range = ranges is [var first, ..] ? first : null;
        return new ObservedValue
        {
            Code = code,
            System = system,
            Display = concept.Shown ?? "not named",
            Number = known ?? (value as Model.FhirValue.OfInteger)?.Value,
            Unit = quantity?.Unit ?? quantity?.Code,
            UnitCode = quantity?.Code,
            Text = value switch
            {
                Model.FhirValue.OfConcept answer => answer.Value.Shown,
                Model.FhirValue.OfText text => text.Value,
                Model.FhirValue.OfBoolean yes => yes.Value ? "yes" : "no",
                Model.FhirValue.OfTime time => time.Value,
                Model.FhirValue.OfDateTime time => time.Value.Text,
                Model.FhirValue.OfQuantity { Value: { Comparator: { } comparator } compared } => $"{comparator} {compared.Value?.Text}",
                Model.FhirValue.OfQuantity when known is null => quantity?.Value?.Text,
                _ => null,
            },
            Low = range?.Low?.Value is { } low && low.TryValue(out var least) ? least : null,
            High = range?.High?.Value is { } high && high.TryValue(out var most) ? most : null,
            Flag = interpretation is [var judged, ..]
                ? First(judged).Code switch { "H" => "High", "L" => "Low", "HH" => "CriticalHigh", "LL" => "CriticalLow", "N" => "Normal", _ => null }
                : null,
        };
    }

    private static string? Timing(Model.MedicationRequest.Dosage dosage) => (dosage.Frequency, dosage.Period?.Text, dosage.PeriodUnit) switch
    {
        ({ } times, { } period, { } unit) => $"{times} × every {period} {unit}",
        _ => dosage.TimingCode?.Shown,
    };

    private static (string? Code, string? System) First(Model.CodeableConcept? concept) => concept?.Codings is [var coding, ..] ? (coding.Code, coding.System) : (null, null);

    private static DateTimeOffset At(Model.FhirDateTime? time) => time?.Moment ?? DateTimeOffset.UnixEpoch;
}
