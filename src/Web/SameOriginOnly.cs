using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Http;

namespace Mangrove.Web;

/// <summary>
/// Refuses what another site could have caused (threat S14): every unsafe verb and every event stream MUST come from
/// our own origin, and every unsafe verb MUST carry the antiforgery token.
/// </summary>
/// <remarks>
/// <c>Sec-Fetch-Site</c> decides where it is sent. The pages send <c>Referrer-Policy: no-referrer</c>, for which the
/// Fetch standard makes browsers write <c>Origin: null</c> on form posts, so Origin alone could not tell.
/// An endpoint that takes no cookie at all (a service token) says <c>DisableAntiforgery()</c> and is left alone.
/// </remarks>
internal sealed class SameOriginOnly(RequestDelegate next, IAntiforgery antiforgery)
{
    public async Task Invoke(HttpContext http)
    {
        var request = http.Request;
        var tokenOnly = http.GetEndpoint()?.Metadata.GetMetadata<IAntiforgeryMetadata>() is { RequiresValidation: false };
        var stream = request.Headers.Accept.ToString().Contains("text/event-stream", StringComparison.OrdinalIgnoreCase);
        var safe = HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method) || HttpMethods.IsOptions(request.Method);

        if ((!safe || stream) && !tokenOnly)
        {
            if (!FromHere(request, stream))
            {
                await Refusal.Write(http, StatusCodes.Status403Forbidden, "web.cross-site", "This request did not come from a page of this hospital. Open the page again from the address that you were given.");
                return;
            }

            if (!safe && !await antiforgery.IsRequestValidAsync(http))
            {
                await Refusal.Write(http, StatusCodes.Status400BadRequest, "web.stale-form", "This page is too old to be sent. Load it again, then repeat what you did.");
                return;
            }
        }

        await next(http);
    }

    private static bool FromHere(HttpRequest request, bool stream)
    {
        var site = request.Headers["Sec-Fetch-Site"].ToString();
        var origin = request.Headers.Origin.ToString();
        var own = $"{request.Scheme}://{request.Host}";
        if (site.Length > 0)
        {
            return site == "same-origin" && (origin.Length == 0 || origin == "null" || string.Equals(origin, own, StringComparison.OrdinalIgnoreCase));
        }

        // Without either header nothing shows where it came from. A same-origin event stream is a GET and sends no Origin;
        // a browser that has Origin but not Sec-Fetch-Site is older than those that the pages support.
        return string.Equals(origin, own, StringComparison.OrdinalIgnoreCase) && !stream;
    }
}
