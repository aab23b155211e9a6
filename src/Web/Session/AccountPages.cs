using Mangrove.Kernel;
using Mangrove.Vault.Identity;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Mangrove.Web.Session;

/// <summary>The signed-in person's own account: password, PIN and second factor.</summary>
internal static class AccountPages
{
    public const string Factor = "/me/second-factor";
    public const string Codes = "/me/recovery-codes";

    public static void Map(IEndpointRouteBuilder app)
    {
        app.MapGet("/me", (HttpContext http, string? done, IdentityDesk desk, CancellationToken cancel) => Show(http, desk, done, null, null, cancel));
        app.MapPost("/me/password", ChangePassword);
        app.MapPost("/me/pin", ChoosePin);
        app.MapGet(Factor, (HttpContext http, IdentityDesk desk, CancellationToken cancel) => ShowFactor(http, desk, null, cancel));
        app.MapPost(Factor, ChangeFactor);
        app.MapPost(Factor + "/confirm", ConfirmFactor);
        app.MapGet(Codes, (HttpContext http, IdentityDesk desk) => desk.SecondFactor.TakeCodes(http.Actor()) is { } codes
            ? Page.Show<RecoveryCodesPage>(new { Codes = codes, Next = SignInPages.HomeOf(http.Actor(), desk) })
            : Results.LocalRedirect(Factor));
    }

    private static async Task<IResult> ChoosePin(HttpContext http, IdentityDesk desk, CancellationToken cancel)
    {
        var form = await http.Request.ReadFormAsync(cancel);
        if (form["pin"] != form["again"])
        {
            return await Show(http, desk, null, new Error("pin.differs", "The two PINs differ. Type the same one twice."), "pin", cancel);
        }

        return await After(http, await desk.Pin.Choose(http.Request.Cookies[StaffSession.CookieName], form["password"], form["pin"], cancel), "/me?done=pin", error => Show(http, desk, null, error, "pin", cancel));
    }

    private static async Task<IResult> ChangeFactor(HttpContext http, IdentityDesk desk, CancellationToken cancel)
    {
        var form = await http.Request.ReadFormAsync(cancel);
        var token = http.Request.Cookies[StaffSession.CookieName];
        var proof = PasskeyPages.ProofOf(http, form);
        Task<IResult> Again(Error error) => ShowFactor(http, desk, error, cancel);
        switch (form["act"])
        {
            case "codes":
                return await After(http, await desk.SecondFactor.NewCodes(token, form["password"], proof, cancel), Codes, Again);
            case "remove":
                return await After(http, await desk.SecondFactor.Remove(token, form["password"], proof, cancel), Factor, Again);
            default:
                var begun = await desk.SecondFactor.Begin(token, form["password"], proof, cancel);
                return begun.Error is { } error ? await Again(error) : Page.GoTo(http, Factor);
        }
    }

    private static async Task<IResult> ConfirmFactor(HttpContext http, IdentityDesk desk, CancellationToken cancel)
    {
        var form = await http.Request.ReadFormAsync(cancel);
        return await After(http, await desk.SecondFactor.Confirm(http.Request.Cookies[StaffSession.CookieName], form["code"], cancel), Codes, error => ShowFactor(http, desk, error, cancel));
    }

    /// <summary>After an act that put the session under a new token: on to a page, or the form again with what was wrong.</summary>
    public static async Task<IResult> After(HttpContext http, Result<SignedIn> done, string address, Func<Error, Task<IResult>> again)
    {
        if (done.Error is { } error)
        {
            return error.Code == "session.ended" ? Page.GoTo(http, "/sign-in") : await again(error);
        }

        StaffSession.Give(http, done.Value.Token);
        return Page.GoTo(http, address);
    }

    public static async Task<IResult> ShowFactor(HttpContext http, IdentityDesk desk, Error? error, CancellationToken cancel) => Page.Show<SecondFactorPage>(
        new
        {
            State = await desk.SecondFactor.Of(http.Actor(), cancel),
            Passkeys = await desk.Passkeys.Of(http.Actor(), cancel),
            Enrolment = desk.SecondFactor.Begun(http.Actor()),
            Coming = desk.Passkeys.Begun(http.Actor()),
            Site = PasskeyPages.SiteOf(http),
            Error = error,
        },
        error is null ? StatusCodes.Status200OK : StatusCodes.Status422UnprocessableEntity);

    private static async Task<IResult> ChangePassword(HttpContext http, IdentityDesk desk, CancellationToken cancel)
    {
        var form = await http.Request.ReadFormAsync(cancel);
        if (form["password"] != form["again"])
        {
            return await Show(http, desk, null, new Error("password.differs", "The two new passwords differ. Type the same one twice."), "password", cancel);
        }

        return await After(
            http,
            await desk.OwnPassword.Change(http.Request.Cookies[StaffSession.CookieName], form["current"], form["password"], cancel),
            "/me?done=password",
            error => Show(http, desk, null, error, "password", cancel));
    }

    // What was typed is never sent back: a password stands in no page.
    private static async Task<IResult> Show(HttpContext http, IdentityDesk desk, string? done, Error? error, string? of, CancellationToken cancel) => Page.Show<AccountPage>(
        new
        {
            Actor = http.Actor(),
            desk.Options,
            desk.Hospital,
            Pin = await desk.Pin.Chosen(http.Actor(), cancel),
            Factor = await desk.SecondFactor.Of(http.Actor(), cancel),
            History = await desk.SignIn.History(http.Actor(), cancel),
            Done = done,
            Error = error,
            ErrorOf = of,
        },
        error is null ? StatusCodes.Status200OK : StatusCodes.Status422UnprocessableEntity);
}
