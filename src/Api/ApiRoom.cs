using Mangrove.Api.Fhir;
using Microsoft.AspNetCore.Routing;

namespace Mangrove.Api;

/// <summary>The machine interface's public face.</summary>
public static class ApiRoom
{
    /// <summary>Maps FHIR R4 for signed-in staff. Call it behind the rules of the web room, which say who is signed in.</summary>
    public static void MapMangroveApi(this IEndpointRouteBuilder routes) => FhirEndpoints.Map(routes);
}
