using Mangrove.Kernel;
using Mangrove.Vault.Clients;
using Mangrove.Vault.Identity;
using Mangrove.Web.Pages;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Mangrove.Web.Session;

/// <summary>Registering the browser that asks, and which device it is.</summary>
internal static class DevicePages
{
    public const string Register = "/device";

    private const string CookieName = "__Host-mangrove-device";

    // Browsers forget any cookie after 400 days; each sign-in gives it anew.
    private static readonly TimeSpan CookieLife = TimeSpan.FromDays(400);

    public static void Map(IEndpointRouteBuilder app)
    {
        app.MapGet(Register, (HttpContext http, string? then, IdentityDesk desk) => Show(http, desk, WebRoom.LocalPath(then), null)).AllowAnonymous();
        app.MapPost(Register, Enrol).AllowAnonymous();
        app.MapGet(Register + "/challenge", (IdentityDesk desk) => Results.Text(desk.Devices.Challenge())).AllowAnonymous();
    }

    /// <summary>The registered device that a connection's certificate shows or else a browser claims to be, or null.</summary>
    public static KnownDevice? Claimed(HttpContext http, IdentityDesk desk) =>
        Shown(http) is { } shown ? desk.Devices.ShownBy(shown) : desk.Devices.Claimed(http.Request.Cookies[CookieName]);

    /// <summary>Where a request comes from, as sessions and failures are counted by it.</summary>
    public static string NameOf(HttpContext http, IdentityDesk desk) => Claimed(http, desk)?.Name ?? AddressOf(http);

    /// <summary>Whether a session's request comes from the device where the session was begun.</summary>
    public static bool Holds(HttpContext http, Devices devices, Actor actor) =>
        Shown(http) is { } shown ? devices.IsAt(actor.Device, shown) : devices.Holds(actor.Device, http.Request.Cookies[CookieName]);

    /// <summary>The device that shows its certificate or its key, or, where the rule allows it, the address.</summary>
    public static async Task<Result<string>> Prove(HttpContext http, IdentityDesk desk, DeviceProof use, IFormCollection form, CancellationToken cancel)
    {
        if (Shown(http) is { } shown)
        {
            return await desk.Devices.Prove(shown, AddressOf(http), cancel);
        }

        var token = http.Request.Cookies[CookieName];
        var proven = await desk.Devices.Prove(token, use, form["nonce"], form["proof"], AddressOf(http), cancel);
        if (proven.Ok && token is not null && Claimed(http, desk) is not null)
        {
            Give(http, token);
        }

        return proven;
    }

    /// <summary>Sends an unregistered device to the enrolment page, where the rule asks for a registered one; null when it may go on.</summary>
    public static IResult? TurnAway(HttpContext http, IdentityDesk desk) => desk.Devices.Required && Claimed(http, desk) is null
        ? Results.LocalRedirect($"{Register}?then={Uri.EscapeDataString($"{http.Request.Path}{http.Request.QueryString}")}")
        : null;

    /// <summary>What the connection showed, where it came in by the address for clients. A cookie then says nothing.</summary>
    private static ShownClient? Shown(HttpContext http) => http.Features.Get<ShownClient>();

    private static string AddressOf(HttpContext http) => $"{SignInPages.AddressDevice}{http.Connection.RemoteIpAddress}";

    private static async Task<IResult> Enrol(HttpContext http, IdentityDesk desk, CancellationToken cancel)
    {
        var form = await http.Request.ReadFormAsync(cancel);
        var then = WebRoom.LocalPath(form["then"]);
        var enrolled = await desk.Devices.Enrol(form["code"], form["key"], form["nonce"], form["proof"], AddressOf(http), cancel);
        if (enrolled.Error is { } error)
        {
            return Show(http, desk, then, error);
        }

        Give(http, enrolled.Value.Token);
        return Page.GoTo(http, then ?? "/sign-in");
    }

    private static void Give(HttpContext http, string token) => http.Response.Cookies.Append(
        CookieName,
        token,
        new CookieOptions { Secure = true, HttpOnly = true, SameSite = SameSiteMode.Strict, Path = "/", IsEssential = true, MaxAge = CookieLife });

    private static IResult Show(HttpContext http, IdentityDesk desk, string? then, Error? error)
    {
        return Page.Show<DevicePage>(
            new { desk.Hospital, Device = Claimed(http, desk), Error = error?.Message, Then = then },
            error is null ? StatusCodes.Status200OK : StatusCodes.Status422UnprocessableEntity);
    }
}
