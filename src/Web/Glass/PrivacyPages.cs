using Mangrove.Kernel;
using Mangrove.Vault.Access;
using Mangrove.Vault.Glass;
using Mangrove.Vault.Identity;
using Mangrove.Web.Parts;
using Mangrove.Web.Session;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Mangrove.Web.Glass;

/// <summary>Emergency accesses for those who answer for them: administrators and privacy officers. Who else asks finds nothing.</summary>
internal static class PrivacyPages
{
    public const string Home = "/privacy";

    public static void Map(IEndpointRouteBuilder app)
    {
        app.MapGet(Home, (HttpContext http, string? done, GlassDesk glass, IdentityDesk desk, CancellationToken cancel) => Show(http, glass, desk, done, null, cancel));
        app.MapGet(Home + "/notices", Notices);
        app.MapPost(Home + "/seen", Seen);
        app.MapPost(Home + "/lift", Lift);
        app.MapPost(Home + "/officers", Name);
        app.MapGet(Home + "/{access:guid}", (Guid access, HttpContext http, string? done, GlassDesk glass, CancellationToken cancel) => ShowOne(access, http, glass, done, null, "", "", cancel));
        app.MapPost(Home + "/{access:guid}", Review);
    }

    private static async Task<IResult> Notices(HttpContext http, GlassDesk glass, CancellationToken cancel) =>
        glass.IsTold(http.Actor()) ? Page.Show<GlassNotices>(new { Unseen = await glass.Unseen(http.Actor(), cancel) }) : Refusal.NotFound();

    private static async Task<IResult> Seen(HttpContext http, GlassDesk glass, CancellationToken cancel)
    {
        await glass.See(http.Actor(), cancel);
        return Page.GoTo(http, Home + "?done=seen");
    }

    private static async Task<IResult> Lift(HttpContext http, GlassDesk glass, IdentityDesk desk, CancellationToken cancel)
    {
        var form = await http.Request.ReadFormAsync(cancel);
        var lifted = await glass.Lift(http.Actor(), StaffId.TryParse(form["staff"], out var staff) ? staff : default, cancel);
        return lifted.Error is { } error ? await Show(http, glass, desk, null, error, cancel) : Page.GoTo(http, Home + "?done=lifted");
    }

    private static async Task<IResult> Name(HttpContext http, GlassDesk glass, IdentityDesk desk, CancellationToken cancel)
    {
        var form = await http.Request.ReadFormAsync(cancel);
        var wanted = form["officer"].Select(one => StaffId.TryParse(one, out var staff) ? staff : default).ToList();
        var named = await glass.Name(http.Actor(), wanted, PasskeyPages.ProofOf(http, form), cancel);
        return named.Error is { } error ? await Show(http, glass, desk, null, error, cancel) : Page.GoTo(http, Home + "?done=officers");
    }

    private static async Task<IResult> Review(Guid access, HttpContext http, GlassDesk glass, CancellationToken cancel)
    {
        var form = await http.Request.ReadFormAsync(cancel);
        var (outcome, words) = (form["outcome"].ToString(), form["words"].ToString());
        var reviewed = await glass.Review(http.Actor(), access, GlassWords.Outcomes.FirstOrDefault(one => one.Value == outcome).Outcome, words, cancel);
        return reviewed.Error switch
        {
            null => Page.GoTo(http, $"{Home}/{access:N}?done=reviewed"),
            { Code: "not-found" } => Refusal.NotFound(),
            { } error => await ShowOne(access, http, glass, null, error, outcome, words, cancel),
        };
    }

    private static async Task<IResult> Show(HttpContext http, GlassDesk glass, IdentityDesk desk, string? done, Error? error, CancellationToken cancel)
    {
        var actor = http.Actor();
        var administers = actor.May(Rights.Administration);
        return Page.Show<PrivacyPage>(
            new
            {
                All = await glass.List(actor, cancel),
                Rates = await glass.Rates(actor, cancel),
                Told = await glass.Told(cancel),
                Unseen = await glass.Unseen(actor, cancel),
                Staff = administers ? [.. (await desk.Staff.List(actor, cancel)).Where(one => one.State == AccountState.Active)] : Array.Empty<StaffMember>(),
                Offer = administers ? await PasskeyPages.OfferOf(http, desk, cancel) : new FactorOffer(false, false),
                Done = done,
                Error = error,
            },
            error is null ? StatusCodes.Status200OK : StatusCodes.Status422UnprocessableEntity);
    }

    private static async Task<IResult> ShowOne(Guid access, HttpContext http, GlassDesk glass, string? done, Error? error, string outcome, string words, CancellationToken cancel)
    {
        var file = await glass.Open(http.Actor(), access, cancel);
        return file.Error is not null
            ? Refusal.NotFound()
            : Page.Show<PrivacyOnePage>(
                new { File = file.Value, Own = file.Value.Grant.Staff == http.Actor().Staff, Administers = http.Actor().May(Rights.AuditLog), Done = done == "reviewed", Error = error, Outcome = outcome, Words = words },
                error is null ? StatusCodes.Status200OK : StatusCodes.Status422UnprocessableEntity);
    }
}
