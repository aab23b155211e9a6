using System.Globalization;
using Mangrove.Governance.Retention;
using Mangrove.Kernel;
using Mangrove.Vault.Holds;
using Mangrove.Vault.Identity;
using Mangrove.Web.Session;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Mangrove.Web.Administration;

/// <summary>How long records stay: what is due, the rules with their legal source, and legal holds. Hospital numbers, never a name or a day of a patient.</summary>
internal static class RetentionPages
{
    public const string Home = "/admin/retention";
    public const string Rules = Home + "/rules";
    public const string Holds = Home + "/holds";

    // On one page, named in one entry.
    private const int Shown = 200;

    public static void Map(IEndpointRouteBuilder app)
    {
        app.MapGet(Home, ShowDue);
        app.MapPost(Home + "/count", Count);
        app.MapGet(Rules, (HttpContext http, string? done, RetentionDesk retention, IdentityDesk identity, CancellationToken cancel) => ShowRules(http, retention, identity, done, null, null, cancel));
        app.MapPost(Rules + "/adopt", Adopt);
        app.MapPost(Rules + "/lengthen", Lengthen);
        app.MapGet(Holds, (HttpContext http, string? done, HoldDesk holds, IdentityDesk identity, TimeProvider clock, CancellationToken cancel) => ShowHolds(http, holds, identity, clock, done, null, null, cancel));
        app.MapPost(Holds, Place);
        app.MapPost(Holds + "/release", Release);
    }

    private static async Task<IResult> ShowDue(HttpContext http, string? done, RetentionDesk retention, DueList list, TimeProvider clock, CancellationToken cancel)
    {
        var report = list.Newest;
        await retention.LookAtDue(http.Actor(), [.. (report?.Due ?? []).Take(Shown).Select(one => one.Patient)], cancel);
        return Page.Show<RetentionPage>(new { Report = report, Shown, Policy = await retention.Policy(cancel), Zone = clock.LocalTimeZone, Now = clock.GetUtcNow(), Done = done == "counted" });
    }

    private static async Task<IResult> Count(HttpContext http, RetentionDesk retention, DueList list, CancellationToken cancel)
    {
        await retention.AskToCount(http.Actor(), cancel);
        await list.Count(cancel);
        return Page.GoTo(http, Home + "?done=counted");
    }

    private static async Task<IResult> Adopt(HttpContext http, RetentionDesk retention, IdentityDesk identity, CancellationToken cancel)
    {
        var form = await http.Request.ReadFormAsync(cancel);
        var template = RetentionTable.Of(form["country"])?.Rules ?? new RetentionTemplate("", 0, []);
        var adopted = await retention.Adopt(http.Actor(), template, PasskeyPages.ProofOf(http, form), cancel);
        return adopted.Error is { } error ? await ShowRules(http, retention, identity, null, error, form, cancel) : Page.GoTo(http, Rules + "?done=adopted");
    }

    private static async Task<IResult> Lengthen(HttpContext http, RetentionDesk retention, IdentityDesk identity, CancellationToken cancel)
    {
        var form = await http.Request.ReadFormAsync(cancel);
        var made = await retention.Lengthen(http.Actor(), (RecordKind)Number(form["kind"]), Number(form["years"]), PasskeyPages.ProofOf(http, form), cancel);
        return made.Error is { } error ? await ShowRules(http, retention, identity, null, error, form, cancel) : Page.GoTo(http, Rules + "?done=longer");

        // No number is out of every range.
        static int Number(string? text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : -1;
    }

    private static async Task<IResult> ShowRules(HttpContext http, RetentionDesk retention, IdentityDesk identity, string? done, Error? error, IFormCollection? typed, CancellationToken cancel) => Page.Show<RetentionRulesPage>(
        new
        {
            Policy = await retention.Read(http.Actor(), cancel),
            Country = typed?["country"].ToString() ?? "",
            Kind = typed?["kind"].ToString() ?? "",
            Years = typed?["years"].ToString() ?? "",
            Offer = await PasskeyPages.OfferOf(http, identity, cancel),
            Error = error,
            Done = done is "adopted" or "longer" ? done : null,
        },
        error is null ? StatusCodes.Status200OK : StatusCodes.Status422UnprocessableEntity);

    private static async Task<IResult> Place(HttpContext http, PlaceHold place, HoldDesk holds, IdentityDesk identity, TimeProvider clock, CancellationToken cancel)
    {
        var form = await http.Request.ReadFormAsync(cancel);
        var placed = await place.Run(TypedIn(form), http.Actor(), PasskeyPages.ProofOf(http, form), cancel);
        return placed.Error is { } error ? await ShowHolds(http, holds, identity, clock, null, error, form, cancel) : Page.GoTo(http, Holds + "?done=placed");
    }

    private static async Task<IResult> Release(HttpContext http, HoldDesk holds, IdentityDesk identity, TimeProvider clock, CancellationToken cancel)
    {
        var form = await http.Request.ReadFormAsync(cancel);
        var released = await holds.Release(http.Actor(), form["hold"], form["reason"], PasskeyPages.ProofOf(http, form), cancel);
        return released.Error is { } error ? await ShowHolds(http, holds, identity, clock, null, error, form, cancel) : Page.GoTo(http, Holds + "?done=released");
    }

    private static async Task<IResult> ShowHolds(HttpContext http, HoldDesk holds, IdentityDesk identity, TimeProvider clock, string? done, Error? error, IFormCollection? typed, CancellationToken cancel)
    {
        var all = await holds.List(http.Actor(), cancel);
        return Page.Show<HoldsPage>(
            new
            {
                All = all,
                Staff = (await identity.Staff.Roster(cancel)).ToDictionary(one => one.Staff.Number),
                Me = http.Actor().Staff,
                Typed = TypedIn(typed ?? FormCollection.Empty),
                Releasing = typed?["hold"].ToString() ?? "",
                Offer = await PasskeyPages.OfferOf(http, identity, cancel),
                Zone = clock.LocalTimeZone,
                Error = error,
                Done = done is "placed" or "released" ? done : null,
            },
            error is null ? StatusCodes.Status200OK : StatusCodes.Status422UnprocessableEntity);
    }

    private static PlaceHold.Form TypedIn(IFormCollection form) =>
        new(form["scope"], form["number"], form["first"], form["last"], form["reference"], form["reason"]);
}
