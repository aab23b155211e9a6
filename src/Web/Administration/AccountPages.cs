using Mangrove.Kernel;
using Mangrove.Vault.Identity;
using Mangrove.Web.Session;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Mangrove.Web.Administration;

/// <summary>The accounts of the staff: made, changed and closed here; the person alone chooses the password.</summary>
internal static class AccountPages
{
    private const string One = "/admin/accounts/{staff}";

    public static void Map(IEndpointRouteBuilder app)
    {
        app.MapGet("/admin/accounts", async (HttpContext http, StaffDirectory staff, TimeProvider clock, CancellationToken cancel) =>
            await People(http, staff, clock, new StaffForm(), null, null, cancel));
        app.MapPost("/admin/accounts", Create);
        app.MapGet(One, async (HttpContext http, string staff, StaffDirectory directory, TimeProvider clock, CancellationToken cancel) =>
            await Person(http, staff, directory, clock, null, null, null, cancel));
        app.MapPost(One + "/role", async (HttpContext http, string staff, StaffDirectory directory, TimeProvider clock, CancellationToken cancel) =>
        {
            var role = (await http.Request.ReadFormAsync(cancel))["role"].ToString();
            return await Change(http, staff, directory, clock, id => directory.ChangeRole(http.Actor(), id, role, cancel), member => $"Role is now {member.Role.Title()}. A live session was ended.", cancel);
        });
        app.MapPost(One + "/department", ChangeDepartment);
        app.MapPost(One + "/suspend", (HttpContext http, string staff, StaffDirectory directory, TimeProvider clock, CancellationToken cancel) =>
            Change(http, staff, directory, clock, id => directory.Suspend(http.Actor(), id, cancel), _ => "Suspended. A live session was ended, and nobody signs in with this account until it is restored.", cancel));
        app.MapPost(One + "/restore", (HttpContext http, string staff, StaffDirectory directory, TimeProvider clock, CancellationToken cancel) =>
            Change(http, staff, directory, clock, id => directory.Restore(http.Actor(), id, cancel), member => member.State == AccountState.Active ? "Restored. The password of before works again." : "Restored. A password was never chosen: give a new link.", cancel));
        app.MapPost(One + "/revoke", Revoke);
        app.MapPost(One + "/reset", Reset);
        app.MapPost(One + "/second-factor", (HttpContext http, string staff, StaffDirectory directory, TimeProvider clock, CancellationToken cancel) =>
            Change(http, staff, directory, clock, id => directory.ResetSecondFactor(http.Actor(), id, cancel), _ => "Second factor taken away. Where the role asks for one, the next sign-in sets up another phone.", cancel));
        app.MapPost(One + "/sessions", EndSessions);
    }

    private static async Task<IResult> Create(HttpContext http, StaffDirectory staff, TimeProvider clock, CancellationToken cancel)
    {
        var form = await http.Request.ReadFormAsync(cancel);
        var typed = new StaffForm(form["user"].ToString().Trim(), form["name"].ToString().Trim(), form["role"].ToString(), form["department"].ToString().Trim());
        var made = await staff.Create(http.Actor(), new NewStaff(typed.User, typed.Name, typed.Role, typed.Department.Length == 0 ? null : typed.Department), cancel);
        return made.Error is { } error
            ? await People(http, staff, clock, typed, error, null, cancel)
            : await People(http, staff, clock, new StaffForm(), null, LinkView.Of(http, made.Value), cancel);
    }

    private static async Task<IResult> ChangeDepartment(HttpContext http, string staff, StaffDirectory directory, TimeProvider clock, CancellationToken cancel)
    {
        if (!StaffId.TryParse(staff, out var id))
        {
            return Refusal.NotFound();
        }

        // No session ends with it, not even the administrator's own.
        var department = (await http.Request.ReadFormAsync(cancel))["department"].ToString();
        var done = await directory.ChangeDepartment(http.Actor(), id, department, cancel);
        return await Person(http, staff, directory, clock, done.Error, done.Error is null ? $"Department is now {done.Value.Department ?? "none"}." : null, null, cancel);
    }

    private static async Task<IResult> Revoke(HttpContext http, string staff, StaffDirectory directory, TimeProvider clock, CancellationToken cancel)
    {
        // Closing cannot be taken back: the number is typed again, so that a slip of the hand closes nothing.
        var typed = (await http.Request.ReadFormAsync(cancel))["confirm"].ToString().Trim();
        return StaffId.TryParse(staff, out var id) && typed.Equals(id.ToString(), StringComparison.OrdinalIgnoreCase)
            ? await Change(http, staff, directory, clock, one => directory.Revoke(http.Actor(), one, cancel), _ => "Closed for good. The number and the user name are never given again.", cancel)
            : await Person(http, staff, directory, clock, new Error("staff.confirm", "Nothing was closed. Type the staff number of this page to close the account."), null, null, cancel);
    }

    private static async Task<IResult> Reset(HttpContext http, string staff, StaffDirectory directory, TimeProvider clock, CancellationToken cancel)
    {
        if (!StaffId.TryParse(staff, out var id))
        {
            return Refusal.NotFound();
        }

        var link = await directory.ResetPassword(http.Actor(), id, cancel);
        return link.Error is { } error
            ? await Person(http, staff, directory, clock, error, null, null, cancel)
            : await Person(http, staff, directory, clock, null, null, LinkView.Of(http, link.Value), cancel);
    }

    private static async Task<IResult> EndSessions(HttpContext http, string staff, Sessions sessions, StaffDirectory directory, TimeProvider clock, CancellationToken cancel)
    {
        if (!StaffId.TryParse(staff, out var id))
        {
            return Refusal.NotFound();
        }

        var ended = await sessions.EndAll(http.Actor(), id, cancel);
        return id == http.Actor().Staff && ended > 0
            ? Page.GoTo(http, "/sign-in")
            : await Person(http, staff, directory, clock, null, ended == 0 ? "Nobody was signed in with this account." : "Signed out everywhere.", null, cancel);
    }

    private static async Task<IResult> Change(
        HttpContext http,
        string staff,
        StaffDirectory directory,
        TimeProvider clock,
        Func<StaffId, Task<Result<StaffMember>>> act,
        Func<StaffMember, string> said,
        CancellationToken cancel)
    {
        if (!StaffId.TryParse(staff, out var id))
        {
            return Refusal.NotFound();
        }

        var done = await act(id);
        if (done.Error is { } error)
        {
            return await Person(http, staff, directory, clock, error, null, null, cancel);
        }

        // The administrator's own session ended with the change.
        return id == http.Actor().Staff ? Page.GoTo(http, "/sign-in") : await Person(http, staff, directory, clock, null, said(done.Value), null, cancel);
    }

    private static async Task<IResult> People(HttpContext http, StaffDirectory staff, TimeProvider clock, StaffForm typed, Error? error, LinkView? link, CancellationToken cancel) => Page.Show<PeoplePage>(
        new { Staff = await staff.List(http.Actor(), cancel), Typed = typed, Error = error, Link = link, Now = clock.GetLocalNow() },
        error is null ? StatusCodes.Status200OK : StatusCodes.Status422UnprocessableEntity);

    private static async Task<IResult> Person(HttpContext http, string staff, StaffDirectory directory, TimeProvider clock, Error? error, string? done, LinkView? link, CancellationToken cancel)
    {
        var all = await directory.List(http.Actor(), cancel);
        return StaffId.TryParse(staff, out var id) && all.FirstOrDefault(one => one.Staff == id) is { } member
            ? Page.Show<PersonPage>(
                new { Member = member, Error = error, Done = done, Link = link, Now = clock.GetLocalNow() },
                error is null ? StatusCodes.Status200OK : StatusCodes.Status422UnprocessableEntity)
            : Refusal.NotFound();
    }
}

/// <summary>A new member of staff as typed.</summary>
public sealed record StaffForm(string User = "", string Name = "", string Role = "", string Department = "");

/// <summary>A one-time link as the administrator sees it, once.</summary>
public sealed record LinkView(StaffId Staff, string User, string Address, DateTimeOffset Expires)
{
    public static LinkView Of(HttpContext http, StaffLink link) =>
        new(link.Staff, link.User, $"{http.Request.Scheme}://{http.Request.Host}/welcome#code={Uri.EscapeDataString(link.Token)}", link.Expires.ToLocalTime());

    /// <summary>Without the address, which opens an account.</summary>
    public override string ToString() => $"{nameof(LinkView)} {Staff}";
}
