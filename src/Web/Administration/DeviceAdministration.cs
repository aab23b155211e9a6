using Mangrove.Kernel;
using Mangrove.Vault.Identity;
using Mangrove.Web.Session;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Mangrove.Web.Administration;

/// <summary>The hospital's devices: named, given a code, revoked; and whether others are let in.</summary>
internal static class DeviceAdministration
{
    private const string All = "/admin/devices";
    private const string One = All + "/{name}";

    public static void Map(IEndpointRouteBuilder app)
    {
        app.MapGet(All, (HttpContext http, IdentityDesk desk, TimeProvider clock, CancellationToken cancel) => Show(http, desk, clock, new View(), cancel));
        app.MapPost(All, Register);
        app.MapPost(All + "/rule", SetRule);
        app.MapPost(All + "/department", SetDepartment);
        app.MapPost(One + "/code", async (HttpContext http, string name, IdentityDesk desk, TimeProvider clock, CancellationToken cancel) =>
        {
            var code = await desk.Devices.Renew(http.Actor(), name, cancel);
            return await Show(http, desk, clock, code.Error is { } error ? new View(Error: error) : new View(Code: code.Value), cancel);
        });
        app.MapPost(One + "/revoke", async (HttpContext http, string name, IdentityDesk desk, TimeProvider clock, CancellationToken cancel) =>
        {
            var revoked = await desk.Devices.Revoke(http.Actor(), name, cancel);
            return revoked.Error is { } error ? await Show(http, desk, clock, new View(Error: error), cancel)
                : revoked.Value.Name == http.Actor().Device ? Page.GoTo(http, "/sign-in")
                : await Show(http, desk, clock, new View(Done: $"{revoked.Value.Name} is revoked. Its sessions were ended, and its key opens nothing any more."), cancel);
        });
    }

    private static async Task<IResult> Register(HttpContext http, IdentityDesk desk, TimeProvider clock, CancellationToken cancel)
    {
        var form = await http.Request.ReadFormAsync(cancel);
        var (name, department) = (form["name"].ToString().Trim(), form["department"].ToString().Trim());
        var code = await desk.Devices.Register(http.Actor(), name, department, cancel);
        return await Show(http, desk, clock, code.Error is { } error ? new View(Error: error, Name: name, Department: department) : new View(Code: code.Value), cancel);
    }

    private static async Task<IResult> SetRule(HttpContext http, IdentityDesk desk, TimeProvider clock, CancellationToken cancel)
    {
        var form = await http.Request.ReadFormAsync(cancel);
        var set = await desk.Devices.Require(http.Actor(), form["required"] == "yes", PasskeyPages.ProofOf(http, form), cancel);
        return await Show(
            http,
            desk,
            clock,
            set.Error is { } error ? new View(Error: error) : new View(Done: set.Value ? "From now on people sign in at registered devices only." : "From now on people sign in from any device."),
            cancel);
    }

    private static async Task<IResult> SetDepartment(HttpContext http, IdentityDesk desk, TimeProvider clock, CancellationToken cancel)
    {
        var form = await http.Request.ReadFormAsync(cancel);
        var department = form["place"].ToString();
        var roles = new HashSet<Role>();
        foreach (var slug in form["role"])
        {
            var role = RoleNames.Parse(slug);
            if (role.Error is { } unknown)
            {
                return await Show(http, desk, clock, new View(Error: unknown), cancel);
            }

            roles.Add(role.Value);
        }

        var set = await desk.Departments.Change(http.Actor(), department, roles, form["opens"].ToString(), PasskeyPages.ProofOf(http, form), cancel);
        return await Show(
            http,
            desk,
            clock,
            set.Error is { } error ? new View(Error: error, Opened: department) : new View(Done: $"{department}: {DevicesPage.Works(set.Value)} from now on."),
            cancel);
    }

    private static async Task<IResult> Show(HttpContext http, IdentityDesk desk, TimeProvider clock, View view, CancellationToken cancel) => Page.Show<DevicesPage>(
        new
        {
            Devices = await desk.Devices.List(http.Actor(), cancel),
            desk.Devices.Required,
            Departments = desk.Departments.Current,
            desk.Departments.Lists,
            Here = DevicePages.Claimed(http, desk)?.Name,
            Now = clock.GetUtcNow(),
            Place = $"{http.Request.Scheme}://{http.Request.Host}{DevicePages.Register}",
            Offer = await PasskeyPages.OfferOf(http, desk, cancel),
            view.Code,
            view.Done,
            view.Error,
            view.Name,
            view.Department,
            view.Opened,
        },
        view.Error is null ? StatusCodes.Status200OK : StatusCodes.Status422UnprocessableEntity);

    /// <summary>What the page says beside the list.</summary>
    private sealed record View(DeviceCode? Code = null, string? Done = null, Error? Error = null, string? Name = null, string? Department = null, string? Opened = null);
}
