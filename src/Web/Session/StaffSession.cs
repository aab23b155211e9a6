using Mangrove.Vault.Identity;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;

namespace Mangrove.Web.Session;

/// <summary>
/// Finds who is signed in, from the session store, on every request: nothing about the person or the role is kept in
/// the cookie. What is not marked anonymous is shut to everybody else. Locked sessions get the lock page, and their
/// fragments and streams nothing.
/// </summary>
public sealed class StaffSession(RequestDelegate next, Sessions sessions, Devices devices, SessionConnections connections)
{
    public const string CookieName = "__Host-mangrove";

    /// <summary>Between password and second factor; opens nothing by itself.</summary>
    public const string TicketName = "__Host-mangrove-step";

    /// <summary>Sent by refreshes that no person asked for, so that an unattended screen locks in spite of them.</summary>
    public const string BackgroundHeader = "X-Background";

    public async Task Invoke(HttpContext http)
    {
        var endpoint = http.GetEndpoint();
        // Only Identity makes actors: whoever put one there has asked it, as the interface of programs does.
        if (endpoint is null || endpoint.Metadata.GetMetadata<IAllowAnonymous>() is not null || http.Features.Get<SignedInActor>() is not null)
        {
            await next(http);
            return;
        }

        var token = http.Request.Cookies[CookieName];
        var background = http.Request.Headers.ContainsKey(BackgroundHeader) || http.Request.Headers.Accept.ToString().Contains("text/event-stream", StringComparison.Ordinal);
        var state = background ? await sessions.Resolve(token, http.RequestAborted) : await sessions.Touch(token, http.RequestAborted);
        if (state.Actor is { } actor && DevicePages.Holds(http, devices, actor))
        {
            connections.Carries(http, actor.SessionId);
            http.Features.Set(new SignedInActor(actor));
            await next(http);
            return;
        }

        var door = state.Standing == SessionStanding.Locked ? "/locked" : "/sign-in";
        var why = state.Ended is { } ended and not SessionEnd.Unknown ? $"&ended={ended}" : null;
        if (HttpMethods.IsGet(http.Request.Method) && !http.Request.Headers.ContainsKey("HX-Request") && !background && AcceptsPages(http.Request))
        {
            http.Response.Redirect($"{door}?back={Uri.EscapeDataString($"{http.Request.Path}{http.Request.QueryString}")}{why}");
            return;
        }

        http.Response.StatusCode = StatusCodes.Status401Unauthorized;
        http.Response.Headers["HX-Redirect"] = door;
    }

    public static void Give(HttpContext http, string token) => http.Response.Cookies.Append(CookieName, token, Options());

    public static void GiveTicket(HttpContext http, string ticket) => http.Response.Cookies.Append(TicketName, ticket, Options());

    public static void TakeTicket(HttpContext http) => http.Response.Cookies.Delete(TicketName, Options());

    public static void Take(HttpContext http) => http.Response.Cookies.Delete(CookieName, Options());

    private static CookieOptions Options() => new() { Secure = true, HttpOnly = true, SameSite = SameSiteMode.Strict, Path = "/", IsEssential = true };

    private static bool AcceptsPages(HttpRequest request) => request.Headers.Accept.ToString().Contains("text/html", StringComparison.Ordinal);
}

/// <summary>Where pages get their actor.</summary>
public static class ActorOfRequest
{
    /// <inheritdoc cref="SignedInActor.Of"/>
    public static Actor Actor(this HttpContext http) => SignedInActor.Of(http);
}
