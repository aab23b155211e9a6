using Microsoft.AspNetCore.Routing;

namespace Mangrove.Web.Find;

internal static class FindPages
{
    public static void Map(IEndpointRouteBuilder app) => _ = app;
}
