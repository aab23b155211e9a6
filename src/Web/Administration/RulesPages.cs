using System.Globalization;
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
        app.MapGet(Rules, (HttpContext http, string? done, IdentityDesk desk, CancellationToken cancel) => Show(http, desk, done, null, null, cancel));
        app.MapPost(Rules, Save);
        app.MapPost(Rules + "/times", SaveTimes);
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
                return await Show(http, desk, null, unknown, null, cancel);
            }

            wanted.Add(role.Value);
        }

        var saved = await desk.SecondFactor.Require(http.Actor(), wanted, PasskeyPages.ProofOf(http, form), cancel);
        return saved.Error is { } error ? await Show(http, desk, null, error, null, cancel) : Page.GoTo(http, $"{Rules}?done=factor");
    }

    private static async Task<IResult> SaveTimes(HttpContext http, IdentityDesk desk, CancellationToken cancel)
    {
        var form = await http.Request.ReadFormAsync(cancel);
        var typed = new SessionTimes(Number(form["idle"]), Number(form["life"]), Number(form["tries"]));
        var saved = await desk.SessionPolicy.Change(http.Actor(), typed, PasskeyPages.ProofOf(http, form), cancel);
        return saved.Error is { } error ? await Show(http, desk, null, error, typed, cancel) : Page.GoTo(http, $"{Rules}?done=times");

        // No number is out of every range.
        static int Number(string? text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : -1;
    }

    private static async Task<IResult> Show(HttpContext http, IdentityDesk desk, string? done, Error? error, SessionTimes? typed, CancellationToken cancel) => Page.Show<RulesPage>(
        new
        {
            Required = await desk.SecondFactor.RequiredRoles(cancel),
            Staff = await desk.Staff.List(http.Actor(), cancel),

            // A value that is out of its range is not among the choices.
            Typed = error?.Code.StartsWith("session.", StringComparison.Ordinal) == true ? desk.SessionPolicy.Times : typed ?? desk.SessionPolicy.Times,
            Times = typed is not null,
            Offer = await PasskeyPages.OfferOf(http, desk, cancel),
            Error = error,
            Done = done,
        },
        error is null ? StatusCodes.Status200OK : StatusCodes.Status422UnprocessableEntity);
}
