using System.Globalization;
using Mangrove.Clinic;
using Mangrove.Clinic.Pharmacy;
using Mangrove.Clinic.Records;
using Mangrove.Clinic.Terminology;
using Mangrove.Kernel;
using Mangrove.Vault.Identity;
using Mangrove.Web.Parts;
using Mangrove.Web.Session;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Mangrove.Web.Pharmacy;

/// <summary>The dispensing queue, the counter and the shelf.</summary>
internal static class PharmacyPages
{
    private const string Sheet = "/patients/{patient}/dispense/{visit}";
    private const int MostPicks = 20;

    public static void Map(IEndpointRouteBuilder app)
    {
        app.MapGet("/pharmacy", async (HttpContext http, string? done, DispensingQueue queue, TimeProvider clock, CancellationToken cancel) =>
            Page.Show<PharmacyHome>(new { Queue = await queue.Run(http.Actor(), refresh: false, cancel), Now = clock.GetLocalNow(), Done = done == "yes" }));
        app.MapGet("/pharmacy/rows", async (HttpContext http, DispensingQueue queue, TimeProvider clock, CancellationToken cancel) =>
            Page.Show<QueueRows>(new { Queue = await queue.Run(http.Actor(), refresh: true, cancel), Now = clock.GetLocalNow() }));
        app.MapGet(Sheet, Open);
        app.MapPost(Sheet, Hand);
        app.MapPost(Sheet + "/draft", KeepDraft);
        app.MapPost(Sheet + "/gate", ShowGate);
        app.MapGet(Sheet + "/labels", Labels);
        app.MapGet("/pharmacy/stock", Stock);
        app.MapPost("/pharmacy/stock/products", Products);
        app.MapPost("/pharmacy/stock/product", Product);
        app.MapPost("/pharmacy/stock/deliveries", Receive);
        app.MapPost("/pharmacy/stock/{batch}/count", Count);
    }

    private static async Task<IResult> Open(HttpContext http, string patient, string visit, Counter counter, DraftBox drafts, CancellationToken cancel)
    {
        if (await counter.Read(http, patient, visit, cancel) is not { } sheet)
        {
            return Refusal.NotFound();
        }

        var draft = sheet.Lines.Count > 0
            ? await drafts.Open(new DraftBox.Place(DraftKind.Dispensing, sheet.Header.Patient.Id, sheet.Header.Patient.Mrn, sheet.VisitId), http.Actor(), cancel)
            : null;
        // A draft from before something was handed over would be refused as a whole: only answers of the same state come back.
        var form = draft is { } kept && FormFields.Restore(kept.Content) is var fields && sheet.Lines.All(line => fields.GetValueOrDefault($"seen-{line.Id:N}") == Counter.Number(line.Seen)) ? fields : [];
        return await counter.Show(http, sheet, form, null, draft is { } saved && form.Count > 0 ? $"{Time(saved.SavedAt)}, on the server" : null, cancel);
    }

    private static async Task<IResult> Hand(HttpContext http, string patient, string visit, Counter counter, HandOver handOver, CancellationToken cancel)
    {
        if (!PatientId.TryParse(patient, out var patientId) || !Guid.TryParseExact(visit, "N", out var visitId))
        {
            return Refusal.NotFound();
        }

        var form = await FormFields.Sent(http, cancel);
        if (Read(form) is not { } lines)
        {
            return await Again(new Error("dispense.quantity", "A quantity is no number. Write it with a point, such as 10 or 0.5."));
        }

        var given = await handOver.Run(patientId, visitId, new HandOver.Form(lines, form.GetValueOrDefault("confirmed") == "yes", form.GetValueOrDefault("happened")), http.Actor(), cancel);
        return given.Error is { } error ? await Again(error) : Page.GoTo(http, given.Value.Left > 0 ? $"/patients/{patientId}/dispense/{visitId:N}" : "/pharmacy?done=yes");

        async Task<IResult> Again(Error wrong) => wrong.Code == "not-found" || await counter.Read(http, patient, visit, cancel) is not { } sheet
            ? Refusal.NotFound()
            : await counter.Show(http, sheet, form, wrong.Message, "kept", cancel);
    }

    private static async Task<IResult> KeepDraft(HttpContext http, string patient, string visit, ClinicContext clinic, DraftBox drafts, CancellationToken cancel)
    {
        if (!PatientId.TryParse(patient, out var patientId) || !Guid.TryParseExact(visit, "N", out var visitId)
            || await clinic.Visits.FindAsync([visitId], cancel) is not { } row || row.PatientId != patientId
            || await clinic.Patients.FindAsync([patientId.Value], cancel) is not { } who)
        {
            return Refusal.NotFound();
        }

        var saved = await drafts.Save(new DraftBox.Place(DraftKind.Dispensing, patientId, who.Mrn, visitId), FormFields.Keep(await FormFields.Sent(http, cancel)), http.Actor(), cancel);
        return Results.Json(new { saved = Time(saved) });
    }

    // Counts what the form itself leaves open; nothing is opened for it, and handing over checks everything anew.
    private static async Task<IResult> ShowGate(HttpContext http, CancellationToken cancel)
    {
        var form = await http.Request.ReadFormAsync(cancel);
        var fields = await FormFields.Sent(http, cancel);
        return Page.Show<Gate>(new { Open = Counter.Open([.. form["needs"].OfType<string>()], fields), Again = true });
    }

    private static async Task<IResult> Labels(HttpContext http, string patient, string visit, Counter counter, IdentityDesk desk, TimeProvider clock, CancellationToken cancel) =>
        await counter.Read(http, patient, visit, cancel, "PRINT_LABELS") is not { } sheet
            ? Refusal.NotFound()
            : Page.Show<LabelsPage>(new { Sheet = sheet, Today = DateOnly.FromDateTime(clock.GetLocalNow().DateTime), desk.Hospital, Back = $"/patients/{sheet.Header.Patient.Id}/dispense/{sheet.VisitId:N}" });

    private static async Task<IResult> Stock(HttpContext http, string? q, string? only, string? count, StockList list, CancellationToken cancel) =>
        await Shelf(http, list, q, only, Guid.TryParseExact(count, "N", out var id) ? id : null, [], [], cancel);

    private static async Task<IResult> Products(HttpContext http, CancellationToken cancel)
    {
        var query = (await FormFields.Sent(http, cancel)).GetValueOrDefault("q") ?? "";
        var picks = MedicineCatalogue.Load().Search(query, MostPicks)
            .SelectMany(medicine => medicine.Products, (medicine, product) => new Pick(product.PriceCode, DrugLine.Product(medicine, product), medicine.SubClass.Name))
            .Take(MostPicks)
            .ToList();
        return Page.Show<ProductPicks>(new { Choices = picks, Query = query });
    }

    private static async Task<IResult> Product(HttpContext http, CancellationToken cancel) =>
        Page.Show<ChosenProduct>(new { Code = (await FormFields.Sent(http, cancel)).GetValueOrDefault("code") });

    private static async Task<IResult> Receive(HttpContext http, ReceiveDelivery receive, StockList list, ClinicContext clinic, CancellationToken cancel)
    {
        var form = await FormFields.Sent(http, cancel);
        var expires = DateOnly.TryParseExact(form.GetValueOrDefault("expires"), "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day) ? day : default;
        var quantity = decimal.TryParse(form.GetValueOrDefault("quantity"), NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out var units) ? units : 0;
        var received = await receive.Run(
            new ReceiveDelivery.Form(
                Guid.TryParseExact(form.GetValueOrDefault("id"), "N", out var id) ? id : Ids.New(),
                form.GetValueOrDefault("product") ?? "",
                form.GetValueOrDefault("batch") ?? "",
                expires,
                quantity),
            http.Actor(),
            cancel);
        if (received.Error is not { } error)
        {
            return Page.GoTo(http, $"/pharmacy/stock?q={Uri.EscapeDataString(MedicineCatalogue.Load().Find(received.Value.MedicineCode)?.DisplayName ?? "")}");
        }

        clinic.ChangeTracker.Clear();
        var field = error.Code switch { "stock.product" => "product", "stock.expiry" or "stock.batch-expiry" => "expires", "stock.quantity" => "quantity", _ => "batch" };
        return await Shelf(http, list, null, null, null, form, new Dictionary<string, string> { [field] = error.Message }, cancel);
    }

    private static async Task<IResult> Count(HttpContext http, string batch, CorrectCount correct, StockList list, ClinicContext clinic, CancellationToken cancel)
    {
        if (!Guid.TryParseExact(batch, "N", out var id))
        {
            return Refusal.NotFound();
        }

        var form = await FormFields.Sent(http, cancel);
        var counted = decimal.TryParse(form.GetValueOrDefault("counted"), NumberStyles.AllowDecimalPoint | NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out var units) ? units : -1;
        var seen = int.TryParse(form.GetValueOrDefault("seen"), NumberStyles.None, CultureInfo.InvariantCulture, out var version) ? version : -1;
        var corrected = await correct.Run(new CorrectCount.Form(id, seen, counted, form.GetValueOrDefault("reason") ?? ""), http.Actor(), cancel);
        var query = form.GetValueOrDefault("q");
        if (corrected.Error is not { } error)
        {
            return Page.GoTo(http, $"/pharmacy/stock?q={Uri.EscapeDataString(query ?? "")}");
        }

        clinic.ChangeTracker.Clear();
        return error.Code == "not-found" ? Refusal.NotFound() : await Shelf(http, list, query, null, id, form, new Dictionary<string, string> { ["count"] = error.Message }, cancel);
    }

    private static async Task<IResult> Shelf(
        HttpContext http, StockList list, string? query, string? only, Guid? counting, Dictionary<string, string> form, Dictionary<string, string> errors, CancellationToken cancel) =>
        Page.Show<StockPage>(
            new { Products = await list.Run(http.Actor(), cancel), Query = query is { Length: > 60 } ? query[..60] : query, Only = only is "low" or "expired" ? only : "", Counting = counting, Form = form, Errors = errors },
            errors.Count == 0 ? StatusCodes.Status200OK : StatusCodes.Status422UnprocessableEntity);

    /// <summary>The lines of the form; null when a quantity is no number.</summary>
    private static List<HandOver.Line>? Read(Dictionary<string, string> form)
    {
        var lines = new List<HandOver.Line>();
        foreach (var (key, seen) in form.Where(field => field.Key.StartsWith("seen-", StringComparison.Ordinal)))
        {
            if (!Guid.TryParseExact(key.AsSpan(5), "N", out var line) || !int.TryParse(seen, NumberStyles.None, CultureInfo.InvariantCulture, out var times))
            {
                continue;
            }

            var take = new Dictionary<Guid, decimal>();
            foreach (var (field, text) in Of($"take-{line:N}-"))
            {
                if (string.IsNullOrWhiteSpace(text) || !Guid.TryParseExact(field, "N", out var batch))
                {
                    continue;
                }

                if (!decimal.TryParse(text, NumberStyles.AllowDecimalPoint | NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out var units))
                {
                    return null;
                }

                take[batch] = units;
            }

            lines.Add(new HandOver.Line(line, times, take, Of($"ok-{line:N}-").Select(one => one.Name).ToHashSet(StringComparer.Ordinal), Of($"why-{line:N}-").ToDictionary(one => one.Name, one => one.Text, StringComparer.Ordinal)));
        }

        return lines;

        IEnumerable<(string Name, string Text)> Of(string beginning) =>
            form.Where(field => field.Key.StartsWith(beginning, StringComparison.Ordinal)).Select(field => (field.Key[beginning.Length..], field.Value));
    }

    private static string Time(DateTimeOffset at) => at.ToLocalTime().ToString("HH:mm:ss", CultureInfo.InvariantCulture);
}

/// <summary>Puts the page of one patient's medicines together.</summary>
internal sealed class Counter(OpenDispensing open, DispensingQueue queue, ClinicContext clinic, IdentityDesk desk, TimeProvider clock)
{
    private const int ShortestReason = 3;

    public async Task<DispensingSheet?> Read(HttpContext http, string patient, string visit, CancellationToken cancel, string action = "OPEN_DISPENSING")
    {
        // A refused act leaves what it had begun in the context; the page shows what is stored.
        clinic.ChangeTracker.Clear();
        return PatientId.TryParse(patient, out var patientId) && Guid.TryParseExact(visit, "N", out var visitId)
            && await open.Run(patientId, visitId, http.Actor(), cancel, action) is { Ok: true } sheet ? sheet.Value : null;
    }

    public async Task<IResult> Show(HttpContext http, DispensingSheet sheet, Dictionary<string, string> form, string? error, string? draft, CancellationToken cancel)
    {
        var actor = http.Actor();
        string[] answers = [.. sheet.Lines.Where(line => !line.Blocked).SelectMany(line => line.Findings, (line, finding) => finding.Needs switch
        {
            AnswerNeeded.Accept => PharmacyText.AcceptField(line, finding),
            AnswerNeeded.Reason => PharmacyText.ReasonField(line, finding),
            _ => "",
        }).Where(field => field.Length > 0)];
        return Page.Show<DispensePage>(
            new
            {
                Sheet = sheet,
                Queue = await queue.Run(actor, refresh: true, cancel),
                Form = form,
                Staff = await desk.Staff.Names(cancel),
                Answers = answers,
                Open = Open(answers, form),
                Now = clock.GetLocalNow(),
                desk.Hospital,
                Error = error,
                DraftText = draft,
                Signer = $"{actor.DisplayName} · {actor.Staff}",
            },
            error is null ? StatusCodes.Status200OK : StatusCodes.Status422UnprocessableEntity);
    }

    /// <summary>What still keeps the lines from going out, in words.</summary>
    public static IReadOnlyList<string> Open(IReadOnlyList<string> answers, Dictionary<string, string> form)
    {
        var left = new List<string>();
        var reasons = answers.Count(field => (form.GetValueOrDefault(field)?.Trim().Length ?? 0) < (field.StartsWith("ok-", StringComparison.Ordinal) ? 1 : ShortestReason));
        if (reasons > 0)
        {
            left.Add(string.Create(CultureInfo.InvariantCulture, $"{reasons} {(reasons == 1 ? "warning" : "warnings")} to answer"));
        }

        if (form.GetValueOrDefault("confirmed") != "yes")
        {
            left.Add("name and birth date");
        }

        return left;
    }

    public static string Number(int number) => number.ToString(CultureInfo.InvariantCulture);
}
