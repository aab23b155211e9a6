using Microsoft.AspNetCore.Routing;

namespace Mangrove.Web.Pharmacy;

internal static class PharmacyPages
{
    public static void Map(IEndpointRouteBuilder app) => _ = app;
}
