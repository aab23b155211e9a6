using Mangrove.Kernel;
using Mangrove.Vault.Identity;
using Mangrove.Web.Session;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Mangrove.Web.Administration;

/// <summary>What a sign-in asks for, role by role.</summary>
internal static class RulesPages
{
    private const string Rules = "/admin/accounts/rules";

    public static void Map(IEndpointRouteBuilder app)
    {
        app.MapGet(Rules, (HttpContext http, string? done, IdentityDesk desk, CancellationToken cancel) => Show(http, desk, done is not null, null, cancel));
        app.MapPost(Rules, Save);
    }

    private static async Task<IResult> Save(HttpContext http, IdentityDesk desk, CancellationToken cancel)
    {
        var form = await http.Request.ReadFormAsync(cancel);
        var wanted = new HashSet<Role>();
        foreach (var slug in form["role"])
        {
            var role = RoleNames.Parse(slug);
            if (role.Error is { } unknown)
            {
                return await Show(http, desk, false, unknown, cancel);
            }

            wanted.Add(role.Value);
        }

        var saved = await desk.SecondFactor.Require(http.Actor(), wanted, form["code"], cancel);
        return saved.Error is { } error ? await Show(http, desk, false, error, cancel) : Page.GoTo(http, $"{Rules}?done=1");
    }

    private static async Task<IResult> Show(HttpContext http, IdentityDesk desk, bool done, Error? error, CancellationToken cancel) => Page.Show<RulesPage>(
        new { Required = await desk.SecondFactor.RequiredRoles(cancel), Staff = await desk.Staff.List(http.Actor(), cancel), desk.Options, Error = error, Done = done },
        error is null ? StatusCodes.Status200OK : StatusCodes.Status422UnprocessableEntity);
}
