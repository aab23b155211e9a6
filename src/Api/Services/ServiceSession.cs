using Mangrove.Api.Fhir;
using Mangrove.Vault.Audit;
using Mangrove.Vault.Clients;
using Mangrove.Vault.Identity;
using Mangrove.Vault.Integrations;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;

namespace Mangrove.Api.Services;

/// <summary>Marks addresses that programs may call with a token. Everything else knows staff only.</summary>
internal sealed class TakesServiceTokens
{
    public static TakesServiceTokens Mark { get; } = new();
}

/// <summary>
/// Finds the program behind a call that carries an <c>Authorization</c> header. Such a call is a program's and nothing else:
/// a cookie beside it is not looked at, and whatever is wrong with the token has one answer.
/// </summary>
internal sealed class ServiceSession(RequestDelegate next, ServiceTokens tokens)
{
    private const string Scheme = "Bearer ";

    public async Task Invoke(HttpContext http)
    {
        var given = http.Request.Headers.Authorization;
        var endpoint = http.GetEndpoint()?.Metadata;
        if (given.Count == 0 || endpoint?.GetMetadata<TakesServiceTokens>() is null || endpoint.GetMetadata<IAllowAnonymous>() is not null)
        {
            await next(http);
            return;
        }

        try
        {
            var token = given is [{ } one] && one.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) ? one[Scheme.Length..] : null;
            var found = await tokens.Check(token, CallerOf(http), http.Features.Get<ShownClient>(), http.RequestAborted);
            if (found.Error is not null)
            {
                http.Response.Headers.WWWAuthenticate = "Bearer error=\"invalid_token\"";
                await FhirAnswer.Unauthorised().ExecuteAsync(http);
                return;
            }

            http.Features.Set(new SignedInActor(found.Value));
        }
        catch (AuditUnavailable unavailable)
        {
            await FhirAnswer.Unavailable(unavailable.Message).ExecuteAsync(http);
            return;
        }

        await next(http);
    }

    /// <summary>Where a call comes from.</summary>
    public static string CallerOf(HttpContext http) => http.Connection.RemoteIpAddress?.ToString() ?? "unknown";
}
