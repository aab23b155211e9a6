using System.Security.Cryptography;
using Mangrove.Vault;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Mangrove.Web.Session;

/// <summary>
/// The hospital's own authority, for workstations that are to trust it. Open to everybody: it is what a browser needs before
/// it can trust anything else here, and it is public.
/// </summary>
internal static class AuthorityPages
{
    public const string Place = "/authority";

    private const string File = Place + ".crt";

    public static void Map(IEndpointRouteBuilder app)
    {
        app.MapGet(Place, async (HttpContext http, string? back, CancellationToken cancel) =>
        {
            var certificate = await Certificate(http, cancel);
            return Page.Show<AuthorityPage>(new
            {
                http.RequestServices.GetRequiredService<VaultRoom>().FacilityName,
                Fingerprint = string.Join(' ', SHA256.HashData(certificate).Select(part => part.ToString("X2", System.Globalization.CultureInfo.InvariantCulture))),
                Address = $"{http.Request.Scheme}://{http.Request.Host}{Place}",
                File,
                Back = WebRoom.LocalPath(back),
            });
        }).AllowAnonymous();

        // The type by which every system knows that it is an authority to be installed.
        app.MapGet(File, async (HttpContext http, CancellationToken cancel) =>
            Results.File(await Certificate(http, cancel), "application/x-x509-ca-cert", "hospital-authority.crt")).AllowAnonymous();
    }

    private static async Task<byte[]> Certificate(HttpContext http, CancellationToken cancel) =>
        await http.RequestServices.GetRequiredService<VaultRoom>().Secrets.Get(SystemSecrets.AuthorityCertificate, cancel)
            ?? throw new InvalidOperationException("A hospital that serves has an authority.");
}
