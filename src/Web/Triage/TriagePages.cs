using System.Globalization;
using System.Text.Json;
using Mangrove.Clinic;
using Mangrove.Clinic.Records;
using Mangrove.Clinic.Terminology;
using Mangrove.Clinic.Triage;
using Mangrove.Kernel;
using Mangrove.Vault.Access;
using Mangrove.Web.Session;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Mangrove.Web.Triage;

/// <summary>The nurse's worklist and the triage sheet.</summary>
internal static class TriagePages
{
    private const string Sheet = "/patients/{patient}/triage/{visit}";

    public static void Map(IEndpointRouteBuilder app)
    {
        app.MapGet("/triage", async (HttpContext http, TriageQueue queue, TimeProvider clock, CancellationToken cancel) =>
            Page.Show<TriageHome>(new { Queue = await queue.Run(http.Actor(), refresh: false, cancel), Now = clock.GetLocalNow() }));
        app.MapGet("/triage/rows", async (HttpContext http, TriageQueue queue, TimeProvider clock, CancellationToken cancel) =>
            Page.Show<TriageRows>(new { Queue = await queue.Run(http.Actor(), refresh: true, cancel), Now = clock.GetLocalNow() }));
        app.MapGet(Sheet, Open);
        app.MapPost(Sheet, Send);
        app.MapPost("/triage/score", Score);
        app.MapPost(Sheet + "/draft", KeepDraft);
    }

    private static async Task<IResult> Open(HttpContext http, string patient, string visit, OpenTriage open, DraftBox drafts, TimeProvider clock, CancellationToken cancel)
    {
        if (!PatientId.TryParse(patient, out var patientId) || !Guid.TryParseExact(visit, "N", out var visitId)
            || await open.Run(patientId, visitId, http.Actor(), cancel) is not { Ok: true, Value: { } sheet })
        {
            return Refusal.NotFound();
        }

        var draft = await drafts.Open(Place(sheet.Header.Patient.Id, sheet.Header.Patient.Mrn, visitId), http.Actor(), cancel);
        var form = draft is { } kept ? JsonSerializer.Deserialize<Dictionary<string, string>>(kept.Content)! : Begin(sheet);
        var formId = form.TryGetValue("id", out var id) && Guid.TryParseExact(id, "N", out var old) ? old : Ids.New();
        return Show(http, sheet, form, formId, [], clock, draft is { } saved ? $"{saved.SavedAt.ToLocalTime():HH:mm:ss}, on the server" : null, StatusCodes.Status200OK);
    }

    // Works on what was just typed and on the band of age that the page was opened with; the record stays shut. What is
    // stored in the end is worked out by the age in the record.
    private static async Task<IResult> Score(HttpContext http, CancellationToken cancel)
    {
        if (!http.Actor().Writes(Category.Triage))
        {
            return Refusal.NotFound();
        }

        var form = await Fields(http, cancel);
        Age? age = Enum.TryParse<VitalBand>(form.GetValueOrDefault(TriageScore.BandField), out var band) && Enum.IsDefined(band) ? VitalRanges.Youngest(band) : null;
        return Page.Show<TriageScore>(new { Entry = VitalEntry.Read(form.GetValueOrDefault, age), Form = form });
    }

    private static async Task<IResult> KeepDraft(HttpContext http, string patient, string visit, ClinicContext clinic, DraftBox drafts, CancellationToken cancel)
    {
        if (!PatientId.TryParse(patient, out var patientId) || !Guid.TryParseExact(visit, "N", out var visitId)
            || await clinic.Visits.FindAsync([visitId], cancel) is not { } row || row.PatientId != patientId
            || await clinic.Patients.FindAsync([patientId.Value], cancel) is not { } who)
        {
            return Refusal.NotFound();
        }

        var saved = await drafts.Save(Place(patientId, who.Mrn, visitId), JsonSerializer.Serialize(await Fields(http, cancel)), http.Actor(), cancel);
        return Results.Json(new { saved = saved.ToLocalTime().ToString("HH:mm:ss", CultureInfo.InvariantCulture) });
    }

    private static async Task<IResult> Send(HttpContext http, string patient, string visit, OpenTriage open, RecordTriage record, TimeProvider clock, CancellationToken cancel)
    {
        var actor = http.Actor();
        if (!PatientId.TryParse(patient, out var patientId) || !Guid.TryParseExact(visit, "N", out var visitId))
        {
            return Refusal.NotFound();
        }

        var form = await Fields(http, cancel);
        var formId = Guid.TryParseExact(form.GetValueOrDefault("id"), "N", out var id) ? id : Ids.New();
        var category = int.TryParse(form.GetValueOrDefault("category"), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0;
        var recheck = int.TryParse(form.GetValueOrDefault("recheck"), NumberStyles.None, CultureInfo.InvariantCulture, out var minutes) ? minutes : -1;
        var done = await record.Run(new RecordTriage.Form(formId, patientId, visitId, VitalEntry.Read(form.GetValueOrDefault, null), category, form.GetValueOrDefault("complaint") ?? "", recheck, form.GetValueOrDefault("happened")), actor, cancel);
        if (done.Error is not { } error)
        {
            return Page.GoTo(http, "/triage");
        }

        if (await open.Run(patientId, visitId, actor, cancel) is not { Ok: true, Value: { } sheet })
        {
            return Refusal.NotFound();
        }

        var place = error.Code switch { "triage.category" => "category", "triage.complaint" => "complaint", "late.time" or "late.future" or "late.too-old" => "happened", _ => "category" };
        return Show(http, sheet, form, formId, new Dictionary<string, string> { [place] = error.Message }, clock, "kept", StatusCodes.Status422UnprocessableEntity);
    }

    private static IResult Show(HttpContext http, OpenTriage.Sheet sheet, Dictionary<string, string> form, Guid formId, Dictionary<string, string> errors, TimeProvider clock, string? draftText, int status) =>
        Page.Show<TriageSheet>(
            new
            {
                Sheet = sheet,
                Entry = Entry(form, sheet),
                Form = form,
                Errors = errors,
                FormId = formId,
                DraftText = draftText,
                Signer = $"{http.Actor().DisplayName} · {http.Actor().Staff}",
                Minutes = (int)(clock.GetUtcNow() - sheet.Visit.ArrivedAt).TotalMinutes,
            },
            status);

    private static VitalEntry Entry(Dictionary<string, string> form, OpenTriage.Sheet sheet) => VitalEntry.Read(form.GetValueOrDefault, sheet.Age);

    // A re-check begins with what was said before; vital signs are always measured anew.
    private static Dictionary<string, string> Begin(OpenTriage.Sheet sheet) => sheet.Last is { } last
        ? new Dictionary<string, string>
        {
            ["complaint"] = last.Complaint,
            ["category"] = last.Category.ToString(CultureInfo.InvariantCulture),
            ["scale"] = last.Scale2 ? "2" : "1",
            ["pregnant"] = last.Pregnant ? "on" : "",
        }
        : [];

    private static DraftBox.Place Place(PatientId patient, string mrn, Guid visit) => new(DraftKind.Triage, patient, mrn, visit);

    private static async Task<Dictionary<string, string>> Fields(HttpContext http, CancellationToken cancel) =>
        (await http.Request.ReadFormAsync(cancel))
            .Where(field => field.Key != FormToken.FieldName)
            .ToDictionary(field => field.Key, field => field.Value.ToString(), StringComparer.Ordinal);
}
