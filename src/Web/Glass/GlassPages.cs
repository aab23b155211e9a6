using System.Globalization;
using Mangrove.Clinic;
using Mangrove.Clinic.Find;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Glass;
using Mangrove.Vault.Identity;
using Mangrove.Web.Desk;
using Mangrove.Web.Session;
using Mangrove.Web.Shell;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Mangrove.Web.Glass;

/// <summary>Opening one closed record in an emergency, closing it, and the justification owed for it.</summary>
internal static class GlassPages
{
    public const string Own = "/glass";

    public static void Map(IEndpointRouteBuilder app)
    {
        app.MapGet("/patients/{patient:guid}/glass", Ask);
        app.MapPost("/patients/{patient:guid}/glass", Break);
        app.MapPost("/patients/{patient:guid}/glass/close", Close);
        app.MapGet("/patients/{patient:guid}/glass/state", State);
        app.MapGet(Own, (HttpContext http, string? done, GlassDesk glass, CancellationToken cancel) => ShowOwn(http, glass, done, null, null, null, cancel));
        app.MapPost(Own + "/{access:guid}", Justify);
    }

    /// <summary>
    /// The answer for a chart that does not open, to somebody who may open one in an emergency: the same whether the patient is not in
    /// care or there is none, so that nothing can be learnt from it.
    /// </summary>
    public static IResult Closed(HttpContext http, PatientId patient)
    {
        var home = Stations.For(http.Actor().Role!.Value)[0];
        return Page.Show<ClosedChartPage>(new { Emergency = $"/patients/{patient}/glass", Back = home.Address, BackLabel = home.Label }, StatusCodes.Status404NotFound);
    }

    private static async Task<IResult> Ask(Guid patient, HttpContext http, ClosedRecord closed, GlassDesk glass, IdentityDesk desk, TimeProvider clock, CancellationToken cancel)
    {
        if (!GlassDesk.Breaks(http.Actor()))
        {
            return Refusal.NotFound();
        }

        var found = await closed.Run(new PatientId(patient), http.Actor(), cancel);
        return found.Error is not null ? Refusal.NotFound()
            : found.Value.Open ? Page.GoTo(http, $"/patients/{found.Value.Patient.Id}")
            : await Show(http, found.Value, glass, desk, clock, new GlassTyped(null, ""), await glass.Stands(http.Actor(), cancel), StatusCodes.Status200OK, cancel);
    }

    private static async Task<IResult> Break(Guid patient, HttpContext http, ClosedRecord closed, GlassDesk glass, IdentityDesk desk, TimeProvider clock, CancellationToken cancel)
    {
        if (!GlassDesk.Breaks(http.Actor()))
        {
            return Refusal.NotFound();
        }

        var form = await http.Request.ReadFormAsync(cancel);
        var found = await closed.Run(new PatientId(patient), http.Actor(), cancel);
        if (found.Error is not null)
        {
            return Refusal.NotFound();
        }

        var typed = new GlassTyped(form["reason"], form["words"].ToString());
        var reason = GlassWords.Reasons.FirstOrDefault(one => one.Value == typed.Reason).Reason;
        var opened = await glass.Break(http.Request.Cookies[StaffSession.CookieName], found.Value.Patient, reason, typed.Words, PasskeyPages.ProofOf(http, form), cancel);
        return opened.Error is { Code: "glass.not-needed" } ? Page.GoTo(http, $"/patients/{found.Value.Patient.Id}")
            : opened.Error is not null ? await AccountPages.After(http, opened, "/", error => Show(http, found.Value, glass, desk, clock, typed, error, StatusCodes.Status422UnprocessableEntity, cancel))
            : await AccountPages.After(http, opened, $"/patients/{found.Value.Patient.Id}", _ => Task.FromResult(Refusal.NotFound()));
    }

    private static async Task<IResult> Close(Guid patient, HttpContext http, GlassDesk glass, CancellationToken cancel)
    {
        if (!GlassDesk.Breaks(http.Actor()) || !await glass.Close(http.Actor(), new PatientRef(new PatientId(patient), ""), cancel))
        {
            return Refusal.NotFound();
        }

        return Page.GoTo(http, Own + "?done=closed");
    }

    /// <summary>How many seconds are left, for the script of the strip; nothing of the patient.</summary>
    private static IResult State(Guid patient, HttpContext http, GlassDesk glass) =>
        GlassDesk.Breaks(http.Actor()) && glass.LiveOn(http.Actor(), new PatientId(patient)) is { } live
            ? Results.Text(((int)live.Left.TotalSeconds).ToString(CultureInfo.InvariantCulture))
            : Refusal.NotFound();

    private static async Task<IResult> Justify(Guid access, HttpContext http, GlassDesk glass, CancellationToken cancel)
    {
        if (!GlassDesk.Breaks(http.Actor()))
        {
            return Refusal.NotFound();
        }

        var words = (await http.Request.ReadFormAsync(cancel))["words"].ToString();
        var written = await glass.Justify(http.Actor(), access, words, cancel);
        return written.Error switch
        {
            null => Page.GoTo(http, Own + "?done=justified"),
            { Code: "not-found" } => Refusal.NotFound(),
            { } error => await ShowOwn(http, glass, null, error, access, words, cancel),
        };
    }

    private static async Task<IResult> ShowOwn(HttpContext http, GlassDesk glass, string? done, Error? error, Guid? of, string? typed, CancellationToken cancel)
    {
        if (!GlassDesk.Breaks(http.Actor()))
        {
            return Refusal.NotFound();
        }

        return Page.Show<OwnGlassPage>(
            new { All = await glass.Own(http.Actor(), cancel), Standing = await glass.Stands(http.Actor(), cancel), Done = done, Error = error, Of = of, Typed = typed },
            error is null ? StatusCodes.Status200OK : StatusCodes.Status422UnprocessableEntity);
    }

    private static async Task<IResult> Show(HttpContext http, ClosedRecord.Found found, GlassDesk glass, IdentityDesk desk, TimeProvider clock, GlassTyped typed, Error? error, int status, CancellationToken cancel)
    {
        var home = Stations.For(http.Actor().Role!.Value)[0];
        var today = clock.LocalToday();
        var born = found.Hit.Person is { } person ? DeskWords.Born(person, today) : null;
        return Page.Show<GlassPage>(
            new
            {
                Found = found,
                Born = born,
                Sex = found.Hit.Person is { } known ? DeskWords.Sex(known.Sex) : null,
                Typed = typed,
                Shut = error is { Code: "glass.suspended" or "glass.factor-missing" or "glass.nobody-to-tell" or "downtime.read-only" },
                Offer = await PasskeyPages.OfferOf(http, desk, cancel),
                Told = await glass.Told(cancel),
                Due = clock.GetUtcNow() + GlassDesk.JustifyWithin,
                Error = error,
                Back = home.Address,
                BackLabel = home.Label,
            },
            status);
    }
}

/// <summary>What was typed to open a record in an emergency. The code of the second factor is never given back.</summary>
public sealed record GlassTyped(string? Reason, string Words)
{
    /// <summary>Nothing: it may speak of the patient.</summary>
    public override string ToString() => nameof(GlassTyped);
}
