using Mangrove.Kernel;
using Mangrove.Vault.Audit;
using Mangrove.Vault.Clients;
using Mangrove.Vault.Integrations;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;

namespace Mangrove.Api.Services;

/// <summary>
/// Tokens for programs: OAuth 2.0 client credentials with a signed assertion (RFC 6749, 4.4; RFC 7523; SMART Backend
/// Services), or over a connection with a certificate by that alone (RFC 8705). No cookie is read here, so no other site can
/// make a browser ask.
/// </summary>
internal static class TokenEndpoint
{
    public const string Path = "/auth/token";

    private const string AssertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

    // An assertion is some hundred characters; seven scopes are fewer.
    private const int LongestBody = 16 * 1024;

    private static readonly string[] Parameters = ["grant_type", "client_assertion_type", "client_assertion", "scope"];

    // RFC 8705, 2: whoever is known by the certificate of the connection says its client id and signs nothing.
    private static readonly string[] ByCertificate = ["grant_type", "client_id", "scope"];

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPost(Path, Issue).AllowAnonymous().DisableAntiforgery().WithMetadata(new MostBytes(LongestBody));

        // SMART App Launch 2.2 puts it below the address of FHIR, RFC 8414 below the root: both are asked for.
        routes.MapGet("/.well-known/smart-configuration", Configuration).AllowAnonymous();
        routes.MapGet("/fhir/R4/.well-known/smart-configuration", Configuration).AllowAnonymous();
    }

    public static string AddressOf(HttpRequest request) => $"{request.Scheme}://{request.Host}{Path}";

    private static async Task<IResult> Issue(HttpContext http, [FromServices] ServiceTokens tokens)
    {
        if (!http.Request.HasFormContentType)
        {
            return Fault(StatusCodes.Status400BadRequest, "invalid_request", "Send the four parameters as a form.");
        }

        IFormCollection form;
        try
        {
            form = await http.Request.ReadFormAsync(http.RequestAborted);
        }
        catch (InvalidDataException)
        {
            return Fault(StatusCodes.Status400BadRequest, "invalid_request", "The form could not be read.");
        }

        var shown = http.Features.Get<ShownClient>();
        var signed = shown is null || !form.ContainsKey("client_id");

        // RFC 6749, 3.2: a parameter is sent once. What is unknown is ignored there; here it is a mistake worth hearing of.
        if (form.Any(field => field.Value.Count != 1 || !(signed ? Parameters : ByCertificate).Contains(field.Key, StringComparer.Ordinal)) || (signed && form["client_assertion_type"] != AssertionType))
        {
            return Fault(StatusCodes.Status400BadRequest, "invalid_request", "Send grant_type, scope, client_assertion_type and client_assertion, each once, and nothing else.");
        }

        if (form["grant_type"] != "client_credentials")
        {
            return Fault(StatusCodes.Status400BadRequest, "unsupported_grant_type", "The grant type is client_credentials.");
        }

        try
        {
            var issued = await tokens.Issue(
                new TokenRequest(signed ? form["client_assertion"].ToString() : null, form["scope"], AddressOf(http.Request), ServiceSession.CallerOf(http)) { Certificate = shown, Client = form["client_id"] },
                http.RequestAborted);
            return issued.Error is { } error ? Refused(http, error) : Results.Json(new
            {
                access_token = issued.Value.Text,
                token_type = "bearer",
                expires_in = (int)issued.Value.Life.TotalSeconds,
                scope = issued.Value.Scope,
            });
        }
        catch (AuditUnavailable unavailable)
        {
            return Fault(StatusCodes.Status503ServiceUnavailable, "temporarily_unavailable", unavailable.Message);
        }
    }

    private static IResult Refused(HttpContext http, Error error)
    {
        if (error.Code == "service.wait")
        {
            http.Response.Headers.RetryAfter = "5";
            return Fault(StatusCodes.Status429TooManyRequests, "slow_down", error.Message);
        }

        return Fault(StatusCodes.Status401Unauthorized, error.Code == "service.scope" ? "invalid_scope" : "invalid_client", error.Message);
    }

    private static IResult Fault(int status, string error, string sentence) => Results.Json(new { error, error_description = sentence }, statusCode: status);

    private static IResult Configuration(HttpContext http)
    {
        // What the address that was asked can do: certificates are shown at the one for clients only.
        var certificates = http.Features.Get<ShownClient>() is not null;
        return Results.Json(new
        {
            token_endpoint = AddressOf(http.Request),
            token_endpoint_auth_methods_supported = certificates ? new[] { "private_key_jwt", "tls_client_auth" } : ["private_key_jwt"],
            token_endpoint_auth_signing_alg_values_supported = new[] { "ES256" },
            tls_client_certificate_bound_access_tokens = certificates,
            grant_types_supported = new[] { "client_credentials" },
            scopes_supported = ServiceScope.All.Select(scope => scope.Text),
            capabilities = new[] { "client-confidential-asymmetric", "permission-v2" },
        });
    }

    /// <summary>The server refuses a longer body before it is read.</summary>
    private sealed record MostBytes(long? MaxRequestBodySize) : IRequestSizeLimitMetadata;
}
