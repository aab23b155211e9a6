using Mangrove.Kernel;
using Mangrove.Vault.Identity;
using Mangrove.Web.Pages;
using Mangrove.Web.Shell;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Mangrove.Web.Session;

/// <summary>Coming and going: sign-in, first password, lock, unlock, sign-out.</summary>
internal static class SignInPages
{
    /// <summary>Until devices are registered, a device is the address it calls from: nobody can take another's.</summary>
    public const string AddressDevice = "address:";

    public static void Map(IEndpointRouteBuilder app)
    {
        app.MapGet("/", (HttpContext http) => Results.LocalRedirect(HomeOf(http.Actor())));
        app.MapGet("/sign-in", (HttpContext http, string? back, IdentityDesk desk) => Form(desk, back)).AllowAnonymous();
        app.MapPost("/sign-in", Enter).AllowAnonymous();
        app.MapPost("/sign-out", Leave).AllowAnonymous();
        app.MapPost("/lock", Lock).AllowAnonymous();
        app.MapGet("/locked", Locked).AllowAnonymous();
        app.MapPost("/unlock", Unlock).AllowAnonymous();
        app.MapGet("/welcome", (string? code, IdentityDesk desk) => Page.Show<WelcomePage>(new { Code = code, desk.Hospital })).AllowAnonymous();
        app.MapPost("/welcome", SetPassword).AllowAnonymous();
        // A gesture on a page that asks nothing else of the server, so that a reader is not locked out of what they read.
        app.MapPost("/gesture", () => Results.NoContent());
    }

    public static string HomeOf(Actor actor) => actor.Role is { } role ? Stations.For(role)[0].Address : "/sign-in";

    private static IResult Form(IdentityDesk desk, string? back) => Page.Show<SignInPage>(new { desk.Hospital, Back = WebRoom.LocalPath(back) });

    private static async Task<IResult> Enter(HttpContext http, IdentityDesk desk, CancellationToken cancel)
    {
        var form = await http.Request.ReadFormAsync(cancel);
        var signedIn = await desk.SignIn.Password(form["username"], form["password"], $"{AddressDevice}{http.Connection.RemoteIpAddress}", cancel);
        if (signedIn.Error is { } error)
        {
            return Page.Show<SignInPage>(
                new { desk.Hospital, Username = form["username"].ToString(), Error = "Not signed in", ErrorText = error.Message, Back = WebRoom.LocalPath(form["back"]) },
                StatusCodes.Status422UnprocessableEntity);
        }

        StaffSession.Give(http, signedIn.Value.Token);
        return Page.GoTo(http, WebRoom.LocalPath(form["back"]) is { } back && back != "/sign-in" ? back : HomeOf(signedIn.Value.Actor));
    }

    private static async Task<IResult> Leave(HttpContext http, IdentityDesk desk, CancellationToken cancel)
    {
        await desk.Sessions.End(http.Request.Cookies[StaffSession.CookieName], cancel);
        StaffSession.Take(http);
        http.Response.Headers["Clear-Site-Data"] = "\"cache\", \"storage\"";
        return Page.GoTo(http, "/sign-in");
    }

    private static async Task<IResult> Lock(HttpContext http, IdentityDesk desk, CancellationToken cancel)
    {
        await desk.Sessions.Lock(http.Request.Cookies[StaffSession.CookieName], cancel);
        var form = http.Request.HasFormContentType ? await http.Request.ReadFormAsync(cancel) : null;
        var back = WebRoom.LocalPath(form?["back"]);
        return Page.GoTo(http, back is null ? "/locked" : $"/locked?back={Uri.EscapeDataString(back)}");
    }

    private static async Task<IResult> Locked(HttpContext http, string? back, IdentityDesk desk, CancellationToken cancel)
    {
        var state = await desk.Sessions.Resolve(http.Request.Cookies[StaffSession.CookieName], cancel);
        return state switch
        {
            { Standing: SessionStanding.Locked, Holder: { } holder } => ShowLocked(holder, WebRoom.LocalPath(back), null),
            { Actor: { } actor } => Results.LocalRedirect(HomeOf(actor)),
            _ => Results.LocalRedirect("/sign-in"),
        };
    }

    private static async Task<IResult> Unlock(HttpContext http, IdentityDesk desk, CancellationToken cancel)
    {
        var token = http.Request.Cookies[StaffSession.CookieName];
        var form = await http.Request.ReadFormAsync(cancel);
        var opened = await desk.Sessions.Unlock(token, form["password"], cancel);
        if (opened.Error is { } error)
        {
            var state = await desk.Sessions.Resolve(token, cancel);
            return state.Holder is { } holder
                ? ShowLocked(holder, WebRoom.LocalPath(form["back"]), error)
                : Page.GoTo(http, "/sign-in");
        }

        StaffSession.Give(http, opened.Value.Token);
        return Page.GoTo(http, WebRoom.LocalPath(form["back"]) ?? HomeOf(opened.Value.Actor));
    }

    private static IResult ShowLocked(SessionHolder holder, string? back, Error? error) => Page.Show<LockedPage>(
        new
        {
            Since = "Locked",
            Person = holder.DisplayName,
            Initials = ShellModel.InitialsOf(holder.DisplayName),
            Detail = holder.Staff.ToString(),
            Error = error?.Message,
            Back = back,
        },
        error is null ? StatusCodes.Status200OK : StatusCodes.Status422UnprocessableEntity);

    private static async Task<IResult> SetPassword(HttpContext http, IdentityDesk desk, CancellationToken cancel)
    {
        var form = await http.Request.ReadFormAsync(cancel);
        var code = form["code"].ToString();
        if (form["password"] != form["again"])
        {
            return Page.Show<WelcomePage>(new { Code = code, desk.Hospital, Error = "The two passwords differ. Type the same one twice." }, StatusCodes.Status422UnprocessableEntity);
        }

        Result<StaffMember> set = await desk.Staff.SetPassword(code, form["password"], cancel);
        return set.Error is { } error
            ? Page.Show<WelcomePage>(new { Code = code, desk.Hospital, Error = error.Message }, StatusCodes.Status422UnprocessableEntity)
            : Page.Show<SignInPage>(new { desk.Hospital, Username = set.Value.User });
    }
}
