using System.Globalization;
using Mangrove.Portability.Fhir.Model;
using Mangrove.Vault.Audit;

namespace Mangrove.Portability.Fhir;

/// <content>
/// An entry of the log as an AuditEvent, after IHE's Basic Audit Log Patterns. Where an entry is a successful read or change of
/// one patient's record it claims PatientRead or PatientUpdate; every other one has the same agents and codes and claims no
/// profile. Patients are named by number, never by name.
/// </content>
public static partial class ResourceWriter
{
    private const string BalpRead = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.PatientRead";
    private const string BalpUpdate = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.PatientUpdate";
    private const string EventTypes = "http://terminology.hl7.org/CodeSystem/audit-event-type";
    private const string Interactions = "http://hl7.org/fhir/restful-interaction";
    private const string Dicom = "http://dicom.nema.org/resources/ontology/DCM";
    private const string EntityTypes = "http://terminology.hl7.org/CodeSystem/audit-entity-type";
    private const string ObjectRoles = "http://terminology.hl7.org/CodeSystem/object-role";
    private const string Reasons = "http://terminology.hl7.org/CodeSystem/v3-ActReason";
    private const string Acts = "urn:mangrove:act";
    private const string MachineName = "1";

    /// <summary>The entry as one AuditEvent.</summary>
    /// <param name="entry">As the log has it.</param>
    /// <param name="numbers">Hospital numbers by the id that the log has; a patient without one is named by that id.</param>
    public static byte[] Write(AuditEntry entry, IReadOnlyDictionary<Guid, string> numbers)
    {
        var reads = !entry.Records && entry.Count <= 1;
        var profile = entry.Kind == AuditKind.Access && entry.Outcome != AuditOutcome.Refused && entry.Patients.Count == 1 && entry.Device.Length > 0
            ? entry.Records ? BalpUpdate : BalpRead
            : null;
        return Resource("AuditEvent", string.Create(CultureInfo.InvariantCulture, $"{entry.LogId:n}.{entry.Seq}"), w =>
        {
            w.One("meta", profile, static (m, url) => m.Texts("profile", [url]));
            w.One("type", entry.Kind == AuditKind.Access ? new Coding(EventTypes, "rest", "Restful Operation") : new Coding(Dicom, entry.Kind == AuditKind.Security ? "110113" : "110100", entry.Kind == AuditKind.Security ? "Security Alert" : "Application Activity"), Coding);
            w.Many("subtype", Subtypes(entry, reads), Coding);
            w.Text("action", entry.Kind != AuditKind.Access ? "E" : entry.Records ? "U" : "R");
            w.Text("recorded", entry.Timestamp.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture));
            w.Text("outcome", entry.Outcome == AuditOutcome.Refused ? "8" : "0");
            // What was typed at a break-glass may be about the patient; it stands on its review and nowhere else.
            w.Text("outcomeDesc", entry.Outcome == AuditOutcome.Refused ? entry.Reason : null);
            w.Many("purposeOfEvent", Purposes(entry), Concept);
            w.Many("agent", Agents(entry), (a, agent) => agent(a));
            w.One("source", entry, static (s, of) => s.One("observer", of, static (o, from) => Server(o, from)));
            w.Many("entity", Entities(entry, numbers), (e, entity) => entity(e));
        });
    }

    private static IReadOnlyList<Coding> Subtypes(AuditEntry entry, bool reads) => entry.Kind == AuditKind.Access
        ? [new Coding(Interactions, entry.Records ? "update" : reads || entry.Patients.Count == 1 ? "read" : "search", entry.Records ? "update" : reads || entry.Patients.Count == 1 ? "read" : "search"), new Coding(Acts, entry.Action)]
        : [new Coding(Acts, entry.Action)];

    private static IReadOnlyList<CodeableConcept> Purposes(AuditEntry entry) => Purpose(entry) is { } why ? [why] : [];

    private static CodeableConcept? Purpose(AuditEntry entry) => entry.Outcome == AuditOutcome.BreakGlass
        ? new CodeableConcept([new Coding(Reasons, "BTG", "break the glass")])
        : entry.Purpose switch
        {
            "Treatment" => new CodeableConcept([new Coding(Reasons, "TREAT", "treatment")]),
            "Payment" => new CodeableConcept([new Coding(Reasons, "HPAYMT", "healthcare payment")]),
            "Operations" or "Administration" or "System" or "Portability" => new CodeableConcept([new Coding(Reasons, "HOPERAT", "healthcare operations")]),
            _ => null,
        };

    // In a read the client is the destination of what is read; in a change it is the source (BALP, PatientRead and PatientUpdate).
    private static List<Action<ElementWriter>> Agents(AuditEntry entry)
    {
        var (client, server) = entry.Records ? ("110153", "110152") : ("110152", "110153");
        var agents = new List<Action<ElementWriter>>();
        if (entry.Device.Length > 0)
        {
            agents.Add(a =>
            {
                a.One("type", Role(client), Concept);
                a.One("who", entry, static (who, of) => who.Text("display", of.Device));
                a.Flag("requestor", false);
                a.One("network", entry.Device, static (n, device) => Network(n, device));
            });
        }

        agents.Add(a =>
        {
            a.One("type", Role(server), Concept);
            a.One("who", entry, static (who, of) => Server(who, of));
            a.Flag("requestor", false);
            a.One("network", "mangrove", static (n, name) => Network(n, name));
        });
        agents.Add(a =>
        {
            a.One("type", new CodeableConcept([new Coding("http://terminology.hl7.org/CodeSystem/v3-ParticipationType", entry.Records ? "AUT" : "IRCP", entry.Records ? "author (originator)" : "information recipient")]), Concept);
            a.One("who", entry, static (who, of) =>
            {
                who.One("identifier", of, static (i, person) =>
                {
                    i.Text("system", person.StaffId.Length > 0 ? "urn:mangrove:staff" : "urn:mangrove:user");
                    i.Text("value", person.StaffId.Length > 0 ? person.StaffId : person.Actor);
                });
            });
            a.Text("altId", entry.Actor);
            a.Flag("requestor", true);
            a.Many("purposeOfUse", Purposes(entry), Concept);
        });
        return agents;
    }

    private static List<Action<ElementWriter>> Entities(AuditEntry entry, IReadOnlyDictionary<Guid, string> numbers)
    {
        var entities = new List<Action<ElementWriter>>();
        if (entry.SessionId.Length > 0)
        {
            entities.Add(e =>
            {
                e.One("what", entry.SessionId, static (what, session) => what.One("identifier", session, static (i, value) => i.Text("value", value)));
                e.One("type", new Coding("https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType", "XrequestId"), Coding);
            });
        }

        entities.Add(e =>
        {
            e.One("what", entry, static (what, of) => what.One("identifier", of, static (i, on) =>
            {
                i.Text("system", "urn:mangrove:resource");
                i.Text("value", on.Resource.Length > 0 ? on.Resource : on.Action);
            }));
            e.One("type", new Coding(EntityTypes, "2", "System Object"), Coding);
            e.One("role", new Coding(ObjectRoles, "4", "Domain Resource"), Coding);
            e.Many("detail", entry.FieldsAccessed, static (d, field) =>
            {
                d.Text("type", "field");
                d.Text("valueString", field);
            });
        });
        foreach (var patient in entry.Patients)
        {
            entities.Add(e =>
            {
                e.One("what", numbers.GetValueOrDefault(patient) ?? patient.ToString("d"), static (what, number) =>
                {
                    what.Text("type", "Patient");
                    what.One("identifier", number, static (i, value) =>
                    {
                        i.Text("system", "urn:mangrove:mrn");
                        i.Text("value", value);
                    });
                });
                e.One("type", new Coding(EntityTypes, "1", "Person"), Coding);
                e.One("role", new Coding(ObjectRoles, "1", "Patient"), Coding);
            });
        }

        return entities;
    }

    private static CodeableConcept Role(string code) => new([new Coding(Dicom, code, code == "110152" ? "Destination Role ID" : "Source Role ID")]);

    private static void Server(ElementWriter w, AuditEntry entry) => w.One("identifier", entry, static (i, of) =>
    {
        i.Text("system", "urn:ietf:rfc:3986");
        i.Text("value", $"urn:uuid:{of.Facility:d}");
    });

    private static void Network(ElementWriter w, string address)
    {
        w.Text("address", address);
        w.Text("type", MachineName);
    }
}
