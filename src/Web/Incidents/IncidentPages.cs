using System.Globalization;
using System.Text;
using Mangrove.Governance.Incidents;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Access;
using Mangrove.Vault.Audit;
using Mangrove.Vault.Glass;
using Mangrove.Vault.Identity;
using Mangrove.Vault.Incidents;
using Mangrove.Vault.Watching;
using Mangrove.Web.Parts;
using Mangrove.Web.Session;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Mangrove.Web.Incidents;

/// <summary>Incidents: for administrators and privacy officers. Hospital numbers, never a name of a patient.</summary>
internal static class IncidentPages
{
    public const string Home = "/admin/incidents";

    private const string One = Home + "/{number:int}";
    private const string Moment = "yyyy-MM-dd'T'HH:mm";
    private const int ShownRows = 500;

    public static void Map(IEndpointRouteBuilder app)
    {
        app.MapGet(Home, (HttpContext http, long? entry, IncidentServices all, CancellationToken cancel) => List(http, all, entry, null, [], cancel));
        app.MapPost(Home, Begin);
        app.MapGet(One, (int number, HttpContext http, string? done, IncidentServices all, CancellationToken cancel) => Show(number, http, all, done, null, [], cancel));
        app.MapGet(One + "/impact/{impact:guid}", Impact);
        Act(app, "remark", (desk, actor, number, form, cancel) => desk.Remark(actor, number, form["words"], cancel));
        Act(app, "seen", (desk, actor, number, _, cancel) => desk.See(actor, number, cancel));
        Act(app, "assess", (desk, actor, number, form, cancel) => desk.Assess(actor, number, [.. IncidentWords.Factors.Select(factor => form[factor.Name].ToString())], Chosen<RiskFound>(form["risk"]), Number(form["affected"]), Number(form["state"]), cancel));
        Act(app, "low", (desk, actor, number, _, cancel) => desk.ConfirmLow(actor, number, cancel));
        Act(app, "sent", (desk, actor, number, form, cancel) => desk.RecordSent(actor, number, Chosen<NoticeTo>(form["to"]), Number(form["people"]), Day(form["day"]) ?? default, Chosen<NoticeWay>(form["way"]), cancel));
        Act(app, "action", (desk, actor, number, form, cancel) => desk.AddAction(actor, number, Staff(form["owner"]), Day(form["due"]) ?? default, form["words"], cancel));
        Act(app, "did", (desk, actor, number, form, cancel) => desk.EndAction(actor, number, Guid.TryParseExact(form["action"], "N", out var action) ? action : Guid.Empty, cancel));
        Act(app, "review", (desk, actor, number, form, cancel) => desk.Review(actor, number, form["words"], cancel));
        Act(app, "waive", (desk, actor, number, form, cancel) => desk.Waive(actor, number, Chosen<IncidentStep>(form["step"]), form["words"], cancel));
        Act(app, "close", (desk, actor, number, _, cancel) => desk.Close(actor, number, cancel));
        app.MapPost(One + "/contain", Contain);
        app.MapPost(One + "/keys", async (int number, HttpContext http, IncidentServices all, CancellationToken cancel) =>
        {
            await all.Desk.BeginKeys(http.Actor(), number, cancel);
            return Page.GoTo(http, At(number) + "?done=keys");
        });
        app.MapPost(One + "/examine", Examine);
    }

    public static string At(int number) => string.Create(CultureInfo.InvariantCulture, $"{Home}/{number}");

    private static void Act(IEndpointRouteBuilder app, string name, Func<IncidentDesk, Actor, int, IFormCollection, CancellationToken, Task<Result<int>>> act) =>
        app.MapPost($"{One}/{name}", async (int number, HttpContext http, IncidentServices all, CancellationToken cancel) =>
        {
            var form = await http.Request.ReadFormAsync(cancel);
            return await Answer(await act(all.Desk, http.Actor(), number, form, cancel), name, number, http, all, cancel);
        });

    private static async Task<IResult> Answer(Result<int> done, string name, int number, HttpContext http, IncidentServices all, CancellationToken cancel) => done.Error switch
    {
        null => Page.GoTo(http, $"{At(number)}?done={name}"),
        { Code: "not-found" } => Refusal.NotFound(),
        { } error => await Show(number, http, all, null, error, await FormFields.Sent(http, cancel), cancel),
    };

    private static async Task<IResult> Begin(HttpContext http, IncidentServices all, CancellationToken cancel)
    {
        var form = await http.Request.ReadFormAsync(cancel);
        var begun = await all.Desk.Begin(
            http.Actor(),
            Chosen<IncidentKind>(form["kind"]),
            Time(form["known"], all.Clock.LocalTimeZone) ?? DateTimeOffset.MaxValue,
            Day(form["agent"]),
            Staff(form["lead"]),
            form["words"],
            long.TryParse(form["entry"], NumberStyles.None, CultureInfo.InvariantCulture, out var entry) ? entry : null,
            cancel);
        return begun.Error is { } error ? await List(http, all, entry > 0 ? entry : null, error, await FormFields.Sent(http, cancel), cancel) : Page.GoTo(http, At(begun.Value) + "?done=opened");
    }

    private static async Task<IResult> Contain(int number, HttpContext http, IncidentServices all, CancellationToken cancel)
    {
        var form = await http.Request.ReadFormAsync(cancel);
        var roster = await all.Staff.Roster(cancel);
        var asked = new Containment(
            [.. Words(form["accounts"]).Select(word => roster.FirstOrDefault(one => one.User.Equals(word, StringComparison.OrdinalIgnoreCase) || one.Staff.ToString() == word)?.Staff ?? default)],
            [.. Words(form["devices"])],
            [.. Words(form["programs"])],
            [.. KeyDesk.Purposes.Where(purpose => form[$"key-{purpose}"] == "on")]);
        return await Answer(await all.Desk.Contain(http.Actor(), number, asked, PasskeyPages.ProofOf(http, form), cancel), "contain", number, http, all, cancel);
    }

    private static async Task<IResult> Examine(int number, HttpContext http, IncidentServices all, CancellationToken cancel)
    {
        var form = await http.Request.ReadFormAsync(cancel);
        var actor = http.Actor();
        var zone = all.Clock.LocalTimeZone;
        Guid? patient = null;
        if (form["patient"].ToString().Trim() is { Length: > 0 } typed)
        {
            var found = all.Watch.PatientOf(typed);
            if (found is null)
            {
                return await Show(number, http, all, null, new Error("patient.number", "No patient has this hospital number. Type it again."), await FormFields.Sent(http, cancel), cancel);
            }

            patient = found;
        }

        var examined = await all.Desk.Examine(
            actor,
            number,
            new ExposureQuestion
            {
                Actor = Line(form["actor"]),
                Device = Line(form["device"]),
                Patient = patient,
                Since = Time(form["since"], zone) ?? all.Clock.GetUtcNow(),
                Until = Time(form["until"], zone) ?? all.Clock.GetUtcNow(),
            },
            cancel);
        return examined.Error switch
        {
            null => Page.GoTo(http, At(number) + "?done=examine"),
            { Code: "not-found" } => Refusal.NotFound(),
            { } error => await Show(number, http, all, null, error, await FormFields.Sent(http, cancel), cancel),
        };
    }

    private static async Task<IResult> Impact(int number, Guid impact, HttpContext http, string? form, IncidentServices all, CancellationToken cancel)
    {
        var answer = await all.Desk.Impact(http.Actor(), number, impact, form == "csv", cancel);
        if (answer.Error is not null)
        {
            return Refusal.NotFound();
        }

        var numbers = all.Watch.Numbers(answer.Value.Patients.Select(one => one.Patient));
        if (form != "csv")
        {
            return Page.Show<IncidentImpactPage>(new { Number = number, Impact = impact, Answer = answer.Value, Numbers = numbers, Most = ShownRows, Zone = all.Clock.LocalTimeZone });
        }

        var text = new StringBuilder("hospital_number,patient_id,by,from,acts,first,last,actions,fields\r\n");
        foreach (var one in answer.Value.Patients)
        {
            text.AppendJoin(',', new[] { numbers.GetValueOrDefault(one.Patient) ?? "", one.Patient.ToString("N"), one.Actor, one.Device, one.Acts.ToString(CultureInfo.InvariantCulture), one.First.ToString("O", CultureInfo.InvariantCulture), one.Last.ToString("O", CultureInfo.InvariantCulture), string.Join(' ', one.Actions), string.Join(' ', one.Fields) }.Select(Cell)).Append("\r\n");
        }

        return Results.File(Encoding.UTF8.GetBytes(text.ToString()), "text/csv", string.Create(CultureInfo.InvariantCulture, $"incident-{number}.csv"));
    }

    // What a table program would take for a formula stands behind an apostrophe.
    private static string Cell(string text) => $"\"{(text.Length > 0 && text[0] is '=' or '+' or '-' or '@' ? "'" : "")}{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    private static async Task<IResult> List(HttpContext http, IncidentServices all, long? entry, Error? error, Dictionary<string, string> typed, CancellationToken cancel)
    {
        var files = await all.Desk.List(http.Actor(), cancel);
        return Page.Show<IncidentsPage>(
            new
            {
                Files = files,
                Staff = await Roster(all, cancel),
                Keepers = await Keepers(all, cancel),
                Me = http.Actor().Staff,
                Entry = entry,
                Now = all.Clock.GetUtcNow(),
                Zone = all.Clock.LocalTimeZone,
                Error = error,
                Typed = typed,
            },
            error is null ? StatusCodes.Status200OK : StatusCodes.Status422UnprocessableEntity);
    }

    private static async Task<IResult> Show(int number, HttpContext http, IncidentServices all, string? done, Error? error, Dictionary<string, string> typed, CancellationToken cancel)
    {
        var file = await all.Desk.Open(http.Actor(), number, cancel);
        if (file.Error is not null)
        {
            return Refusal.NotFound();
        }

        var administers = http.Actor().May(Rights.Administration);
        var zone = all.Clock.LocalTimeZone;
        return Page.Show<IncidentPage>(
            new
            {
                File = file.Value,
                Staff = await Roster(all, cancel),
                Me = http.Actor().Staff,
                Administers = administers,
                Offer = administers ? await PasskeyPages.OfferOf(http, all.Identity, cancel) : new FactorOffer(false, false),
                Owed = BreachAlarm.Owed(file.Value, BreachLaws.Hipaa | BreachLaws.Gdpr, zone),
                Now = all.Clock.GetUtcNow(),
                Zone = zone,
                Done = done,
                Error = error,
                Typed = typed,
            },
            error is null ? StatusCodes.Status200OK : StatusCodes.Status422UnprocessableEntity);
    }

    private static async Task<IReadOnlyDictionary<int, Colleague>> Roster(IncidentServices all, CancellationToken cancel) => (await all.Staff.Roster(cancel)).ToDictionary(one => one.Staff.Number);

    private static async Task<IReadOnlyList<Colleague>> Keepers(IncidentServices all, CancellationToken cancel)
    {
        var told = await all.Glass.Told(cancel);
        return [.. (await all.Staff.Roster(cancel)).Where(one => one.Role == Role.Admin || told.Officers.Contains(one.Staff))];
    }

    internal static string Typed(DateTimeOffset at, TimeZoneInfo zone) => TimeZoneInfo.ConvertTime(at, zone).ToString(Moment, CultureInfo.InvariantCulture);

    private static T Chosen<T>(string? name)
        where T : struct, Enum => Enum.TryParse<T>(name, ignoreCase: false, out var value) && Enum.IsDefined(value) && value.ToString() == name ? value : default;

    private static int Number(string? digits) => int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : -1;

    private static DateOnly? Day(string? text) => DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day) ? day : null;

    private static StaffId Staff(string? text) => StaffId.TryParse(text, out var staff) ? staff : default;

    private static string? Line(string? text) => string.IsNullOrWhiteSpace(text) ? null : text.Trim();

    private static string[] Words(string? text) => (text ?? "").Split([' ', ',', ';', '\r', '\n', '\t'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    private static DateTimeOffset? Time(string? text, TimeZoneInfo zone) => DateTime.TryParseExact(text, Moment, CultureInfo.InvariantCulture, DateTimeStyles.None, out var local) && !zone.IsInvalidTime(local)
        ? new DateTimeOffset(local, zone.GetUtcOffset(local))
        : null;
}

/// <summary>What the pages of incidents work with, as one argument.</summary>
internal sealed record IncidentServices(IncidentDesk Desk, IdentityDesk Identity, StaffDirectory Staff, GlassDesk Glass, WatchDesk Watch, TimeProvider Clock)
{
    public static ValueTask<IncidentServices?> BindAsync(HttpContext http)
    {
        ArgumentNullException.ThrowIfNull(http);
        return ValueTask.FromResult<IncidentServices?>(new IncidentServices(Get<IncidentDesk>(), Get<IdentityDesk>(), Get<StaffDirectory>(), Get<GlassDesk>(), Get<WatchDesk>(), Get<TimeProvider>()));

        T Get<T>()
            where T : notnull => (T)http.RequestServices.GetService(typeof(T))!;
    }
}
