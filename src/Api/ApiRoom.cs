using Mangrove.Api.Fhir;
using Mangrove.Api.Services;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;

namespace Mangrove.Api;

/// <summary>The machine interface's public face.</summary>
public static class ApiRoom
{
    /// <summary>Finds the program behind a call with a token. Call it after routing and before staff are looked for.</summary>
    public static void UseMangroveServices(this IApplicationBuilder app) => app.UseMiddleware<ServiceSession>();

    /// <summary>Maps FHIR R4 for signed-in staff and programs, and the tokens of these. Call it behind the rules of the web room, which say who is signed in.</summary>
    public static void MapMangroveApi(this IEndpointRouteBuilder routes)
    {
        FhirEndpoints.Map(routes);
        TokenEndpoint.Map(routes);
    }
}
