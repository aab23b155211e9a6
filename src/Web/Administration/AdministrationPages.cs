using Microsoft.AspNetCore.Routing;

namespace Mangrove.Web.Administration;

internal static class AdministrationPages
{
    public static void Map(IEndpointRouteBuilder app) => _ = app;
}
