using System.Globalization;
using Mangrove.Kernel;
using Mangrove.Vault.Identity;
using Mangrove.Vault.Watching;
using Mangrove.Web.Session;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Mangrove.Web.Administration;

/// <summary>What the rules over the log found, to be judged by a person, and the records that are guarded. Hospital numbers, never a name of a patient.</summary>
internal static class WatchPages
{
    public const string Watch = "/admin/watch";

    private const int Shown = 200;

    public static void Map(IEndpointRouteBuilder app)
    {
        app.MapGet(Watch, (HttpContext http, string? shown, string? done, WatchDesk desk, StaffDirectory staff, TimeProvider clock, CancellationToken cancel) =>
            Show(http, shown == "all", done, null, null, desk, staff, clock, cancel));
        app.MapPost(Watch, Judge);
        app.MapPost(Watch + "/guard", Guard);
        app.MapPost(Watch + "/unguard", Unguard);
    }

    private static async Task<IResult> Judge(HttpContext http, WatchDesk desk, StaffDirectory staff, TimeProvider clock, CancellationToken cancel)
    {
        var form = await http.Request.ReadFormAsync(cancel);
        var judged = await desk.Settle(http.Actor(), long.TryParse(form["entry"], NumberStyles.None, CultureInfo.InvariantCulture, out var seq) ? seq : 0, form["rule"].ToString(), form["outcome"].ToString(), cancel);
        return judged.Error is { } error ? await Show(http, false, null, error, null, desk, staff, clock, cancel) : Page.GoTo(http, Watch + "?done=judged");
    }

    private static async Task<IResult> Guard(HttpContext http, WatchDesk desk, StaffDirectory staff, TimeProvider clock, CancellationToken cancel)
    {
        var form = await http.Request.ReadFormAsync(cancel);
        var typed = form["number"].ToString();
        var guarded = await desk.Guard(http.Actor(), typed, form["as"].ToString() switch { "vip" => WatchFlag.Vip, "decoy" => WatchFlag.Honeytoken, _ => WatchFlag.None }, cancel);
        return guarded.Error is { } error ? await Show(http, false, null, error, typed, desk, staff, clock, cancel) : Page.GoTo(http, Watch + "?done=guarded");
    }

    private static async Task<IResult> Unguard(HttpContext http, WatchDesk desk, StaffDirectory staff, TimeProvider clock, CancellationToken cancel)
    {
        var form = await http.Request.ReadFormAsync(cancel);
        var ended = await desk.Unguard(http.Actor(), Guid.TryParseExact(form["record"], "N", out var patient) ? patient : Guid.Empty, cancel);
        return ended.Error is { } error ? await Show(http, false, null, error, null, desk, staff, clock, cancel) : Page.GoTo(http, Watch + "?done=unguarded");
    }

    private static async Task<IResult> Show(HttpContext http, bool all, string? done, Error? error, string? typed, WatchDesk desk, StaffDirectory staff, TimeProvider clock, CancellationToken cancel)
    {
        var findings = await desk.Findings(http.Actor(), all, Shown, cancel);
        return Page.Show<WatchPage>(
            new
            {
                Findings = findings,
                Guarded = await desk.Guarded(cancel),
                Numbers = desk.Numbers(findings),
                Staff = (await staff.Roster(cancel)).ToDictionary(one => one.Staff.Number),
                Me = http.Actor().Staff.Number,
                All = all,
                Done = done is "judged" or "guarded" or "unguarded" ? done : null,
                Error = error,
                Typed = typed ?? "",
                Zone = clock.LocalTimeZone,
            },
            error is null ? StatusCodes.Status200OK : StatusCodes.Status422UnprocessableEntity);
    }
}
