using System.Globalization;
using Mangrove.Clinic;
using Mangrove.Clinic.Laboratory;
using Mangrove.Clinic.Records;
using Mangrove.Kernel;
using Mangrove.Vault.Identity;
using Mangrove.Web.Session;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Mangrove.Web.Laboratory;

/// <summary>The bench, the entry of results and what was released.</summary>
internal static class LaboratoryPages
{
    private const string Specimen = "/patients/{patient}/laboratory/{specimen}";

    public static void Map(IEndpointRouteBuilder app)
    {
        app.MapGet("/laboratory", async (HttpContext http, Bench bench, TimeProvider clock, CancellationToken cancel) =>
            Page.Show<BenchHome>(new { Specimens = await bench.Run(http.Actor(), refresh: false, cancel), Now = clock.GetLocalNow() }));
        app.MapGet("/laboratory/rows", async (HttpContext http, string? here, Bench bench, TimeProvider clock, CancellationToken cancel) =>
            Page.Show<BenchRows>(new { Specimens = await bench.Run(http.Actor(), refresh: true, cancel), Now = clock.GetLocalNow(), Here = here }));
        app.MapGet("/laboratory/results", async (HttpContext http, ReleasedSpecimens released, TimeProvider clock, CancellationToken cancel) =>
            Page.Show<ReleasedHome>(new { Specimens = await released.Run(http.Actor(), refresh: false, cancel), Now = clock.GetLocalNow() }));
        app.MapGet("/laboratory/results/rows", async (HttpContext http, ReleasedSpecimens released, TimeProvider clock, CancellationToken cancel) =>
            Page.Show<ReleasedRows>(new { Specimens = await released.Run(http.Actor(), refresh: true, cancel), Now = clock.GetLocalNow() }));
        app.MapPost("/laboratory/scan", Scan);
        app.MapGet(Specimen, Open);
        app.MapPost(Specimen, Release);
        app.MapPost(Specimen + "/judge", Judge);
        app.MapPost(Specimen + "/draft", KeepDraft);
        app.MapPost(Specimen + "/receive", Receive);
        app.MapPost(Specimen + "/reject", Reject);
        app.MapPost(Specimen + "/correct", Correct);
    }

    /// <summary>How a button names the patient: <c>KAMAU Joseph</c>.</summary>
    internal static string ShortName(PersonName name) => name.Family is null || name.Given.Count == 0 ? name.Lead : $"{name.Lead} {name.Given[0]}";

    private static async Task<IResult> Scan(HttpContext http, FindSpecimen find, Bench bench, TimeProvider clock, CancellationToken cancel)
    {
        var number = (await FormFields.Sent(http, cancel)).GetValueOrDefault("specimen")?.Trim();
        var found = await find.Run(number, http.Actor(), cancel);
        return found.Ok
            ? Page.GoTo(http, $"/patients/{found.Value}/laboratory/{Uri.EscapeDataString(number!)}")
            : Page.Again<BenchHome>(new { Specimens = await bench.Run(http.Actor(), refresh: false, cancel), Now = clock.GetLocalNow(), Error = found.Error!.Message });
    }

    private static async Task<IResult> Open(HttpContext http, string patient, string specimen, SheetPage page, DraftBox drafts, CancellationToken cancel)
    {
        if (await page.Read(http, patient, specimen, cancel) is not { } view)
        {
            return Refusal.NotFound();
        }

        var draft = view.Sheet.Open > 0 ? await drafts.Open(Place(view.Sheet), http.Actor(), cancel) : null;
        var form = draft is { } kept ? FormFields.Restore(kept.Content) : [];
        return await page.Show(http, view, form, new Shown(DraftText: draft is { } saved ? $"{Time(saved.SavedAt)}, on the server" : null), cancel);
    }

    private static async Task<IResult> Judge(HttpContext http, string patient, string specimen, SheetPage page, CancellationToken cancel)
    {
        if (await page.Read(http, patient, specimen, cancel, "JUDGE_RESULT") is not { } view)
        {
            return Refusal.NotFound();
        }

        var form = await FormFields.Sent(http, cancel);
        var judgements = SheetPage.Judge(view.Sheet, form, page.Now);
        var changed = http.Request.Headers["X-Changed-Field"].ToString();
        return Page.Show<Judged>(new
        {
            view.Sheet,
            Judgements = judgements,
            Selected = view.Sheet.Tests.FirstOrDefault(row => Name(row) == changed) ?? SheetPage.Notable(view.Sheet, judgements),
            Checked = form.GetValueOrDefault("checked") == "yes",
            Who = ShortName(view.Header.Name),
        });
    }

    private static async Task<IResult> KeepDraft(HttpContext http, string patient, string specimen, SheetPage page, DraftBox drafts, CancellationToken cancel)
    {
        if (await page.Place(patient, specimen, cancel) is not { } place)
        {
            return Refusal.NotFound();
        }

        var saved = await drafts.Save(place, FormFields.Keep(await FormFields.Sent(http, cancel)), http.Actor(), cancel);
        return Results.Json(new { saved = Time(saved) });
    }

    private static async Task<IResult> Release(HttpContext http, string patient, string specimen, SheetPage page, ReleaseResults release, CancellationToken cancel)
    {
        if (!PatientId.TryParse(patient, out var id))
        {
            return Refusal.NotFound();
        }

        var form = await FormFields.Sent(http, cancel);
        var values = form.Where(field => field.Key.StartsWith("r-", StringComparison.Ordinal) && Guid.TryParseExact(field.Key.AsSpan(2), "N", out _))
            .ToDictionary(field => Guid.ParseExact(field.Key.AsSpan(2), "N"), field => field.Value);
        var released = await release.Run(id, specimen, new ReleaseResults.Form(values, form.GetValueOrDefault("checked") == "yes", form.GetValueOrDefault("note")), http.Actor(), cancel);
        return released.Error is not { } error
            ? Page.GoTo(http, released.Value.Left > 0 ? Address(id, specimen) : "/laboratory")
            : await Again(http, patient, specimen, page, form, error, null, cancel);
    }

    private static async Task<IResult> Receive(HttpContext http, string patient, string specimen, SheetPage page, ReceiveSpecimen receive, CancellationToken cancel)
    {
        if (!PatientId.TryParse(patient, out var id))
        {
            return Refusal.NotFound();
        }

        var received = await receive.Run(id, specimen, http.Actor(), cancel);
        return received.Error is { } error ? await Again(http, patient, specimen, page, [], error, null, cancel) : Page.GoTo(http, Address(id, specimen));
    }

    private static async Task<IResult> Reject(HttpContext http, string patient, string specimen, SheetPage page, RejectSpecimen reject, CancellationToken cancel)
    {
        if (!PatientId.TryParse(patient, out var id))
        {
            return Refusal.NotFound();
        }

        var form = await FormFields.Sent(http, cancel);
        var reason = form.GetValueOrDefault("other") is { Length: > 0 } other ? other : form.GetValueOrDefault("reason");
        var rejected = await reject.Run(id, specimen, reason, http.Actor(), cancel);
        return rejected.Error is { } error ? await Again(http, patient, specimen, page, [], error, null, cancel) : Page.GoTo(http, "/laboratory");
    }

    private static async Task<IResult> Correct(HttpContext http, string patient, string specimen, SheetPage page, CorrectResult correct, CancellationToken cancel)
    {
        var form = await FormFields.Sent(http, cancel);
        if (!PatientId.TryParse(patient, out var id) || !Guid.TryParseExact(form.GetValueOrDefault("order"), "N", out var order)
            || !Guid.TryParseExact(form.GetValueOrDefault("replaces"), "N", out var replaces))
        {
            return Refusal.NotFound();
        }

        var corrected = await correct.Run(
            id,
            specimen,
            new CorrectResult.Form(order, replaces, form.GetValueOrDefault("value") ?? "", form.GetValueOrDefault("reason") ?? "", form.GetValueOrDefault("checked") == "yes"),
            http.Actor(),
            cancel);
        return corrected.Error is { } error ? await Again(http, patient, specimen, page, form, error, order, cancel) : Page.GoTo(http, Address(id, specimen));
    }

    private static async Task<IResult> Again(HttpContext http, string patient, string specimen, SheetPage page, Dictionary<string, string> form, Error error, Guid? correcting, CancellationToken cancel) =>
        error.Code == "not-found" || await page.Read(http, patient, specimen, cancel) is not { } view
            ? Refusal.NotFound()
            : await page.Show(http, view, form, new Shown(error.Message, correcting, "kept"), cancel);

    private static string Name(TestRow row) => $"r-{row.OrderId:N}";

    private static DraftBox.Place Place(SpecimenSheet sheet) => new(DraftKind.LabResults, sheet.Patient.Id, sheet.Patient.Mrn, sheet.Place);

    private static string Address(PatientId patient, string specimen) => $"/patients/{patient}/laboratory/{Uri.EscapeDataString(specimen)}";

    private static string Time(DateTimeOffset at) => at.ToLocalTime().ToString("HH:mm:ss", CultureInfo.InvariantCulture);
}

/// <summary>What a page shows beside the specimen itself.</summary>
internal sealed record Shown(string? Error = null, Guid? Correcting = null, string? DraftText = null);

/// <summary>Puts the page of one specimen together: sheet, bench beside it, typed values judged.</summary>
internal sealed class SheetPage(OpenSpecimen open, Bench bench, ClinicContext clinic, IdentityDesk desk, TimeProvider clock)
{
    public DateTimeOffset Now => clock.GetUtcNow();

    public static Dictionary<Guid, ResultJudgement> Judge(SpecimenSheet sheet, IReadOnlyDictionary<string, string> form, DateTimeOffset now) =>
        sheet.Tests.Where(row => row.IsOpen).ToDictionary(row => row.OrderId, row => ResultJudgement.Of(row, sheet.Sex, sheet.Age, sheet.ReceivedAt ?? now, form.GetValueOrDefault($"r-{row.OrderId:N}")));

    /// <summary>The test whose trend says most: a critical one, one that changed greatly, one with a history.</summary>
    public static TestRow? Notable(SpecimenSheet sheet, Dictionary<Guid, ResultJudgement> judgements) => sheet.Tests
        .Where(row => row.Test is { IsNumeric: true })
        .OrderByDescending(row => judgements.TryGetValue(row.OrderId, out var judged) && judged.Critical)
        .ThenByDescending(row => judgements.TryGetValue(row.OrderId, out var judged) && judged.NeedsCheck)
        .ThenByDescending(row => row.Earlier.Count)
        .FirstOrDefault();

    public async Task<OpenSpecimen.View?> Read(HttpContext http, string patient, string specimen, CancellationToken cancel, string action = "OPEN_SPECIMEN")
    {
        // A refused act leaves what it had begun in the context; the page shows what is stored.
        clinic.ChangeTracker.Clear();
        return PatientId.TryParse(patient, out var id) && await open.Run(id, specimen, http.Actor(), cancel, action) is { Ok: true } view ? view.Value : null;
    }

    /// <summary>Where the draft of this specimen lies; null when the number is not this patient's.</summary>
    public async Task<DraftBox.Place?> Place(string patient, string specimen, CancellationToken cancel) =>
        PatientId.TryParse(patient, out var id) ? await open.Place(id, specimen, cancel) : null;

    public async Task<IResult> Show(HttpContext http, OpenSpecimen.View view, Dictionary<string, string> form, Shown shown, CancellationToken cancel)
    {
        var actor = http.Actor();
        var judgements = Judge(view.Sheet, form, Now);
        return Page.Show<SpecimenPage>(
            new
            {
                View = view,
                Specimens = await bench.Run(actor, refresh: true, cancel),
                Judgements = judgements,
                Form = form,
                Staff = await desk.Staff.Names(cancel),
                Now = clock.GetLocalNow(),
                Selected = Notable(view.Sheet, judgements),
                shown.Correcting,
                shown.Error,
                shown.DraftText,
                Signer = $"{actor.DisplayName} · {actor.Staff}",
            },
            shown.Error is null ? StatusCodes.Status200OK : StatusCodes.Status422UnprocessableEntity);
    }
}
