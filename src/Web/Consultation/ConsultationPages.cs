using System.Globalization;
using Mangrove.Clinic.Chart;
using Mangrove.Clinic.Consultation;
using Mangrove.Clinic.Records;
using Mangrove.Kernel;
using Mangrove.Web.Chart;
using Mangrove.Web.Session;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Mangrove.Web.Consultation;

/// <summary>The doctor's queue and the consultation: everything written stands in one form, which every act brings along.</summary>
internal static class ConsultationPages
{
    private const string Place = "/patients/{patient:guid}/consultation/{visit:guid}";

    public static void Map(IEndpointRouteBuilder app)
    {
        app.MapGet("/consultation", async (HttpContext http, DoctorQueue queue, TimeProvider clock, CancellationToken cancel) =>
            Page.Show<ConsultationHome>(new { Rows = await queue.Run(http.Actor(), refresh: false, cancel), Clock = clock }));
        app.MapGet("/consultation/rows", async (HttpContext http, DoctorQueue queue, TimeProvider clock, CancellationToken cancel) =>
            Page.Show<DoctorRows>(new { Rows = await queue.Run(http.Actor(), refresh: true, cancel), Clock = clock }));
        app.MapPost(Place + "/take", Take);
        app.MapGet(Place, Show);
        app.MapPost(Place + "/draft", SaveDraft);
        app.MapPost(Place + "/sign", Sign);
        app.MapPost(Place + "/form/diagnoses", Diagnoses);
        app.MapPost(Place + "/form/orders", Orders);
        app.MapPost(Place + "/form/prescription", Prescription);
        app.MapPost(Place + "/orders", SendOrders);
        ConsultationActs.Map(app, Place);
        ConsultationSearch.Map(app, Place);
    }

    private static async Task<IResult> Take(Guid patient, Guid visit, HttpContext http, TakePatient take, CancellationToken cancel)
    {
        var id = new PatientId(patient);
        var form = await http.Request.ReadFormAsync(cancel);
        var taken = await take.Run(id, visit, form["over"] == "yes", http.Actor(), cancel);
        return taken.Error switch
        {
            null => Page.GoTo(http, ConsultationModel.Base(id, visit)),
            { Code: "not-found" } => Refusal.NotFound(),
            { } error => Refusal.Say(StatusCodes.Status409Conflict, error.Code, error.Message),
        };
    }

    private static async Task<IResult> Show(Guid patient, Guid visit, HttpContext http, OpenChart chart, ConsultationDraft draft, TimeProvider clock, CancellationToken cancel)
    {
        var actor = http.Actor();
        var opened = await chart.Run(new PatientId(patient), visit, actor, cancel);
        if (opened.Error is not null || opened.Value.OpenVisit is not { } open || open.Id != visit)
        {
            return Refusal.NotFound();
        }

        if (open.Status != VisitStatus.InConsultation || open.Doctor != actor.Staff)
        {
            return Page.GoTo(http, $"/patients/{new PatientId(patient)}");
        }

        var kept = await draft.Open(opened.Value.Header.Patient, visit, actor, cancel);
        var now = clock.GetUtcNow().UtcTicks;
        var form = kept is { } found ? found.Form with { Opened = now } : new ConsultationForm { NoteId = Ids.New(), Opened = now };
        return Page.Show<ConsultationPage>(new { Model = new ConsultationModel(opened.Value, visit, form, kept?.SavedAt, Check(form, opened.Value), actor, clock) });
    }

    private static async Task<IResult> SaveDraft(Guid patient, Guid visit, HttpContext http, ConsultationDraft draft, TimeProvider clock, CancellationToken cancel)
    {
        var form = ConsultationFields.Read(await http.Request.ReadFormAsync(cancel));
        if (form.NoteId == Guid.Empty)
        {
            return Refusal.NotFound();
        }

        var saved = await draft.Save(new PatientId(patient), visit, form, http.Actor(), cancel);
        return saved.Error switch
        {
            null => Results.Json(new { saved = Seconds(clock, saved.Value) }),
            { Code: "not-found" } => Refusal.NotFound(),
            { } error => Results.Json(new { code = error.Code, message = error.Message }, statusCode: StatusCodes.Status409Conflict),
        };
    }

    private static async Task<IResult> Sign(Guid patient, Guid visit, HttpContext http, SignConsultation sign, OpenChart chart, TimeProvider clock, CancellationToken cancel)
    {
        var id = new PatientId(patient);
        var actor = http.Actor();
        var form = ConsultationFields.Read(await http.Request.ReadFormAsync(cancel));
        var signed = await sign.Run(id, visit, form, actor, cancel);
        switch (signed.Error)
        {
            case null:
                return Page.GoTo(http, form.AwaitResults ? ConsultationModel.Base(id, visit) : "/consultation");
            case { Code: "not-found" }:
                return Refusal.NotFound();
            case { Code: "consultation.signed-already" or "visit.over" or "visit.with-colleague" or "visit.not-in-consultation" } over:
                return Refusal.Say(StatusCodes.Status409Conflict, over.Code, over.Message);
        }

        var opened = await chart.Run(id, visit, actor, cancel);
        return opened.Error is not null
            ? Refusal.NotFound()
            : Page.Again<ConsultationPage>(new { Model = new ConsultationModel(opened.Value, visit, form, null, Check(form, opened.Value), actor, clock, signed.Error) });
    }

    private static async Task<IResult> Diagnoses(Guid patient, Guid visit, HttpContext http, ConsultationDraft draft, CancellationToken cancel)
    {
        var posted = await http.Request.ReadFormAsync(cancel);
        var form = ConsultationFields.Read(posted);
        var (add, remove) = (posted["code"].ToString(), posted["remove"].ToString());
        form = form with
        {
            Diagnoses = [.. form.Diagnoses.Where(code => code != remove).Concat(add.Length is > 0 and <= 20 ? [add] : []).Distinct(StringComparer.OrdinalIgnoreCase).Take(ConsultationForm.MostLines)],
        };
        return await Keep(patient, visit, form, http, draft, cancel) ?? Page.Show<DiagnosisCard>(new { Address = ConsultationModel.Base(new PatientId(patient), visit), Codes = form.Diagnoses });
    }

    private static async Task<IResult> Orders(Guid patient, Guid visit, HttpContext http, ConsultationDraft draft, CancellationToken cancel)
    {
        var posted = await http.Request.ReadFormAsync(cancel);
        var form = ConsultationFields.Read(posted);
        var (add, remove) = (posted["code"].ToString(), posted["remove"].ToString());
        form = form with
        {
            Orders = [.. form.Orders.Where(order => order.Test != remove).Concat(ConsultationSearch.Tests(add).Select(test => new OrderDraft(test.Code, false))).DistinctBy(order => order.Test, StringComparer.OrdinalIgnoreCase).Take(ConsultationForm.MostLines)],
        };
        return await Keep(patient, visit, form, http, draft, cancel) ?? Page.Show<OrdersPending>(new { Address = ConsultationModel.Base(new PatientId(patient), visit), form.Orders });
    }

    private static async Task<IResult> Prescription(Guid patient, Guid visit, HttpContext http, CheckPrescription check, TimeProvider clock, CancellationToken cancel)
    {
        var id = new PatientId(patient);
        var actor = http.Actor();
        var posted = await http.Request.ReadFormAsync(cancel);
        var form = Changed(ConsultationFields.Read(posted), posted);
        if (form.NoteId == Guid.Empty)
        {
            return Refusal.NotFound();
        }

        var done = await check.Keep(id, visit, form, actor, cancel);
        return done.Error is { } refused
            ? Refused(refused)
            : Page.Show<PrescriptionFragment>(new
            {
                Address = ConsultationModel.Base(id, visit),
                done.Value.Lines,
                Safety = done.Value.Picture,
                Whole = $"{done.Value.Name.Lead} {done.Value.Name.Rest}".Trim() + (done.Value.Person?.BornOn() is { } born ? $", {born.Display()}" : ""),
                Signer = $"{actor.DisplayName} · {actor.Staff}",
                SavedAt = Seconds(clock, clock.GetUtcNow()),
            });
    }

    /// <summary>The lines after what was picked, removed or given another strength.</summary>
    private static ConsultationForm Changed(ConsultationForm form, IFormCollection posted)
    {
        var medicines = Clinic.Terminology.MedicineCatalogue.Load();
        var remove = posted["remove"].ToString();
        var lines = form.Prescriptions.Where(line => line.Key != remove).Select(line =>
        {
            var other = posted[ConsultationFields.Of(line.Key, "product-as")].ToString();
            return other.Length > 0 && other != line.Product && medicines.ByPriceCode(other) is { } product
                ? PrescribingSafety.NewLine(line.Key, product.Medicine, product.Product) with { Quantity = line.Quantity, Frequency = line.Frequency, Days = line.Days, Reasons = line.Reasons }
                : line;
        }).ToList();
        if (lines.Count < ConsultationForm.MostLines && medicines.ByPriceCode(posted["code"].ToString()) is { } added)
        {
            var key = lines.Select(line => int.Parse(line.Key, CultureInfo.InvariantCulture)).DefaultIfEmpty(0).Max() + 1;
            lines.Add(PrescribingSafety.NewLine(key.ToString(CultureInfo.InvariantCulture), added.Medicine, added.Product));
        }

        return form with { Prescriptions = lines };
    }

    private static async Task<IResult> SendOrders(Guid patient, Guid visit, HttpContext http, OrderLaboratory order, ConsultationDraft draft, CancellationToken cancel)
    {
        var id = new PatientId(patient);
        var form = ConsultationFields.Read(await http.Request.ReadFormAsync(cancel));
        var sent = await order.Run(id, visit, form.Orders, http.Actor(), cancel);
        return sent.Error switch
        {
            null => await Keep(patient, visit, form with { Orders = [] }, http, draft, cancel) ?? Page.GoTo(http, ConsultationModel.Base(id, visit)),
            { Code: "not-found" } => Refusal.NotFound(),
            { } error => Refusal.Say(StatusCodes.Status409Conflict, error.Code, error.Message),
        };
    }

    /// <summary>Keeps what is being written; an answer only when that was refused.</summary>
    internal static async Task<IResult?> Keep(Guid patient, Guid visit, ConsultationForm form, HttpContext http, ConsultationDraft draft, CancellationToken cancel)
    {
        if (form.NoteId == Guid.Empty)
        {
            return Refusal.NotFound();
        }

        var saved = await draft.Save(new PatientId(patient), visit, form, http.Actor(), cancel);
        return saved.Error is { } error ? Refused(error) : null;
    }

    private static IResult Refused(Error error) =>
        error.Code == "not-found" ? Refusal.NotFound() : Refusal.Say(StatusCodes.Status409Conflict, error.Code, error.Message);

    private static IReadOnlyList<CheckedLine> Check(ConsultationForm form, PatientChart chart) =>
        chart.Safety is { } safety ? PrescribingSafety.Check(form.Prescriptions, safety) : [];

    private static string Seconds(TimeProvider clock, DateTimeOffset time) => clock.Local(time).ToString("HH:mm:ss", CultureInfo.InvariantCulture);
}
