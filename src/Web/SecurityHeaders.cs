using Microsoft.AspNetCore.Http;

namespace Mangrove.Web;

/// <summary>
/// Sends the strict headers with every answer. The policy has no unsafe source: no inline script, no inline style, no
/// foreign host. Everything is no-store unless an endpoint said otherwise; only <see cref="WebAssets"/> does.
/// </summary>
internal sealed class SecurityHeaders(RequestDelegate next)
{
    public const string ContentPolicy =
        "default-src 'none'; object-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
        + "form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

    public Task Invoke(HttpContext http)
    {
        http.Response.OnStarting(static state =>
        {
            var headers = ((HttpResponse)state).Headers;
            headers.ContentSecurityPolicy = ContentPolicy;
            headers["Cross-Origin-Opener-Policy"] = "same-origin";
            headers["Cross-Origin-Resource-Policy"] = "same-origin";
            headers.XContentTypeOptions = "nosniff";
            headers.XFrameOptions = "DENY";
            headers["Referrer-Policy"] = "no-referrer";
            headers["Permissions-Policy"] = "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), "
                + "magnetometer=(), microphone=(), midi=(), payment=(), usb=(), browsing-topics=()";
            headers.StrictTransportSecurity = "max-age=31536000";

            // Antiforgery writes "no-cache, no-store"; one spelling for all, and no way to a cached page by mistake.
            if (!headers.CacheControl.ToString().Contains("immutable", StringComparison.Ordinal))
            {
                headers.CacheControl = "no-store";
                headers.Remove("Pragma");
            }

            return Task.CompletedTask;
        }, http.Response);
        return next(http);
    }
}
