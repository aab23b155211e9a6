using System.Globalization;
using Mangrove.Clinic;
using Mangrove.Clinic.Queue;
using Mangrove.Clinic.Records;
using Mangrove.Clinic.Registration;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Access;
using Mangrove.Vault.Identity;
using Mangrove.Vault.Index;
using Mangrove.Web.Session;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Web.Desk;

/// <summary>The front desk: arrivals, registration, details, queue, wristband; and the waiting room's board.</summary>
internal static class DeskPages
{
    private const int MostFound = 8;

    // A draft has no hospital number yet; the log says so.
    private const string NoNumber = "draft";

    public static void Map(IEndpointRouteBuilder app)
    {
        app.MapGet("/desk", Home);
        app.MapGet("/desk/rows", async (HttpContext http, ListArrivals list, TimeProvider clock, CancellationToken cancel) =>
            Page.Show<ArrivalRows>(new { Arrivals = await list.Run(http.Actor(), Background(http), cancel), Now = clock.GetUtcNow(), Zone = clock.LocalTimeZone }));
        app.MapPost("/desk/find", async (HttpContext http, Door door, TimeProvider clock, CancellationToken cancel) =>
            await Found(http, door, cancel) is { } hits ? Page.Show<FoundRows>(new { Hits = hits, Today = clock.LocalToday() }) : Results.Content(string.Empty, "text/html"));
        app.MapGet("/desk/queue", async (HttpContext http, ListArrivals list, TimeProvider clock, CancellationToken cancel) =>
            Page.Show<QueueBoard>(new { Arrivals = await list.Run(http.Actor(), false, cancel), Now = clock.GetUtcNow(), Zone = clock.LocalTimeZone }));
        app.MapGet("/desk/queue/rows", async (HttpContext http, ListArrivals list, TimeProvider clock, CancellationToken cancel) =>
            Page.Show<QueueRows>(new { Arrivals = await list.Run(http.Actor(), Background(http), cancel), Now = clock.GetUtcNow(), Zone = clock.LocalTimeZone }));

        app.MapGet("/desk/register", OpenForm);
        app.MapPost("/desk/register", Register);
        app.MapPost("/desk/register/guard", Guard);
        app.MapPost("/desk/register/gate", async (HttpContext http, CancellationToken cancel) =>
            Page.Show<RegisterAct>(new { Closed = (await http.Request.ReadFormAsync(cancel))["because"].ToString().Length == 0 }));
        app.MapPost("/desk/register/mothers", async (HttpContext http, Door door, TimeProvider clock, CancellationToken cancel) =>
            await Found(http, door, cancel) is { } hits ? Page.Show<MotherRows>(new { Hits = hits, Today = clock.LocalToday() }) : Results.Content(string.Empty, "text/html"));
        app.MapPost("/desk/register/unknown", RegisterNobody);
        app.MapPost("/desk/register/{patient:guid}/discard", Discard);
        app.MapPost("/drafts/registration/{patient:guid}", SaveDraft);
        app.MapGet("/patients/{patient:guid}/newborn", Newborn);

        app.MapGet("/patients/{patient:guid}/details", async (Guid patient, HttpContext http, ViewDemographics view, TimeProvider clock, CancellationToken cancel) =>
            (await view.Run(new PatientId(patient), http.Actor(), cancel)) is { Ok: true, Value: var seen } ? Details(seen, clock) : Refusal.NotFound());
        app.MapPost("/patients/{patient:guid}/details", Change);
        app.MapPost("/patients/{patient:guid}/visits", Open);
        app.MapPost("/patients/{patient:guid}/visits/{visit:guid}/close", Close);
        app.MapGet("/patients/{patient:guid}/wristband", async (Guid patient, HttpContext http, ViewWristband view, IdentityDesk desk, TimeProvider clock, CancellationToken cancel) =>
            (await view.Run(new PatientId(patient), http.Actor(), cancel)) is { Ok: true, Value: var band }
                ? Page.Show<WristbandPage>(new { Band = band, Today = clock.LocalToday(), desk.Hospital })
                : Refusal.NotFound());

        // Tokens say nothing of anybody, so every signed-in role may put the board up.
        app.MapGet("/board", async (ShowBoard board, CancellationToken cancel) => Page.Show<BoardPage>(new { Lines = await board.Run(cancel) }));
        app.MapGet("/board/rows", async (ShowBoard board, CancellationToken cancel) => Page.Show<BoardRows>(new { Lines = await board.Run(cancel) }));
    }

    private static bool Background(HttpContext http) => http.Request.Headers.ContainsKey(StaffSession.BackgroundHeader);

    private static async Task<IResult> Home(HttpContext http, ListArrivals list, TimeProvider clock, CancellationToken cancel) =>
        Page.Show<DeskHome>(new { Arrivals = await list.Run(http.Actor(), false, cancel), Now = clock.GetUtcNow(), Zone = clock.LocalTimeZone });

    private static async Task<IReadOnlyList<PatientHit>?> Found(HttpContext http, Door door, CancellationToken cancel)
    {
        var typed = (await http.Request.ReadFormAsync(cancel))["q"].ToString().Trim();
        return typed.Length < 2 ? null : await door.Find(http.Actor(), new PatientQuery(typed, MostFound), cancel);
    }

    private static async Task<IResult> OpenForm(HttpContext http, ClinicContext clinic, DraftBox drafts, TimeProvider clock, CancellationToken cancel)
    {
        var actor = http.Actor();
        if (!actor.May(Rights.Queue))
        {
            return Refusal.NotFound();
        }

        var unfinished = await clinic.Drafts.AsNoTracking()
            .Where(draft => draft.By == actor.Staff && draft.Kind == DraftKind.Registration)
            .OrderByDescending(draft => draft.SavedAt)
            .Select(draft => (PatientId?)draft.PatientId)
            .FirstOrDefaultAsync(cancel);
        if (unfinished is { } id && await drafts.Open(Place(id), actor, cancel) is { } kept && PersonFields.FromDraft(kept.Content) is { } fields)
        {
            return Form(id, fields, clock, draft: Saved(kept.SavedAt, clock), restored: true);
        }

        return Form(PatientId.New(), new PersonFields(), clock);
    }

    private static async Task<IResult> Register(HttpContext http, ClinicContext clinic, RegisterPatient register, OpenVisit open, FindLike like, TimeProvider clock, CancellationToken cancel)
    {
        var form = await http.Request.ReadFormAsync(cancel);
        if (!PatientId.TryParse(form["id"], out var id))
        {
            return Refusal.NotFound();
        }

        var actor = http.Actor();
        var fields = PersonFields.From(form);
        var today = clock.LocalToday();
        var wrong = fields.Check(today);
        if (wrong.Count > 0)
        {
            return Form(id, fields, clock, wrong, null, await like.Run(fields.Name, fields.PersonSoFar(today), fields.Contact.Phones is [var typed, ..] ? typed : null, actor, cancel));
        }

        var registered = await register.Run(new RegisterPatient.Form(id, fields.Name, fields.PersonSoFar(today), fields.Contact, fields.PayerOrNull, fields.Because, fields.Kind), actor, cancel);
        if (registered.Error is { } error)
        {
            var hits = await like.Run(fields.Name, fields.PersonSoFar(today), fields.Contact.Phones is [var phone, ..] ? phone : null, actor, cancel);
            return error.Code == "registration.birth-date"
                ? Form(id, fields, clock, new Dictionary<string, string>(StringComparer.Ordinal) { ["born"] = error.Message }, null, hits)
                : Form(id, fields, clock, null, error.Message, hits);
        }

        return await Arrive(http, clinic, open, registered.Value.Id, fields.Kind, cancel);
    }

    private static async Task<IResult> RegisterNobody(HttpContext http, ClinicContext clinic, RegisterUnknown register, OpenVisit open, TimeProvider clock, CancellationToken cancel)
    {
        var form = await http.Request.ReadFormAsync(cancel);
        if (!PatientId.TryParse(form["id"], out var id))
        {
            return Refusal.NotFound();
        }

        var fields = PersonFields.From(form);
        var born = BirthText.Read(null, fields.Age, clock.LocalToday());
        if (born.Error is { } unreadable)
        {
            return Form(PatientId.New(), new PersonFields(), clock, null, unreadable.Message);
        }

        var registered = await register.Run(id, fields.Sex, born.Value, http.Actor(), cancel);
        return registered.Error is { } error
            ? Form(PatientId.New(), new PersonFields(), clock, null, error.Message)
            : await Arrive(http, clinic, open, id, VisitKind.Emergency, cancel);
    }

    private static async Task<IResult> Arrive(HttpContext http, ClinicContext clinic, OpenVisit open, PatientId patient, VisitKind kind, CancellationToken cancel)
    {
        // A registration opens its visit itself. The same form sent twice finds that visit, unless the patient has left since.
        if (await clinic.Visits.AsNoTracking().AnyAsync(visit => visit.PatientId == patient && visit.Status != VisitStatus.Closed, cancel))
        {
            return Page.GoTo(http, $"/patients/{patient}/details");
        }

        var opened = await open.Run(patient, kind, http.Actor(), cancel);
        return opened.Error is null or { Code: OpenVisit.AlreadyOpen }
            ? Page.GoTo(http, $"/patients/{patient}/details")
            : Refusal.Say(StatusCodes.Status400BadRequest, opened.Error.Code, opened.Error.Message);
    }

    private static async Task<IResult> Guard(HttpContext http, FindLike like, TimeProvider clock, CancellationToken cancel)
    {
        var fields = PersonFields.From(await http.Request.ReadFormAsync(cancel));
        var today = clock.LocalToday();
        var hits = await like.Run(fields.Name, fields.PersonSoFar(today), fields.Contact.Phones is [var phone, ..] ? phone : null, http.Actor(), cancel);
        return Page.Show<GuardAnswer>(new { Hits = hits, Fields = fields, Today = today });
    }

    private static async Task<IResult> Newborn(Guid patient, HttpContext http, PrepareNewborn prepare, TimeProvider clock, CancellationToken cancel)
    {
        var prepared = await prepare.Run(new PatientId(patient), http.Actor(), cancel);
        return prepared.Error is not null
            ? Refusal.NotFound()
            : Form(
                PatientId.New(),
                PersonFields.From(prepared.Value.Name, prepared.Value.Person, prepared.Value.Contact, prepared.Value.Payer),
                clock,
                mother: prepared.Value.Contact.NextOfKin);
    }

    private static async Task<IResult> SaveDraft(Guid patient, HttpContext http, ClinicContext clinic, DraftBox drafts, TimeProvider clock, CancellationToken cancel)
    {
        var id = new PatientId(patient);
        if (http.Actor().May(Rights.Queue) && await clinic.Patients.AnyAsync(row => row.PatientId == id, cancel))
        {
            // Registered meanwhile, from this form on another screen. Others are refused by the door, whoever it is.
            return Results.Conflict();
        }

        var fields = PersonFields.From(await http.Request.ReadFormAsync(cancel));
        return Results.Json(new { saved = Saved(await drafts.Save(Place(id), fields.ToDraft(), http.Actor(), cancel), clock) });
    }

    private static async Task<IResult> Discard(Guid patient, HttpContext http, ClinicContext clinic, DraftBox drafts, CancellationToken cancel)
    {
        await drafts.Remove(Place(new PatientId(patient)), http.Actor(), cancel);
        await clinic.SaveChangesAsync(cancel);
        return Page.GoTo(http, "/desk/register");
    }

    private static async Task<IResult> Change(Guid patient, HttpContext http, UpdateDemographics update, ViewDemographics view, TimeProvider clock, CancellationToken cancel)
    {
        var form = await http.Request.ReadFormAsync(cancel);
        var actor = http.Actor();
        if (form["patient"] != patient.ToString("N") || !int.TryParse(form["version"], NumberStyles.None, CultureInfo.InvariantCulture, out var version))
        {
            return Refusal.NotFound();
        }

        var fields = PersonFields.From(form);
        var today = clock.LocalToday();
        var wrong = fields.Check(today);
        Error? error = null;
        if (wrong.Count == 0)
        {
            var updated = await update.Run(
                new UpdateDemographics.Form(new PatientId(patient), version, fields.Name, fields.PersonSoFar(today), fields.Contact, fields.PayerOrNull),
                actor,
                cancel);
            if (updated.Ok)
            {
                return Page.GoTo(http, $"/patients/{patient:N}/details");
            }

            error = updated.Error;
        }

        return (await view.Run(new PatientId(patient), actor, cancel)) is { Ok: true, Value: var seen }
            ? Page.Again<DetailsPage>(new { View = seen, Fields = fields, Version = version, Today = today, Zone = clock.LocalTimeZone, Errors = (IReadOnlyDictionary<string, string>)wrong, Error = error?.Message })
            : Refusal.NotFound();
    }

    private static async Task<IResult> Open(Guid patient, HttpContext http, OpenVisit open, CancellationToken cancel)
    {
        var form = await http.Request.ReadFormAsync(cancel);
        var opened = await open.Run(new PatientId(patient), form["kind"] == nameof(VisitKind.Emergency) ? VisitKind.Emergency : VisitKind.Outpatient, http.Actor(), cancel);
        return opened.Error switch
        {
            null or { Code: OpenVisit.AlreadyOpen } => Page.GoTo(http, $"/patients/{patient:N}/details"),
            { Code: "not-found" } => Refusal.NotFound(),
            { } error => Refusal.Say(StatusCodes.Status400BadRequest, error.Code, error.Message),
        };
    }

    private static async Task<IResult> Close(Guid patient, Guid visit, HttpContext http, CloseVisit close, CancellationToken cancel)
    {
        var closed = await close.Run(new PatientId(patient), visit, http.Actor(), cancel);
        return closed.Error switch
        {
            // Closed by somebody else or by the first of two clicks: the patient has left either way.
            null or { Code: "visit.over" } => Page.GoTo(http, "/desk"),
            { Code: "not-found" } => Refusal.NotFound(),
            { } error => Refusal.Say(StatusCodes.Status400BadRequest, error.Code, error.Message),
        };
    }

    private static IResult Details(ViewDemographics.View view, TimeProvider clock) => Page.Show<DetailsPage>(
        new
        {
            View = view,
            Fields = PersonFields.From(view.Name, view.Person, view.Contact, view.Payer),
            view.Version,
            Today = clock.LocalToday(),
            Zone = clock.LocalTimeZone,
        });

    private static IResult Form(
        PatientId id,
        PersonFields fields,
        TimeProvider clock,
        IReadOnlyDictionary<string, string>? errors = null,
        string? error = null,
        IReadOnlyList<PatientHit>? guard = null,
        string? draft = null,
        bool restored = false,
        string? mother = null) => Page.Show<RegisterPage>(
        new
        {
            Id = id.ToString(),
            UnknownId = PatientId.New().ToString(),
            Fields = fields,
            Today = clock.LocalToday(),
            Errors = errors,
            Error = error,
            Guard = guard,
            Draft = draft,
            Restored = restored,
            Mother = mother,
        },
        errors is null && error is null ? StatusCodes.Status200OK : StatusCodes.Status422UnprocessableEntity);

    private static DraftBox.Place Place(PatientId id) => new(DraftKind.Registration, id, NoNumber, null);

    private static string Saved(DateTimeOffset at, TimeProvider clock) => TimeZoneInfo.ConvertTime(at, clock.LocalTimeZone).ToString("HH:mm:ss", CultureInfo.InvariantCulture);
}
