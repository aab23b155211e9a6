using Microsoft.AspNetCore.Http;

namespace Mangrove.Vault.Identity;

/// <summary>The actor behind a request, as Identity found it. The session's middleware puts it there; pages and interfaces read it.</summary>
public sealed record SignedInActor(Actor Actor)
{
    /// <summary>The member of staff who sent this request.</summary>
    /// <exception cref="InvalidOperationException">The endpoint is open to everybody: a bug of the endpoint.</exception>
    public static Actor Of(HttpContext http) => http.Features.Get<SignedInActor>()?.Actor
        ?? throw new InvalidOperationException("This endpoint is open to everybody and has no actor.");
}
