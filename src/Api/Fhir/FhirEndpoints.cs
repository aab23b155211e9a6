using System.Buffers;
using System.Text.Json;
using Mangrove.Api.Services;
using Mangrove.Clinic;
using Mangrove.Clinic.Chart;
using Mangrove.Clinic.Records;
using Mangrove.Portability.Exchange;
using Mangrove.Vault;
using Mangrove.Vault.Access;
using Mangrove.Vault.Audit;
using Mangrove.Vault.Identity;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Api.Fhir;

/// <summary>
/// FHIR R4 for signed-in staff, and for programs with a token. The door decides on every answer: what the role or the scopes do not read is absent, and a patient who
/// may not be seen is answered like one who does not exist, to the byte.
/// </summary>
internal static class FhirEndpoints
{
    private const string CategorySystem = "http://terminology.hl7.org/CodeSystem/observation-category";

    private static readonly string[] SearchParameters = ["patient", "category", "code"];

    public static void Map(IEndpointRouteBuilder routes)
    {
        var fhir = routes.MapGroup("/fhir/R4").WithMetadata(TakesServiceTokens.Mark);

        // Open, because a program reads here how it is to introduce itself. It says nothing of anybody.
        fhir.MapGet("/metadata", static () => FhirAnswer.Resource(Capabilities.Statement)).AllowAnonymous();
        fhir.MapGet("/Patient/{id}", ReadPatient);
        fhir.MapGet("/Observation", SearchObservations);
        fhir.MapGet("/{**rest}", static () => FhirAnswer.NotFound());
    }

    private static async Task<IResult> ReadPatient(HttpContext http, string id, ClinicContext clinic, Door door, VaultRoom vault)
    {
        if (http.Request.Query.Count > 0)
        {
            return FhirAnswer.BadRequest("Reading a patient takes no parameters. Leave them out.");
        }

        var cancel = http.RequestAborted;
        if (await Find(clinic, id, cancel) is not { } patient)
        {
            return FhirAnswer.NotFound();
        }

        return await Behind(door, SignedInActor.Of(http), "FHIR_READ", patient, [Patient.NameField, Patient.PersonField, Patient.ContactField], opening =>
            Task.FromResult(FhirAnswer.Resource(Composer(vault).Patient(
                patient,
                opening.ReadIfGranted(patient, Patient.NameField),
                opening.ReadIfGranted(patient, Patient.PersonField),
                opening.ReadIfGranted(patient, Patient.ContactField)))), cancel);
    }

    private static async Task<IResult> SearchObservations(HttpContext http, ClinicContext clinic, Door door, VaultRoom vault)
    {
        var query = http.Request.Query;
        if (query.Keys.Any(key => !SearchParameters.Contains(key, StringComparer.Ordinal)))
        {
            return FhirAnswer.BadRequest("Unknown search parameter. Observations are searched by patient, category and code.");
        }

        if (query["patient"] is not [{ Length: > 0 } reference])
        {
            return FhirAnswer.BadRequest("Name one patient, as patient={id}.");
        }

        var categories = query.ContainsKey("category") ? Token.Read(query["category"]) : [];
        var codes = query.ContainsKey("code") ? Token.Read(query["code"]) : [];
        if (categories is null || codes is null)
        {
            return FhirAnswer.BadRequest("Give category and code once each, as code or system|code, several with commas.");
        }

        const string type = "Patient/";
        var cancel = http.RequestAborted;
        if (await Find(clinic, reference.StartsWith(type, StringComparison.Ordinal) ? reference[type.Length..] : reference, cancel) is not { } patient)
        {
            return FhirAnswer.NotFound();
        }

        var actor = SignedInActor.Of(http);
        FieldUse[] uses = [Observation.Vitals, Observation.BodyMeasures, Observation.LabResults, Observation.Others];
        return await Behind(door, actor, "FHIR_SEARCH", patient, uses, async opening =>
        {
            var kinds = Enum.GetValues<ObservationKind>()
                .Where(kind => opening.MayRead(Observation.ValueField.As(Observation.CategoryOf(kind)))
                    && (categories.Count == 0 || categories.Any(token => ResourceComposer.CategoryOf(kind) is { } category && token.Fits(CategorySystem, category))))
                .ToList();
            var compose = Composer(vault);
            var found = new List<(Guid Id, byte[] Resource)>();
            var rows = clinic.Observations.AsNoTracking()
                .Where(row => row.PatientId == patient.PatientId && kinds.Contains(row.Kind))
                .OrderByDescending(row => row.TakenAt)
                .ThenBy(row => row.Id)
                .AsAsyncEnumerable();
            await foreach (var row in rows.WithCancellation(cancel))
            {
                if (opening.Read(row, Observation.ValueField) is { } value && (codes.Count == 0 || codes.Any(token => token.Fits(value.System, value.Code))))
                {
                    found.Add((row.Id, compose.Observation(row, value, actor.Reads(Category.Encounters))));
                }
            }

            return FhirAnswer.Resource(Bundle(http.Request, found));
        }, cancel);
    }

    /// <summary>Asks the door for one patient; a refusal is already in the log and looks like nothing there.</summary>
    private static async Task<IResult> Behind(Door door, Actor actor, string action, Patient patient, IReadOnlyList<FieldUse> reads, Func<Opening, Task<IResult>> answer, CancellationToken cancel)
    {
        try
        {
            using var opening = await door.Open(
                actor,
                new Request { Action = action, Purpose = actor.UsualPurpose, Patients = [patient.Ref], Reads = reads, Narrowed = true, Leaves = true },
                cancel);
            return await answer(opening);
        }
        catch (Refused)
        {
            return FhirAnswer.NotFound();
        }
        catch (AuditUnavailable unavailable)
        {
            return FhirAnswer.Unavailable(unavailable.Message);
        }
    }

    private static async Task<Patient?> Find(ClinicContext clinic, string id, CancellationToken cancel)
    {
        // Ids of FHIR are case-sensitive: one patient, one address.
        if (!Guid.TryParseExact(id, "D", out var key) || ResourceComposer.OwnId(key) != id)
        {
            return null;
        }

        return await RowsOfPatient.Find(clinic, key, cancel);
    }

    private static ResourceComposer Composer(VaultRoom vault) => new(vault.Facility, ResourceComposer.OwnId);

    private static byte[] Bundle(HttpRequest request, List<(Guid Id, byte[] Resource)> found)
    {
        var address = $"{request.Scheme}://{request.Host}/fhir/R4/Observation";
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("resourceType", "Bundle");
            json.WriteString("type", "searchset");
            json.WriteNumber("total", found.Count);
            json.WriteStartArray("link");
            json.WriteStartObject();
            json.WriteString("relation", "self");
            json.WriteString("url", address + request.QueryString.ToUriComponent());
            json.WriteEndObject();
            json.WriteEndArray();
            if (found.Count > 0)
            {
                json.WriteStartArray("entry");
                foreach (var (id, resource) in found)
                {
                    json.WriteStartObject();
                    json.WriteString("fullUrl", $"{address}/{ResourceComposer.OwnId(id)}");
                    json.WritePropertyName("resource");
                    json.WriteRawValue(resource);
                    json.WriteStartObject("search");
                    json.WriteString("mode", "match");
                    json.WriteEndObject();
                    json.WriteEndObject();
                }

                json.WriteEndArray();
            }

            json.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }
}
