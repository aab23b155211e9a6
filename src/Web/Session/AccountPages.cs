using Mangrove.Kernel;
using Mangrove.Vault.Identity;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Mangrove.Web.Session;

/// <summary>The signed-in person's own account, and the password that they choose for it.</summary>
internal static class AccountPages
{
    public static void Map(IEndpointRouteBuilder app)
    {
        app.MapGet("/me", (HttpContext http, string? done, IdentityDesk desk) => Show(http, desk, done == "password", null));
        app.MapPost("/me/password", ChangePassword);
    }

    private static async Task<IResult> ChangePassword(HttpContext http, IdentityDesk desk, CancellationToken cancel)
    {
        var form = await http.Request.ReadFormAsync(cancel);
        if (form["password"] != form["again"])
        {
            return Show(http, desk, false, new Error("password.differs", "The two new passwords differ. Type the same one twice."));
        }

        var changed = await desk.OwnPassword.Change(http.Request.Cookies[StaffSession.CookieName], form["current"], form["password"], cancel);
        if (changed.Error is { } error)
        {
            return error.Code == "session.ended" ? Page.GoTo(http, "/sign-in") : Show(http, desk, false, error);
        }

        StaffSession.Give(http, changed.Value.Token);
        return Page.GoTo(http, "/me?done=password");
    }

    // What was typed is never sent back: a password stands in no page.
    private static IResult Show(HttpContext http, IdentityDesk desk, bool changed, Error? error) => Page.Show<AccountPage>(
        new { Actor = http.Actor(), desk.Options, desk.Hospital, Changed = changed, Error = error },
        error is null ? StatusCodes.Status200OK : StatusCodes.Status422UnprocessableEntity);
}
