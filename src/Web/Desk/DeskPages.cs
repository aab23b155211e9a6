using Microsoft.AspNetCore.Routing;

namespace Mangrove.Web.Desk;

internal static class DeskPages
{
    public static void Map(IEndpointRouteBuilder app) => _ = app;
}
