using Mangrove.Clinic.Find;
using Mangrove.Kernel;
using Mangrove.Vault.Identity;
using Mangrove.Web.Session;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Mangrove.Web.Administration;

/// <summary>Why somebody may read something, or may not.</summary>
internal static class AccessPages
{
    private const string Access = "/admin/access";

    public static void Map(IEndpointRouteBuilder app)
    {
        app.MapGet(Access, (HttpContext http, IdentityDesk desk, CancellationToken cancel) => Show(http, desk, new ExplainAccess.Form("", "", "", ""), null, null, cancel));
        app.MapPost(Access, async (HttpContext http, IdentityDesk desk, ExplainAccess explain, CancellationToken cancel) =>
        {
            var sent = await http.Request.ReadFormAsync(cancel);
            var form = new ExplainAccess.Form(sent["user"].ToString(), sent["device"].ToString(), sent["patient"].ToString(), sent["field"].ToString());
            var asked = await explain.Run(form, http.Actor(), cancel);
            return await Show(http, desk, form, asked.Ok ? asked.Value : null, asked.Error, cancel);
        });
    }

    private static async Task<IResult> Show(HttpContext http, IdentityDesk desk, ExplainAccess.Form typed, ExplainAccess.Answer? answer, Error? error, CancellationToken cancel) => Page.Show<AccessPage>(
        new
        {
            Staff = await desk.Staff.List(http.Actor(), cancel),
            Devices = await desk.Devices.List(http.Actor(), cancel),
            Typed = typed,
            Answer = answer,
            Error = error,
        },
        error is null ? StatusCodes.Status200OK : StatusCodes.Status422UnprocessableEntity);
}
