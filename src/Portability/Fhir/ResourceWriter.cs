using System.Text.Encodings.Web;
using System.Text.Json;
using Mangrove.Portability.Fhir.Model;

namespace Mangrove.Portability.Fhir;

/// <summary>
/// Writes typed resources as FHIR R4 JSON on one line, elements in the order of the specification, decimals digit for digit.
/// The same record always gives the same bytes. A record that lacks what R4 requires is a bug and throws.
/// </summary>
public static partial class ResourceWriter
{
    // The output is JSON for files and interfaces, never part of a page, so letters of all scripts stay readable.
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, Indented = false };

    private static readonly StructureCheck Check = new(new Package.InputLimits());

    public static byte[] Write(Patient r) => Resource(nameof(Patient), r.Id, w =>
    {
        w.Many("identifier", r.Identifiers, Identifier);
        w.Flag("active", r.Active);
        w.Names(r.Name);
        w.Many("telecom", r.Telecom, ContactPoint);
        w.Text("gender", r.Gender);
        w.Text("birthDate", r.BirthDate?.ToIso());
        if (r.DeceasedAt is { } died)
        {
            w.Text("deceasedDateTime", died.Text);
        }
        else
        {
            w.Flag("deceasedBoolean", r.Deceased);
        }

        w.Many("address", r.Addresses, Address);
        w.One("maritalStatus", r.MaritalStatus, Concept);
        w.Many("contact", r.Contacts, static (c, contact) =>
        {
            c.Many("relationship", contact.Relationship, Concept);
            if (!contact.Name.IsEmpty)
            {
                c.One("name", contact.Name, static (n, name) => n.Name(name));
            }

            c.Many("telecom", contact.Telecom, ContactPoint);
            c.One("address", contact.Address, Address);
            c.Text("gender", contact.Gender);
            c.One("organization", contact.Organization, Reference);
        });
        if (r.Language is { } language)
        {
            w.Many("communication", [language], static (c, code) =>
                c.One("language", new CodeableConcept([new Coding("urn:ietf:bcp:47", code)]), Concept));
        }
    });

    public static byte[] Write(Encounter r) => Resource(nameof(Encounter), r.Id, w =>
    {
        w.Many("identifier", r.Identifiers, Identifier);
        w.Text("status", r.Status);
        w.One("class", r.Class, Coding);
        w.Many("type", r.Types, Concept);
        w.One("subject", r.Subject, Reference);
        w.Many("participant", r.Participants, static (p, individual) => p.One("individual", individual, Reference));
        w.One("period", r.Period, Period);
        w.Many("reasonCode", r.Reasons, Concept);
        w.One("serviceProvider", r.ServiceProvider, Reference);
    });

    public static byte[] Write(Condition r) => Resource(nameof(Condition), r.Id, w =>
    {
        w.One("clinicalStatus", r.ClinicalStatus, Concept);
        w.One("verificationStatus", r.VerificationStatus, Concept);
        w.Many("category", r.Categories, Concept);
        w.One("severity", r.Severity, Concept);
        w.One("code", r.Code, Concept);
        w.One("subject", r.Subject, Reference);
        w.One("encounter", r.Encounter, Reference);
        if (r.Onset is { } onset)
        {
            w.Text("onsetDateTime", onset.Text);
        }
        else
        {
            w.Text("onsetString", r.OnsetText);
        }

        w.Text("abatementDateTime", r.Abatement?.Text);
        w.Text("recordedDate", r.Recorded?.Text);
        w.One("recorder", r.Recorder, Reference);
        w.Many("note", r.Notes, Note);
    });

    public static byte[] Write(Observation r) => Resource(nameof(Observation), r.Id, w =>
    {
        w.Many("identifier", r.Identifiers, Identifier);
        w.Many("basedOn", r.BasedOn, Reference);
        w.Text("status", r.Status);
        w.Many("category", r.Categories, Concept);
        w.One("code", r.Code, Concept);
        w.One("subject", r.Subject, Reference);
        w.One("encounter", r.Encounter, Reference);
        w.TimeOrPeriod("effective", r.Effective, r.EffectivePeriod);
        w.Text("issued", r.Issued?.Text);
        w.Many("performer", r.Performers, Reference);
        w.Value(r.Value);
        w.One("dataAbsentReason", r.DataAbsentReason, Concept);
        w.Many("interpretation", r.Interpretation, Concept);
        w.Many("note", r.Notes, Note);
        w.Many("referenceRange", r.ReferenceRanges, ReferenceRange);
        w.Many("component", r.Components, static (c, part) =>
        {
            c.One("code", part.Code, Concept);
            c.Value(part.Value);
            c.One("dataAbsentReason", part.DataAbsentReason, Concept);
            c.Many("interpretation", part.Interpretation, Concept);
            c.Many("referenceRange", part.ReferenceRanges, ReferenceRange);
        });
    });

    public static byte[] Write(AllergyIntolerance r) => Resource(nameof(AllergyIntolerance), r.Id, w =>
    {
        w.One("clinicalStatus", r.ClinicalStatus, Concept);
        w.One("verificationStatus", r.VerificationStatus, Concept);
        w.Text("type", r.Type);
        w.Texts("category", r.Categories);
        w.Text("criticality", r.Criticality);
        w.One("code", r.Code, Concept);
        w.One("patient", r.Patient, Reference);
        w.One("encounter", r.Encounter, Reference);
        w.Text("onsetDateTime", r.Onset?.Text);
        w.Text("recordedDate", r.Recorded?.Text);
        w.Many("note", r.Notes, Note);
        w.Many("reaction", r.Reactions, static (c, reaction) =>
        {
            c.One("substance", reaction.Substance, Concept);
            c.Many("manifestation", reaction.Manifestations, Concept);
            c.Text("description", reaction.Description);
            c.Text("severity", reaction.Severity);
        });
    });

    public static byte[] Write(MedicationRequest r) => Resource(nameof(MedicationRequest), r.Id, w =>
    {
        w.Text("status", r.Status);
        w.Text("intent", r.Intent);
        if (r.Medication is { } medicine)
        {
            w.One("medicationCodeableConcept", medicine, Concept);
        }
        else
        {
            w.One("medicationReference", r.MedicationReference, Reference);
        }

        w.One("subject", r.Subject, Reference);
        w.One("encounter", r.Encounter, Reference);
        w.Text("authoredOn", r.Authored?.Text);
        w.One("requester", r.Requester, Reference);
        w.Many("reasonCode", r.Reasons, Concept);
        w.Many("note", r.Notes, Note);
        w.Many("dosageInstruction", r.Dosages, Dosage);
        if (r.DispenseQuantity is not null || r.Repeats is not null)
        {
            w.One("dispenseRequest", r, static (d, request) =>
            {
                d.Whole("numberOfRepeatsAllowed", request.Repeats);
                d.One("quantity", request.DispenseQuantity, Quantity);
            });
        }
    });

    public static byte[] Write(Immunization r) => Resource(nameof(Immunization), r.Id, w =>
    {
        w.Text("status", r.Status);
        w.One("vaccineCode", r.Vaccine, Concept);
        w.One("patient", r.Patient, Reference);
        w.One("encounter", r.Encounter, Reference);
        if (r.Occurred is { } occurred)
        {
            w.Text("occurrenceDateTime", occurred.Text);
        }
        else
        {
            w.Text("occurrenceString", r.OccurredText);
        }

        w.Flag("primarySource", r.PrimarySource);
        w.Text("lotNumber", r.LotNumber);
        w.Text("expirationDate", r.Expires?.ToIso());
        w.One("site", r.Site, Concept);
        w.One("route", r.Route, Concept);
        w.One("doseQuantity", r.Dose, Quantity);
        w.Many("note", r.Notes, Note);
    });

    public static byte[] Write(Procedure r) => Resource(nameof(Procedure), r.Id, w =>
    {
        w.Text("status", r.Status);
        w.One("category", r.Category, Concept);
        w.One("code", r.Code, Concept);
        w.One("subject", r.Subject, Reference);
        w.One("encounter", r.Encounter, Reference);
        if (r.Performed is null && r.PerformedPeriod is null)
        {
            w.Text("performedString", r.PerformedText);
        }

        w.TimeOrPeriod("performed", r.Performed, r.PerformedPeriod);
        w.Many("performer", r.Performers, static (p, actor) => p.One("actor", actor, Reference));
        w.Many("reasonCode", r.Reasons, Concept);
        w.Many("reasonReference", r.ReasonReferences, Reference);
        w.Many("bodySite", r.BodySites, Concept);
        w.One("outcome", r.Outcome, Concept);
        w.Many("note", r.Notes, Note);
    });

    public static byte[] Write(DiagnosticReport r) => Resource(nameof(DiagnosticReport), r.Id, w =>
    {
        w.Many("identifier", r.Identifiers, Identifier);
        w.Many("basedOn", r.BasedOn, Reference);
        w.Text("status", r.Status);
        w.Many("category", r.Categories, Concept);
        w.One("code", r.Code, Concept);
        w.One("subject", r.Subject, Reference);
        w.One("encounter", r.Encounter, Reference);
        w.TimeOrPeriod("effective", r.Effective, r.EffectivePeriod);
        w.Text("issued", r.Issued?.Text);
        w.Many("performer", r.Performers, Reference);
        w.Many("result", r.Results, Reference);
        w.Text("conclusion", r.Conclusion);
        w.Many("conclusionCode", r.ConclusionCodes, Concept);
    });

    /// <summary>A resource as it came, on one line: blanks between elements go, every value stays as it was written.</summary>
    public static byte[] OneLine(JsonElement resource)
    {
        using var sheet = Sheet.Take();
        resource.WriteTo(sheet.Json);
        return sheet.Finish();
    }

    private static byte[] Resource(string type, string? id, Action<ElementWriter> write)
    {
        using var sheet = Sheet.Take();
        var json = sheet.Json;
        var writer = new ElementWriter(json);
        json.WriteStartObject();
        json.WriteString("resourceType"u8, type);
        writer.Text("id", id);
        write(writer);
        json.WriteEndObject();
        var bytes = sheet.Finish();
        using var check = JsonDocument.Parse(bytes);
        return Check.Resource(check.RootElement) is { } fault
            ? throw new InvalidOperationException($"A {type} was to be written that is not valid: {fault.Code} at {fault.Path}.")
            : bytes;
    }

    private static void Coding(ElementWriter w, Coding c)
    {
        w.Text("system", c.System);
        w.Text("version", c.Version);
        w.Text("code", c.Code);
        w.Text("display", c.Display);
    }

    private static void Concept(ElementWriter w, CodeableConcept c)
    {
        w.Many("coding", c.Codings, Coding);
        w.Text("text", c.Text);
    }

    private static void Quantity(ElementWriter w, Quantity q)
    {
        w.Decimal("value", q.Value);
        w.Text("comparator", q.Comparator);
        w.Text("unit", q.Unit);
        w.Text("system", q.System);
        w.Text("code", q.Code);
    }

    private static void Period(ElementWriter w, Period p)
    {
        w.Text("start", p.Start?.Text);
        w.Text("end", p.End?.Text);
    }

    private static void Identifier(ElementWriter w, Identifier i)
    {
        w.Text("use", i.Use);
        w.One("type", i.Type, Concept);
        w.Text("system", i.System);
        w.Text("value", i.Value);
        w.One("period", i.Period, Period);
    }

    private static void Reference(ElementWriter w, Reference r)
    {
        w.Text("reference", r.Literal);
        w.Text("type", r.Type);
        w.One("identifier", r.Identifier, Identifier);
        w.Text("display", r.Display);
    }

    private static void ContactPoint(ElementWriter w, ContactPoint c)
    {
        w.Text("system", c.System);
        w.Text("value", c.Value);
        w.Text("use", c.Use);
        w.Whole("rank", c.Rank);
    }

    private static void Address(ElementWriter w, Address a)
    {
        w.Text("use", a.Use);
        w.Text("type", a.Type);
        w.Text("text", a.Text);
        w.Texts("line", a.Lines);
        w.Text("city", a.City);
        w.Text("district", a.District);
        w.Text("state", a.State);
        w.Text("postalCode", a.PostalCode);
        w.Text("country", a.Country);
    }

    private static void Note(ElementWriter w, Annotation n)
    {
        if (n.AuthorReference is not null)
        {
            w.One("authorReference", n.AuthorReference, Reference);
        }
        else
        {
            w.Text("authorString", n.Author);
        }

        w.Text("time", n.Time?.Text);
        w.Text("text", n.Text);
    }

    private static void Range(ElementWriter w, Model.Range r)
    {
        w.One("low", r.Low, Quantity);
        w.One("high", r.High, Quantity);
    }

    private static void ReferenceRange(ElementWriter w, Observation.ReferenceRange r)
    {
        w.One("low", r.Low, Quantity);
        w.One("high", r.High, Quantity);
        w.Text("text", r.Text);
    }

    private static void Dosage(ElementWriter w, MedicationRequest.Dosage d)
    {
        w.Whole("sequence", d.Sequence);
        w.Text("text", d.Text);
        w.Text("patientInstruction", d.PatientInstruction);
        if (d.Frequency is not null || d.Period is not null || d.TimingCode is not null)
        {
            w.One("timing", d, static (t, dosage) =>
            {
                if (dosage.Frequency is not null || dosage.Period is not null)
                {
                    t.One("repeat", dosage, static (r, cycle) =>
                    {
                        r.Whole("frequency", cycle.Frequency);
                        r.Decimal("period", cycle.Period);
                        r.Text("periodUnit", cycle.PeriodUnit);
                    });
                }

                t.One("code", dosage.TimingCode, Concept);
            });
        }

        if (d.AsNeededFor is not null)
        {
            w.One("asNeededCodeableConcept", d.AsNeededFor, Concept);
        }
        else
        {
            w.Flag("asNeededBoolean", d.AsNeeded);
        }

        w.One("route", d.Route, Concept);
        if (d.Dose is not null || d.DoseRange is not null)
        {
            w.Many("doseAndRate", [d], static (r, dosage) =>
            {
                if (dosage.Dose is not null)
                {
                    r.One("doseQuantity", dosage.Dose, Quantity);
                }
                else
                {
                    r.One("doseRange", dosage.DoseRange, Range);
                }
            });
        }
    }
}
