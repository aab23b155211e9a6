using Microsoft.AspNetCore.Routing;

namespace Mangrove.Web.Triage;

internal static class TriagePages
{
    public static void Map(IEndpointRouteBuilder app) => _ = app;
}
