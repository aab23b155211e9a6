using System.Text;
using Mangrove.Clinic;
using Mangrove.Portability.Fhir;
using Mangrove.Vault.Access;
using Mangrove.Vault.Audit;
using Mangrove.Web.Session;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Web.Administration;

/// <summary>Entries of the log as signed files: a table, and AuditEvents after IHE's patterns. The act is an entry; addresses hold a random id only.</summary>
internal static class AuditExportPages
{
    private const string Home = "/admin/audit/exports";

    /// <summary>Entries of one export, some fifty megabytes of FHIR. Who needs more asks for fewer days, or copies the log.</summary>
    private const int Most = 20_000;

    private const int IdsAtOnce = 500;

    public static void Map(IEndpointRouteBuilder app)
    {
        app.MapPost("/admin/audit/export", Make);
        app.MapGet(Home + "/{id}", (string id, HttpContext http, AuditExports exports) =>
            Find(id, http, exports) is { } export ? Page.Show<AuditExportPage>(new { Export = export }) : Refusal.NotFound());
        app.MapGet(Home + "/{id}/{file}", (string id, string file, HttpContext http, AuditExports exports) =>
            Find(id, http, exports)?.Files.TryGetValue(file, out var found) == true ? Results.File(found.Bytes, found.Type, file) : Refusal.NotFound());
    }

    private static AuditExport? Find(string id, HttpContext http, AuditExports exports) =>
        http.Actor().May(Rights.AuditLog) ? exports.Find(id, http.Actor().User) : null;

    private static async Task<IResult> Make(HttpContext http, [AsParameters] AuditSources sources, AuditExports exports, CancellationToken cancel)
    {
        var (review, staff, integrations, clinic, _, clock) = sources;
        var actor = http.Actor();
        var question = await AuditQuestion.Read(http, cancel);
        var patient = actor.May(Rights.AuditLog) ? await sources.PatientOf(question.Number, cancel) : null;
        var (filter, errors) = question.Filter(patient, await staff.Roster(cancel), await integrations.Names(cancel), clock);
        if (errors.Count > 0 || !actor.May(Rights.AuditLog))
        {
            return await AuditPages.Show(http, question, sources, cancel);
        }

        var entries = await review.Export(actor, filter with { Beyond = null, Most = Most + 1 }, patient?.Mrn, cancel);
        if (entries.Count is 0 or > Most)
        {
            return Refusal.Say(StatusCodes.Status422UnprocessableEntity, entries.Count == 0 ? "audit.export-empty" : "audit.export-large", entries.Count == 0
                ? "No entry fits, so there is nothing to export. Go back and widen the days."
                : "More than 20,000 entries fit. Go back and ask for fewer days, or copy the whole log with 'mangrove audit copy'.");
        }

        var table = AuditCsv.Write(entries);
        var events = await Events(entries, clinic, cancel);
        var export = exports.Keep(actor.User, entries.Count, new Dictionary<string, (byte[], string)>(StringComparer.Ordinal)
        {
            ["acts.csv"] = (table, "text/csv; charset=utf-8"),
            ["acts.csv.sig"] = (review.SignExport(table), "application/octet-stream"),
            ["AuditEvent.ndjson"] = (events, "application/fhir+ndjson"),
            ["AuditEvent.ndjson.sig"] = (review.SignExport(events), "application/octet-stream"),
            ["log.pem"] = (Encoding.ASCII.GetBytes(review.PublicKeyPem), "application/x-pem-file"),
        });
        return Page.GoTo(http, $"{Home}/{export.Id}");
    }

    private static async Task<byte[]> Events(IReadOnlyList<AuditEntry> entries, ClinicContext clinic, CancellationToken cancel)
    {
        var numbers = new Dictionary<Guid, string>();
        foreach (var ids in entries.SelectMany(entry => entry.Patients).Distinct().Chunk(IdsAtOnce))
        {
            foreach (var row in await clinic.Patients.AsNoTracking().Where(row => ids.Contains(row.Id)).Select(row => new { row.Id, row.Mrn }).ToListAsync(cancel))
            {
                numbers[row.Id] = row.Mrn;
            }
        }

        using var lines = new MemoryStream();
        foreach (var entry in entries)
        {
            lines.Write(ResourceWriter.Write(entry, numbers));
            lines.WriteByte((byte)'\n');
        }

        return lines.ToArray();
    }
}
