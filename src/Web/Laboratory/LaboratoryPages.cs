using Microsoft.AspNetCore.Routing;

namespace Mangrove.Web.Laboratory;

internal static class LaboratoryPages
{
    public static void Map(IEndpointRouteBuilder app) => _ = app;
}
