using Microsoft.AspNetCore.Routing;

namespace Mangrove.Web.Cashier;

internal static class CashierPages
{
    public static void Map(IEndpointRouteBuilder app) => _ = app;
}
