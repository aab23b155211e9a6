using System.Buffers;
using System.Text;
using Mangrove.Clinic.Records;
using Mangrove.Kernel;
using Mangrove.Portability.Fhir;
using Mangrove.Vault;
using Model = Mangrove.Portability.Fhir.Model;

namespace Mangrove.Portability.Exchange;

/// <summary>
/// Makes FHIR R4 of the clinic's rows: what was recorded here, and what came by import and was changed since. The values
/// are given already opened, so that this class can read nothing by itself; what is not given is absent in the resource.
/// </summary>
/// <param name="facility">The hospital's own id: the namespace of its patient numbers.</param>
/// <param name="idOf">The id under which a row is known outside. A row that came by import keeps the id it came with.</param>
public sealed class ResourceComposer(Guid facility, Func<Guid, string> idOf)
{
    private const string Terminology = "http://terminology.hl7.org/CodeSystem/";
    private const string Snomed = "http://snomed.info/sct";

    private static readonly string[] ConditionStatuses = ["active", "recurrence", "relapse", "inactive", "remission", "resolved"];
    private static readonly string[] EndedConditions = ["inactive", "remission", "resolved"];
    private static readonly string[] Verifications = ["unconfirmed", "provisional", "differential", "confirmed", "refuted", "entered-in-error"];
    private static readonly string[] ObservationStatuses = ["registered", "preliminary", "final", "amended", "corrected", "cancelled", "entered-in-error", "unknown"];
    private static readonly string[] RequestStatuses = ["active", "on-hold", "cancelled", "completed", "entered-in-error", "stopped", "draft", "unknown"];
    private static readonly string[] EventStatuses = ["preparation", "in-progress", "not-done", "on-hold", "stopped", "completed", "entered-in-error", "unknown"];
    private static readonly string[] ReportStatuses = ["registered", "partial", "preliminary", "final", "amended", "corrected", "appended", "cancelled", "entered-in-error", "unknown"];

    // What char.IsControl names, but for tab and line ends.
    private static readonly SearchValues<char> Controls = SearchValues.Create(
        [.. Enumerable.Range(0, 0xA0).Select(static letter => (char)letter).Where(static letter => char.IsControl(letter) && letter is not ('\t' or '\n' or '\r'))]);

    /// <summary>The id of a row that was made here.</summary>
    public static string OwnId(Guid row) => row.ToString("D");

    public byte[] Patient(Patient row, PersonName? name, BirthAndSex? person, ContactDetails? contact)
    {
        var identifiers = new List<Model.Identifier>
        {
            new("usual", Model.CodeableConcept.Of(Terminology + "v2-0203", "MR", "Medical record number"), $"urn:uuid:{facility:D}", row.Mrn),
        };
        if (Clean(contact?.IdentityDocument) is { } document)
        {
            identifiers.Add(new Model.Identifier("official", new Model.CodeableConcept([], "Identity document"), null, document));
        }

        var telecom = (contact?.Phones ?? []).Select(Clean).OfType<string>().Select(phone => new Model.ContactPoint("phone", phone)).ToList();
        if (Clean(contact?.Email) is { } mail)
        {
            telecom.Add(new Model.ContactPoint("email", mail));
        }

        var kin = Clean(contact?.NextOfKin);
        var kinPhone = Clean(contact?.NextOfKinPhone);
        Model.Patient.ContactPerson[] contacts = kin is null && kinPhone is null
            ? []
            : [new Model.Patient.ContactPerson(
                [Model.CodeableConcept.Of(Terminology + "v2-0131", "N", "Next-of-Kin")],
                kin is null ? PersonName.Unnamed : new PersonName(null, [], kin),
                kinPhone is null ? [] : [new Model.ContactPoint("phone", kinPhone)],
                null,
                null)];
        return ResourceWriter.Write(new Model.Patient(
            idOf(row.Id),
            true,
            identifiers,
            Name(name),
            person is null ? null : person.Sex switch { AdministrativeSex.Female => "female", AdministrativeSex.Male => "male", AdministrativeSex.Other => "other", _ => "unknown" },
            person?.BornOn(),
            person?.Dead == true ? true : null,
            person?.Dead == true ? Time(person.Died) : null,
            telecom,
            Address(contact),
            null,
            contacts,
            Code(contact?.Language)));
    }

    public byte[] Encounter(Visit row, EncounterRecord? record)
    {
        var kind = Code(record?.Class) ?? row.Kind switch { VisitKind.Emergency => "EMER", _ => "AMB" };
        var period = row.Kind == VisitKind.Imported ? Period(Time(record?.Start), Time(record?.End)) : Period(Time(row.ArrivedAt), row.ClosedAt is { } closed ? Time(closed) : null);
        return ResourceWriter.Write(new Model.Encounter(
            idOf(row.Id),
            [],
            row.Status switch
            {
                VisitStatus.Arrived => "arrived",
                VisitStatus.Triaged => "triaged",
                VisitStatus.Closed => "finished",
                _ => "in-progress",
            },
            new Model.Coding(Terminology + "v3-ActCode", kind),
            Texts(record?.Type),
            Subject(row),
            period,
            Texts(record?.Reason),
            row.Doctor is { } doctor ? [Staff(doctor)] : [],
            Clean(record?.Provider) is { } provider ? new Model.Reference(null, Display: provider) : null));
    }

    public byte[] Condition(Problem row, ProblemRecord record)
    {
        var verification = OneOf(record.Verification, Verifications, "unconfirmed");
        var mistaken = verification == "entered-in-error";
        var status = OneOf(record.ClinicalStatus, ConditionStatuses, "active");
        var onset = Time(record.Onset);
        return ResourceWriter.Write(new Model.Condition(
            idOf(row.Id),
            mistaken ? null : Model.CodeableConcept.Of(Terminology + "condition-clinical", status),
            Model.CodeableConcept.Of(Terminology + "condition-ver-status", verification),
            [Model.CodeableConcept.Of(Terminology + "condition-category", row.VisitId is null ? "problem-list-item" : "encounter-diagnosis")],
            null,
            Concept(record.Code, record.System, record.Display),
            Subject(row),
            Encounter(row.VisitId),
            onset,
            onset is null ? Clean(record.Onset) : null,
            !mistaken && EndedConditions.Contains(status) ? Time(record.Abated) : null,
            Time(row.RecordedAt),
            row.By is { } by ? Staff(by) : null,
            Notes(record.Note)));
    }

    /// <param name="row">The row.</param>
    /// <param name="value">Its value.</param>
    /// <param name="linked">Whether the visit may be named.</param>
    public byte[] Observation(Observation row, ObservedValue value, bool linked = true)
    {
        var measured = Value(value);
        return ResourceWriter.Write(new Model.Observation(
            idOf(row.Id),
            [],
            [],
            row.ReplacedBy is null ? OneOf(value.Status, ObservationStatuses, "unknown") : "entered-in-error",
            CategoryOf(row.Kind) is { } category ? [Model.CodeableConcept.Of(Terminology + "observation-category", category)] : [],
            Concept(value.Code, value.System, value.Display),
            Subject(row),
            linked ? Encounter(row.VisitId) : null,
            Time(row.TakenAt),
            null,
            value.Recorded is { } recorded ? Time(recorded) : null,
            row.By is { } by ? [Staff(by)] : [],
            measured,
            measured is null && value.Components.Count == 0 ? Unknown() : null,
            Interpretation(value.Flag),
            Notes(value.Note),
            Ranges(value),
            [.. value.Components.Select(part => new Model.Observation.Component(
                Concept(part.Code, part.System, part.Display),
                Value(part),
                Value(part) is null ? Unknown() : null,
                Interpretation(part.Flag),
                Ranges(part)))]));
    }

    public byte[] AllergyIntolerance(Allergy row, AllergyRecord record)
    {
        var mistaken = record.Status == "entered-in-error";
        var reaction = Clean(record.Reaction);
        var severity = record.Severity is "mild" or "moderate" or "severe" ? record.Severity : null;
        return ResourceWriter.Write(new Model.AllergyIntolerance(
            idOf(row.Id),
            mistaken ? null : Model.CodeableConcept.Of(Terminology + "allergyintolerance-clinical", OneOf(record.Status, ["active", "inactive", "resolved"], "active")),
            Model.CodeableConcept.Of(Terminology + "allergyintolerance-verification", mistaken ? "entered-in-error" : "confirmed"),
            null,
            record.Category is "food" or "medication" or "environment" or "biologic" ? [record.Category] : [],
            severity == "severe" ? "high" : null,
            record.NoneKnown && record.Code is null
                ? Model.CodeableConcept.Of(Snomed, "716186003", "No known allergy")
                : Concept(record.Code, record.System, record.Substance ?? "not named"),
            Subject(row),
            null,
            Time(record.Onset),
            Time(row.RecordedAt),
            [],
            reaction is null ? [] : [new Model.AllergyIntolerance.Reaction(null, [new Model.CodeableConcept([], reaction)], severity, null)]));
    }

    public byte[] MedicationRequest(Prescription row, PrescriptionLine line, MedicineInUse? inUse)
    {
        var status = row.Status switch
        {
            PrescriptionStatus.Stopped => "stopped",
            PrescriptionStatus.Ordered or PrescriptionStatus.PartlyDispensed => "active",
            _ => OneOf(inUse?.Status, RequestStatuses, "unknown"),
        };
        var words = string.Join(' ', new[] { line.Name, line.Strength, line.Form }.Select(Clean).OfType<string>());
        var sig = Clean(line.Sig);
        var route = Clean(line.Route);
        var frequency = Clean(line.Frequency);
        Model.MedicationRequest.Dosage[] dosages = sig is null && route is null && frequency is null && line.Dose is null
            ? []
            : [new Model.MedicationRequest.Dosage(
                null,
                sig,
                null,
                null,
                null,
                route is null ? null : new Model.CodeableConcept([], route),
                Amount(line.Dose, line.DoseUnit),
                null,
                null,
                null,
                null,
                frequency is null ? null : new Model.CodeableConcept([], frequency))];
        return ResourceWriter.Write(new Model.MedicationRequest(
            idOf(row.Id),
            status,
            "order",
            Concept(line.Code, line.System, words.Length == 0 ? "not named" : words),
            null,
            Subject(row),
            Encounter(row.VisitId),
            Time(row.OrderedAt),
            row.By is { } by ? Staff(by) : null,
            [],
            [],
            dosages,
            Amount(line.Quantity, null),
            null));
    }

    public byte[] Immunization(Immunization row, CodedEvent record)
    {
        var occurred = Time(record.Start) ?? (Clean(record.Start) is null ? Time(row.At) : null);
        return ResourceWriter.Write(new Model.Immunization(
            idOf(row.Id),
            OneOf(record.Status, ["completed", "entered-in-error", "not-done"], "completed"),
            Concept(record.Code, record.System, record.Display),
            Subject(row),
            Encounter(row.VisitId),
            occurred,
            occurred is null ? Clean(record.Start) ?? "not known" : null,
            null,
            null,
            null,
            null,
            null,
            null,
            Notes(record.Reason)));
    }

    public byte[] Procedure(Procedure row, CodedEvent record)
    {
        var start = Time(record.Start) ?? (Clean(record.Start) is null ? Time(row.At) : null);
        var end = Time(record.End);
        return ResourceWriter.Write(new Model.Procedure(
            idOf(row.Id),
            OneOf(record.Status, EventStatuses, "unknown"),
            null,
            Concept(record.Code, record.System, record.Display),
            Subject(row),
            Encounter(row.VisitId),
            end is null ? start : null,
            end is null ? null : Period(start, end),
            start is null && end is null ? Clean(record.Start) : null,
            [],
            Texts(record.Reason),
            [],
            [],
            null,
            []));
    }

    public byte[] DiagnosticReport(DiagnosticReport row, ReportRecord record) => ResourceWriter.Write(new Model.DiagnosticReport(
        idOf(row.Id),
        [],
        [],
        OneOf(record.Status, ReportStatuses, "unknown"),
        [],
        Concept(record.Code, record.System, record.Display),
        Subject(row),
        Encounter(row.VisitId),
        Time(row.At),
        null,
        null,
        [],
        [.. record.Results.Select(result => new Model.Reference($"Observation/{idOf(result)}"))],
        Clean(record.Conclusion),
        []));

    /// <summary>The code of FHIR's observation categories, or null for findings that have none here.</summary>
    public static string? CategoryOf(ObservationKind kind) => kind switch
    {
        ObservationKind.Vital or ObservationKind.BodyMeasure => "vital-signs",
        ObservationKind.Laboratory => "laboratory",
        _ => null,
    };

    private static PersonName Name(PersonName? name) => name is null
        ? PersonName.Unnamed
        : new PersonName(Clean(name.Family), [.. name.Given.Select(Clean).OfType<string>()], Clean(name.Text), Clean(name.Other));

    private static Model.Address[] Address(ContactDetails? contact)
    {
        var line = Clean(contact?.Address);
        var city = Clean(contact?.City);
        var district = Clean(contact?.District);
        var code = Clean(contact?.PostalCode);
        var country = Clean(contact?.Country);
        return (line ?? city ?? district ?? code ?? country) is null
            ? []
            : [new Model.Address(null, null, null, line is null ? [] : [line], city, district, null, code, country)];
    }

    private static Model.FhirValue? Value(ObservedValue value)
    {
        if (value.Number is { } number)
        {
            return new Model.FhirValue.OfQuantity(Quantity(number, value.Unit, value.UnitCode));
        }

        return Clean(value.Text) is { } text ? new Model.FhirValue.OfText(text) : null;
    }

    private static Model.Observation.ReferenceRange[] Ranges(ObservedValue value) => value.Low is null && value.High is null
        ? []
        : [new Model.Observation.ReferenceRange(
            value.Low is { } low ? Quantity(low, value.Unit, value.UnitCode) : null,
            value.High is { } high ? Quantity(high, value.Unit, value.UnitCode) : null,
            null)];

    private static Model.Quantity Quantity(decimal number, string? unit, string? code)
    {
        var ucum = Code(code);
        return new Model.Quantity(Model.ExactDecimal.From(number), Clean(unit) ?? ucum, ucum is null ? null : Model.Quantity.Ucum, ucum);
    }

    private static Model.Quantity? Amount(decimal? number, string? unit) => number is { } some ? new Model.Quantity(Model.ExactDecimal.From(some), Clean(unit)) : null;

    private static Model.CodeableConcept[] Interpretation(string? flag) => flag switch
    {
        "Normal" => [Model.CodeableConcept.Of(Terminology + "v3-ObservationInterpretation", "N", "Normal")],
        "Low" => [Model.CodeableConcept.Of(Terminology + "v3-ObservationInterpretation", "L", "Low")],
        "High" => [Model.CodeableConcept.Of(Terminology + "v3-ObservationInterpretation", "H", "High")],
        "CriticalLow" => [Model.CodeableConcept.Of(Terminology + "v3-ObservationInterpretation", "LL", "Critical low")],
        "CriticalHigh" => [Model.CodeableConcept.Of(Terminology + "v3-ObservationInterpretation", "HH", "Critical high")],
        "Abnormal" => [Model.CodeableConcept.Of(Terminology + "v3-ObservationInterpretation", "A", "Abnormal")],
        _ => [],
    };

    private static Model.CodeableConcept Unknown() => Model.CodeableConcept.Of(Terminology + "data-absent-reason", "unknown", "Unknown");

    private static Model.CodeableConcept Concept(string? code, string? system, string display)
    {
        var words = Clean(display) ?? "not named";
        return Code(code) is { } known ? new Model.CodeableConcept([new Model.Coding(Address(system), known, words)], words) : new Model.CodeableConcept([], words);
    }

    private static Model.CodeableConcept[] Texts(string? text) => Clean(text) is { } words ? [new Model.CodeableConcept([], words)] : [];

    private static Model.Annotation[] Notes(string? text) => Clean(text) is { } words ? [new Model.Annotation(words)] : [];

    private static Model.Reference Staff(StaffId staff) => new(null, "Practitioner", null, staff.ToString());

    private Model.Reference Subject(SealedRow row) => new($"Patient/{idOf(row.PatientId.Value)}");

    private Model.Reference? Encounter(Guid? visit) => visit is { } id ? new Model.Reference($"Encounter/{idOf(id)}") : null;

    private static string OneOf(string? status, string[] allowed, string otherwise) => status is not null && allowed.Contains(status, StringComparer.Ordinal) ? status : otherwise;

    // Times that an import could not tell are kept as the epoch; nothing here was recorded then.
    private static Model.FhirDateTime? Time(DateTimeOffset time) => time == DateTimeOffset.UnixEpoch ? null : Model.FhirDateTime.From(time);

    private static Model.FhirDateTime? Time(string? text)
    {
        // The longest has nine digits of a second and an offset; what is longer is checked as what it is, in memory of its own.
        Span<byte> place = stackalloc byte[64];
        return text is not null && Primitives.IsDateTime(Encoding.UTF8.TryGetBytes(text, place, out var length) ? place[..length] : Encoding.UTF8.GetBytes(text))
            ? new Model.FhirDateTime(text)
            : null;
    }

    /// <summary>A period in order; an end before the start is a slip of the recorder and stays out.</summary>
    private static Model.Period? Period(Model.FhirDateTime? start, Model.FhirDateTime? end)
    {
        if (start is { } from && end is { } to)
        {
            var shorter = Math.Min(Math.Min(from.Text.Length, to.Text.Length), 10);
            var late = from.IsMoment && to.IsMoment ? from.Moment > to.Moment : string.CompareOrdinal(from.Text, 0, to.Text, 0, shorter) > 0;
            return new Model.Period(start, late ? null : end);
        }

        return start is null && end is null ? null : new Model.Period(start, end);
    }

    /// <summary>Text as R4 allows it: not blank, no control characters but tab and line ends.</summary>
    private static string? Clean(string? text)
    {
        if (string.IsNullOrWhiteSpace(text))
        {
            return null;
        }

        var kept = text.AsSpan().ContainsAny(Controls)
            ? string.Concat(text.Where(letter => !char.IsControl(letter) || letter is '\t' or '\n' or '\r'))
            : text;
        return string.IsNullOrWhiteSpace(kept) ? null : kept.Trim();
    }

    /// <summary>A code has no blanks but single ones inside; what is not one stands in the words only.</summary>
    private static string? Code(string? text) => Clean(text) is { } code && !code.Contains("  ", StringComparison.Ordinal) && !code.AsSpan().ContainsAny('\t', '\n', '\r') ? code : null;

    private static string? Address(string? uri) => Clean(uri) is { } address && !address.Any(char.IsWhiteSpace) ? address : null;
}
