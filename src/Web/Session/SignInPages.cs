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
    /// <summary>An unregistered device is the address it calls from: nobody can take another's.</summary>
    public const string AddressDevice = "address:";

    public static void Map(IEndpointRouteBuilder app)
    {
        app.MapGet("/", (HttpContext http, IdentityDesk desk) => Results.LocalRedirect(HomeOf(http.Actor(), desk)));
        app.MapGet("/sign-in", (HttpContext http, string? back, string? ended, IdentityDesk desk) => Form(http, desk, WebRoom.LocalPath(back), null, null, ended)).AllowAnonymous();
        app.MapPost("/sign-in", Enter).AllowAnonymous();
        app.MapGet("/sign-in/code", (HttpContext http, string? back, IdentityDesk desk) => SecondStep(http, desk, WebRoom.LocalPath(back), null)).AllowAnonymous();
        app.MapPost("/sign-in/code", EnterCode).AllowAnonymous();
        app.MapGet("/sign-in/phone", (HttpContext http, string? back, IdentityDesk desk) => Phone(http, desk, WebRoom.LocalPath(back), null)).AllowAnonymous();
        app.MapPost("/sign-in/phone", EnterPhone).AllowAnonymous();
        app.MapPost("/sign-out", Leave).AllowAnonymous();
        app.MapPost("/lock", Lock).AllowAnonymous();
        app.MapGet("/locked", Locked).AllowAnonymous();
        app.MapPost("/unlock", Unlock).AllowAnonymous();
        app.MapGet("/welcome", (HttpContext http, IdentityDesk desk) => DevicePages.TurnAway(http, desk) ?? Page.Show<WelcomePage>(new { desk.Hospital })).AllowAnonymous();
        app.MapPost("/welcome", SetPassword).AllowAnonymous();
        // A gesture on a page that asks nothing else of the server, so that a reader is not locked out of what they read.
        app.MapPost("/gesture", () => Results.NoContent());
    }

    /// <summary>In the address of the first page, where the sign-in ended a session at another device.</summary>
    public const string OnceElsewhere = "elsewhere";

    /// <summary>Where somebody begins: at the worklist of the device's department, where they have it, else at their own.</summary>
    public static string HomeOf(Actor actor, IdentityDesk desk) => actor.Role is not { } role ? "/sign-in"
        : desk.Departments.ListOf(actor) is { } list && Stations.For(role).Any(station => station.Address == list) ? list
        : Stations.For(role)[0].Address;

    private static IResult Form(HttpContext http, IdentityDesk desk, string? back, string? username, Error? error, string? ended = null)
    {
        if (error is null && DevicePages.TurnAway(http, desk) is { } away)
        {
            return away;
        }

        return Page.Show<SignInPage>(
            new
            {
                desk.Hospital,
                Device = DevicePages.Claimed(http, desk),
                Username = username,
                Error = error is null ? null : "Not signed in",
                ErrorText = error?.Message,
                Notice = Enum.TryParse<SessionEnd>(ended, out var why) ? Why(why) : null,
                Back = back,
            },
            StatusOf(error));
    }

    /// <summary>Why a session ended, told at the device where it was; null where there is nothing to tell.</summary>
    private static string? Why(SessionEnd end) => end switch
    {
        SessionEnd.Elsewhere => "You signed in at another device, so this one was signed out: one person, one screen. If that was not you, tell an administrator now.",
        SessionEnd.Expired => "Your session reached its end. What you had begun to write is kept.",
        SessionEnd.ClockSetBack => "The server's clock was set back, so every session was ended.",
        SessionEnd.TooManyWrong => "Too many wrong tries at the lock ended this session. What you had begun to write is kept.",
        SessionEnd.RoleChanged or SessionEnd.Suspended or SessionEnd.Revoked or SessionEnd.PasswordReset or SessionEnd.Administrator or SessionEnd.FactorReset =>
            "An administrator ended this session. What you had begun to write is kept.",
        SessionEnd.Restored => "The hospital was restored from a backup, and everybody was signed out. Look through what was written last before you go on.",
        SessionEnd.Copy => "This is a read-only copy of the hospital, for the time of the downtime. Sign in to look.",
        SessionEnd.DeviceRevoked => "An administrator took this device out of use.",
        SessionEnd.PasswordChanged => "You changed your password at another screen, which ended this session.",
        _ => null,
    };

    private static async Task<IResult> Enter(HttpContext http, IdentityDesk desk, CancellationToken cancel)
    {
        var form = await http.Request.ReadFormAsync(cancel);
        var back = WebRoom.LocalPath(form["back"]);
        var at = await DevicePages.Prove(http, desk, DeviceProof.SignIn, form, cancel);
        var passed = at.Error is { } unproven ? unproven : await desk.SignIn.Password(form["username"], form["password"], at.Value, cancel);
        if (passed.Error is { } error)
        {
            return Form(http, desk, back, form["username"].ToString(), error);
        }

        if (passed.Value is { Ticket: { } ticket } next)
        {
            StaffSession.GiveTicket(http, ticket);
            return Page.GoTo(http, $"/sign-in/{(next.MustEnrol ? "phone" : "code")}{(back is null ? null : $"?back={Uri.EscapeDataString(back)}")}");
        }

        return Inside(http, desk, passed.Value.Session!, back);
    }

    private static async Task<IResult> EnterCode(HttpContext http, IdentityDesk desk, CancellationToken cancel)
    {
        var form = await http.Request.ReadFormAsync(cancel);
        var back = WebRoom.LocalPath(form["back"]);
        var signedIn = await desk.SignIn.Code(http.Request.Cookies[StaffSession.TicketName], form["code"], DevicePages.NameOf(http, desk), cancel);
        if (signedIn.Error is { } error)
        {
            return SecondStep(http, desk, back, error);
        }

        StaffSession.TakeTicket(http);
        return Inside(http, desk, signedIn.Value, back);
    }

    private static async Task<IResult> EnterPhone(HttpContext http, IdentityDesk desk, CancellationToken cancel)
    {
        var form = await http.Request.ReadFormAsync(cancel);
        var back = WebRoom.LocalPath(form["back"]);
        var enrolled = await desk.SignIn.FirstCode(http.Request.Cookies[StaffSession.TicketName], form["code"], DevicePages.NameOf(http, desk), cancel);
        if (enrolled.Error is { } error)
        {
            return Phone(http, desk, back, error);
        }

        StaffSession.TakeTicket(http);
        StaffSession.Give(http, enrolled.Value.Token);
        return Page.GoTo(http, "/me/recovery-codes");
    }

    public static IResult Inside(HttpContext http, IdentityDesk desk, SignedIn signedIn, string? back)
    {
        StaffSession.Give(http, signedIn.Token);
        var to = back is not null && !back.StartsWith("/sign-in", StringComparison.Ordinal) ? back : HomeOf(signedIn.Actor, desk);
        return Page.GoTo(http, signedIn.EndedAt is null ? to : $"{to}{(to.Contains('?', StringComparison.Ordinal) ? '&' : '?')}{OnceElsewhere}=1");
    }

    public static IResult SecondStep(HttpContext http, IdentityDesk desk, string? back, Error? error) =>
        desk.SignIn.Holder(http.Request.Cookies[StaffSession.TicketName], DevicePages.NameOf(http, desk)) is { MustEnrol: false } holder
            ? Page.Show<SecondStepPage>(new { desk.Hospital, Device = DevicePages.Claimed(http, desk), Holder = holder, Error = error?.Message, Back = back, Site = PasskeyPages.SiteOf(http) }, StatusOf(error))
            : BeginAgain(http, desk, back, error);

    public static IResult Phone(HttpContext http, IdentityDesk desk, string? back, Error? error, string? passkeyName = null)
    {
        var ticket = http.Request.Cookies[StaffSession.TicketName];
        return desk.SignIn.Holder(ticket, DevicePages.NameOf(http, desk)) is { MustEnrol: true } holder && desk.SignIn.Enrol(ticket, DevicePages.NameOf(http, desk)) is { Error: null } enrolment
            ? Page.Show<PhonePage>(new { desk.Hospital, Device = DevicePages.Claimed(http, desk), Holder = holder, Enrolment = enrolment.Value, Error = error?.Message, Back = back, Site = PasskeyPages.SiteOf(http), PasskeyName = passkeyName }, StatusOf(error))
            : BeginAgain(http, desk, back, error);
    }

    // Without a ticket there is nothing to go on with: the password is asked again, and the page says why.
    private static IResult BeginAgain(HttpContext http, IdentityDesk desk, string? back, Error? error)
    {
        StaffSession.TakeTicket(http);
        return error is null
            ? Results.LocalRedirect("/sign-in")
            : Form(http, desk, back, null, error);
    }

    private static int StatusOf(Error? error) => error is null ? StatusCodes.Status200OK : StatusCodes.Status422UnprocessableEntity;

    private static async Task<IResult> Leave(HttpContext http, IdentityDesk desk, CancellationToken cancel)
    {
        await desk.Sessions.End(http.Request.Cookies[StaffSession.CookieName], cancel);
        StaffSession.Take(http);
        // Not the storage: the key of the device lies in it, and would have to be registered anew after each person. Nothing else of ours does.
        http.Response.Headers["Clear-Site-Data"] = "\"cache\"";
        return Page.GoTo(http, "/sign-in");
    }

    private static async Task<IResult> Lock(HttpContext http, IdentityDesk desk, CancellationToken cancel)
    {
        await desk.Sessions.Lock(http.Request.Cookies[StaffSession.CookieName], cancel);
        var form = http.Request.HasFormContentType ? await http.Request.ReadFormAsync(cancel) : null;
        var back = WebRoom.LocalPath(form?["back"]);
        return Page.GoTo(http, back is null ? "/locked" : $"/locked?back={Uri.EscapeDataString(back)}");
    }

    private static async Task<IResult> Locked(HttpContext http, string? back, string? with, IdentityDesk desk, CancellationToken cancel)
    {
        var token = http.Request.Cookies[StaffSession.CookieName];
        return await desk.Sessions.Locked(token, cancel) is { } session
            ? ShowLocked(session, WebRoom.LocalPath(back), with == "password", null)
            : (await desk.Sessions.Resolve(token, cancel)).Actor is { } actor ? Results.LocalRedirect(HomeOf(actor, desk)) : Results.LocalRedirect("/sign-in");
    }

    private static async Task<IResult> Unlock(HttpContext http, IdentityDesk desk, CancellationToken cancel)
    {
        var token = http.Request.Cookies[StaffSession.CookieName];
        var form = await http.Request.ReadFormAsync(cancel);
        var by = form.ContainsKey("pin") ? UnlockBy.Pin : UnlockBy.Password;
        var at = await DevicePages.Prove(http, desk, DeviceProof.Resume, form, cancel);
        var opened = at.Error is { } unproven ? unproven : await desk.Sessions.Unlock(token, by, by == UnlockBy.Pin ? form["pin"] : form["password"], at.Value, cancel);
        if (opened.Error is { } error)
        {
            return await desk.Sessions.Locked(token, cancel) is { } session
                ? ShowLocked(session, WebRoom.LocalPath(form["back"]), by == UnlockBy.Password, error)
                : Page.GoTo(http, "/sign-in");
        }

        StaffSession.Give(http, opened.Value.Token);
        return Page.GoTo(http, WebRoom.LocalPath(form["back"]) ?? HomeOf(opened.Value.Actor, desk));
    }

    private static IResult ShowLocked(LockedSession session, string? back, bool withPassword, Error? error) => Page.Show<LockedPage>(
        new
        {
            Session = session,
            Initials = ShellModel.InitialsOf(session.Holder.DisplayName),
            Device = NameOf(session.Device),
            WithPassword = withPassword,
            Error = error?.Message,
            Back = back,
        },
        StatusOf(error));

    /// <summary>The registered name of a device, or null for an address.</summary>
    public static string? NameOf(string device) => device.StartsWith(AddressDevice, StringComparison.Ordinal) ? null : device;

    private static async Task<IResult> SetPassword(HttpContext http, IdentityDesk desk, CancellationToken cancel)
    {
        if (DevicePages.TurnAway(http, desk) is { } away)
        {
            return away;
        }

        var form = await http.Request.ReadFormAsync(cancel);
        var code = form["code"].ToString();
        if (form["password"] != form["again"])
        {
            return Page.Show<WelcomePage>(new { Code = code, desk.Hospital, Error = "The two passwords differ. Type the same one twice." }, StatusCodes.Status422UnprocessableEntity);
        }

        Result<StaffMember> set = await desk.Staff.SetPassword(code, form["password"], cancel);
        return set.Error is { } error
            ? Page.Show<WelcomePage>(new { Code = code, desk.Hospital, Error = error.Message }, StatusCodes.Status422UnprocessableEntity)
            : Form(http, desk, null, set.Value.User, null);
    }
}
