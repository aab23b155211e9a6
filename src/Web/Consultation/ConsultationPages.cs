using Microsoft.AspNetCore.Routing;

namespace Mangrove.Web.Consultation;

internal static class ConsultationPages
{
    public static void Map(IEndpointRouteBuilder app) => _ = app;
}
