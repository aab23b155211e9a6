using Mangrove.Clinic.Downtime;
using Mangrove.Vault.Access;
using Mangrove.Vault.Backups;
using Mangrove.Vault.Identity;
using Mangrove.Web.Session;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Mangrove.Web.Downtime;

/// <summary>Lists for paper, before and during a downtime: on the hospital's own server and on the read-only copy alike.</summary>
internal static class DowntimePages
{
    public const string Home = "/downtime";

    public static void Map(IEndpointRouteBuilder app)
    {
        app.MapGet(Home, (HttpContext http) => PaperLists.Prints(http.Actor()) ? Page.Show<DowntimeHome>(new { Medicines = http.Actor().Reads(Category.Medicines) }) : Refusal.NotFound());
        app.MapGet(Home + "/{lists}", async (string lists, HttpContext http, PaperLists paper, IdentityDesk desk, TimeProvider clock, CancellationToken cancel) =>
            KindsOf(lists) is { } kinds
                ? Page.Show<PaperPage>(new
                {
                    Paper = await paper.Run(kinds, http.Actor(), cancel),
                    Kinds = kinds,
                    Zone = clock.LocalTimeZone,
                    desk.Hospital,
                    By = http.Actor().DisplayName,
                    AsOf = http.RequestServices.GetService(typeof(CopyMark)) is CopyMark copy ? copy.AsOf : (DateTimeOffset?)null,
                })
                : Refusal.NotFound());
    }

    private static PaperKinds? KindsOf(string lists) => lists switch
    {
        "census" => PaperKinds.Census,
        "queues" => PaperKinds.Queues,
        "medicines" => PaperKinds.Medicines,
        "all" => PaperKinds.All,
        _ => null,
    };
}
