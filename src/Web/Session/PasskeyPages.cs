using Mangrove.Kernel;
using Mangrove.Vault.Identity;
using Mangrove.Web.Parts;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Mangrove.Web.Session;

/// <summary>Passkeys: the second step by one, and those of the signed-in person.</summary>
internal static class PasskeyPages
{
    private const string Step = "/sign-in/passkey";
    private const string First = "/sign-in/first-passkey";
    private const string Own = "/me/passkeys";
    private const int SecurePort = 443;

    private const string Shown = Own + "/shown";

    /// <summary>Where a page asks for a passkey once more, for one of the <see cref="FactorActs"/>.</summary>
    public static string ShownFor(string act) => $"{Shown}?act={act}";

    /// <summary>By what the signed-in person can show a second factor on this page.</summary>
    public static async Task<FactorOffer> OfferOf(HttpContext http, IdentityDesk desk, CancellationToken cancel)
    {
        var site = SiteOf(http);
        var own = site is null ? [] : await desk.Passkeys.Of(http.Actor(), cancel);
        return new FactorOffer((await desk.SecondFactor.Of(http.Actor(), cancel)).Since is not null, own.Any(one => one.Site == site?.Name));
    }

    public static void Map(IEndpointRouteBuilder app)
    {
        app.MapGet(Step, async (HttpContext http, IdentityDesk desk, CancellationToken cancel) =>
            Options(await desk.SignIn.AskPasskey(http.Request.Cookies[StaffSession.TicketName], DevicePages.NameOf(http, desk), SiteOf(http), cancel))).AllowAnonymous();
        app.MapPost(Step, Enter).AllowAnonymous();
        app.MapGet(First, async (HttpContext http, IdentityDesk desk, CancellationToken cancel) =>
            Options(await desk.SignIn.MakePasskey(http.Request.Cookies[StaffSession.TicketName], DevicePages.NameOf(http, desk), SiteOf(http), cancel))).AllowAnonymous();
        app.MapPost(First, EnterFirst).AllowAnonymous();
        app.MapPost(Own, Change);
        app.MapGet(Own + "/new", async (HttpContext http, IdentityDesk desk, CancellationToken cancel) =>
            Options(await desk.Passkeys.Make(http.Request.Cookies[StaffSession.CookieName], cancel)));
        app.MapPost(Own + "/new", Keep);
        app.MapGet(Shown, async (HttpContext http, string? act, IdentityDesk desk, CancellationToken cancel) =>
            Options(await desk.Passkeys.Ask(http.Request.Cookies[StaffSession.CookieName], act, SiteOf(http), cancel)));
    }

    /// <summary>
    /// The name under which this page is open, or null. The host has passed the filter of names that the server answers to;
    /// the port is that of the listener, because a request can name any.
    /// </summary>
    public static PasskeySite? SiteOf(HttpContext http) =>
        (http.Request.Host.Port ?? SecurePort) == http.Connection.LocalPort ? PasskeySite.At(http.Request.Host.Host, http.Connection.LocalPort) : null;

    /// <summary>The second factor as a form carries it.</summary>
    public static FactorProof ProofOf(HttpContext http, IFormCollection form) => new(form["code"], form["credential"], SiteOf(http));

    private static async Task<IResult> Enter(HttpContext http, IdentityDesk desk, CancellationToken cancel)
    {
        var form = await http.Request.ReadFormAsync(cancel);
        var back = WebRoom.LocalPath(form["back"]);
        var signedIn = await desk.SignIn.Passkey(http.Request.Cookies[StaffSession.TicketName], form["credential"], DevicePages.NameOf(http, desk), SiteOf(http), cancel);
        if (signedIn.Error is { } error)
        {
            return SignInPages.SecondStep(http, desk, back, error);
        }

        StaffSession.TakeTicket(http);
        return SignInPages.Inside(http, desk, signedIn.Value, back);
    }

    private static async Task<IResult> EnterFirst(HttpContext http, IdentityDesk desk, CancellationToken cancel)
    {
        var form = await http.Request.ReadFormAsync(cancel);
        var made = await desk.SignIn.FirstPasskey(http.Request.Cookies[StaffSession.TicketName], form["name"], form["credential"], DevicePages.NameOf(http, desk), SiteOf(http), cancel);
        if (made.Error is { } error)
        {
            return SignInPages.Phone(http, desk, WebRoom.LocalPath(form["back"]), error, form["name"]);
        }

        StaffSession.TakeTicket(http);
        StaffSession.Give(http, made.Value.Token);
        return Page.GoTo(http, AccountPages.Codes);
    }

    private static async Task<IResult> Change(HttpContext http, IdentityDesk desk, CancellationToken cancel)
    {
        var form = await http.Request.ReadFormAsync(cancel);
        var token = http.Request.Cookies[StaffSession.CookieName];
        var proof = ProofOf(http, form);
        if (Guid.TryParseExact(form["passkey"], "N", out var passkey))
        {
            return await AccountPages.After(
                http,
                await desk.Passkeys.Remove(token, form["password"], proof, passkey, cancel),
                AccountPages.Factor,
                error => AccountPages.ShowFactor(http, desk, error, cancel));
        }

        var begun = await desk.Passkeys.Begin(token, form["password"], proof, form["name"], cancel);
        return begun.Error is { } refused ? await AccountPages.ShowFactor(http, desk, refused, cancel) : Page.GoTo(http, AccountPages.Factor);
    }

    private static async Task<IResult> Keep(HttpContext http, IdentityDesk desk, CancellationToken cancel)
    {
        var form = await http.Request.ReadFormAsync(cancel);
        return await AccountPages.After(
            http,
            await desk.Passkeys.Confirm(http.Request.Cookies[StaffSession.CookieName], form["credential"], SiteOf(http), cancel),
            AccountPages.Codes,
            error => AccountPages.ShowFactor(http, desk, error, cancel));
    }

    /// <summary>What the browser is asked, or the code of what stands against it: the form that follows is told the reason.</summary>
    private static IResult Options(Result<string> asked) => asked.Error is { } error
        ? Results.Text(error.Code, statusCode: StatusCodes.Status409Conflict)
        : Results.Text(asked.Value, "application/json");
}
