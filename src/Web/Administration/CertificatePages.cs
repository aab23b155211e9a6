using System.Globalization;
using System.Text;
using Mangrove.Kernel;
using Mangrove.Vault.Clients;
using Mangrove.Vault.Identity;
using Mangrove.Vault.Integrations;
using Mangrove.Web.Session;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Mangrove.Web.Administration;

/// <summary>Certificates of programs and desktop devices: signed from a request, fetched, taken back.</summary>
internal static class CertificatePages
{
    private const string OfProgram = "/admin/integrations/{client}/certificates";
    private const string OfDevice = "/admin/devices/{name}/certificates";
    private const string Type = "application/x-pem-file";

    // A request is some hundred bytes; the vault reads no longer one.
    private const int LongestFile = 16 * 1024;

    public static void Map(IEndpointRouteBuilder app)
    {
        app.MapPost(OfProgram, IssueToProgram);
        app.MapPost(OfProgram + "/revoke", RevokeOfProgram);
        app.MapPost(OfProgram + "/only", Require);
        app.MapGet(OfProgram + "/{fingerprint}", (HttpContext http, string client, string fingerprint, ClientCertificates clients, CancellationToken cancel) =>
            Fetch(http, clients, ClientKind.Program, client, fingerprint, cancel));
        app.MapGet(OfDevice, (HttpContext http, string name, IdentityDesk desk, ClientCertificates clients, TimeProvider clock, string? done, CancellationToken cancel) =>
            ShowDevice(http, name, desk, clients, clock, new CertificateForm(), null, done, cancel));
        app.MapPost(OfDevice, IssueToDevice);
        app.MapPost(OfDevice + "/revoke", RevokeOfDevice);
        app.MapGet(OfDevice + "/{fingerprint}", (HttpContext http, string name, string fingerprint, ClientCertificates clients, CancellationToken cancel) =>
            Fetch(http, clients, ClientKind.Device, name, fingerprint, cancel));
    }

    /// <summary>What was just done, by the word that the address carries; nothing for any other word.</summary>
    public static string? Done(string? word) => word switch
    {
        "signed" => "The certificate is signed and on the list. Fetch it there, and give it to whoever has the key.",
        "certificate-revoked" => "The certificate is revoked. It opens nothing from the next request on.",
        "certificate-only" => "From the next call on the program is let in by its certificate alone.",
        "any-way" => "The program is let in by a signed assertion or by its certificate.",
        _ => null,
    };

    private static async Task<IResult> IssueToProgram(HttpContext http, string client, ClientCertificates clients, CancellationToken cancel)
    {
        var typed = await Read(http, ClientCertificates.ProgramDays, cancel);
        var issued = await clients.IssueToProgram(http.Actor(), client, typed.Request, typed.Life, cancel);
        return issued.Error is { } error
            ? await IntegrationPages.ShowWith(http, client, typed, error, cancel)
            : Page.GoTo(http, $"/admin/integrations/{client}?done=signed");
    }

    private static async Task<IResult> RevokeOfProgram(HttpContext http, string client, ClientCertificates clients, CancellationToken cancel)
    {
        var fingerprint = (await http.Request.ReadFormAsync(cancel))["fingerprint"].ToString();
        var revoked = await clients.Revoke(http.Actor(), ClientKind.Program, client, fingerprint, cancel);
        return revoked.Error is { } error
            ? await IntegrationPages.ShowWith(http, client, new CertificateForm(), error, cancel)
            : Page.GoTo(http, $"/admin/integrations/{client}?done=certificate-revoked");
    }

    private static async Task<IResult> Require(HttpContext http, string client, IntegrationDirectory directory, CancellationToken cancel)
    {
        var only = (await http.Request.ReadFormAsync(cancel))["only"] == "yes";
        var changed = await directory.RequireCertificate(http.Actor(), client, only, cancel);
        return changed.Error is { } error
            ? await IntegrationPages.ShowWith(http, client, new CertificateForm(), error, cancel)
            : Page.GoTo(http, $"/admin/integrations/{client}?done={(only ? "certificate-only" : "any-way")}");
    }

    private static async Task<IResult> IssueToDevice(HttpContext http, string name, IdentityDesk desk, ClientCertificates clients, TimeProvider clock, CancellationToken cancel)
    {
        var typed = await Read(http, ClientCertificates.DeviceDays, cancel);
        var issued = await clients.IssueToDevice(http.Actor(), name, typed.Request, typed.Life, cancel);
        return issued.Error is { } error
            ? await ShowDevice(http, name, desk, clients, clock, typed, error, null, cancel)
            : Page.GoTo(http, $"/admin/devices/{issued.Value.Certificate.Name}/certificates?done=signed");
    }

    private static async Task<IResult> RevokeOfDevice(HttpContext http, string name, IdentityDesk desk, ClientCertificates clients, TimeProvider clock, CancellationToken cancel)
    {
        var fingerprint = (await http.Request.ReadFormAsync(cancel))["fingerprint"].ToString();
        var revoked = await clients.Revoke(http.Actor(), ClientKind.Device, name, fingerprint, cancel);
        return revoked.Error is { } error ? await ShowDevice(http, name, desk, clients, clock, new CertificateForm(), error, null, cancel)
            : revoked.Value.Name == http.Actor().Device ? Page.GoTo(http, "/sign-in")
            : Page.GoTo(http, $"/admin/devices/{revoked.Value.Name}/certificates?done=certificate-revoked");
    }

    private static async Task<IResult> Fetch(HttpContext http, ClientCertificates clients, ClientKind kind, string name, string fingerprint, CancellationToken cancel)
    {
        if ((await clients.List(http.Actor(), kind, name, cancel)).FirstOrDefault(one => one.Fingerprint == fingerprint) is not { } found)
        {
            return Refusal.NotFound();
        }

        var chain = new IssuedCertificate(found, await clients.Authority(cancel)).Chain;
        return Results.File(Encoding.ASCII.GetBytes(chain), Type, $"{found.Name}.pem");
    }

    /// <summary>A request that was pasted, or the file that was chosen instead.</summary>
    private static async Task<CertificateForm> Read(HttpContext http, int usual, CancellationToken cancel)
    {
        var form = await http.Request.ReadFormAsync(cancel);
        var days = form["days"].ToString().Trim();
        var request = form["request"].ToString().Trim();
        if (request.Length == 0 && form.Files["file"] is { Length: > 0 and <= LongestFile } file)
        {
            using var reader = new StreamReader(file.OpenReadStream(), Encoding.ASCII);
            request = await reader.ReadToEndAsync(cancel);
        }

        // A life that is no number is refused like one that is too long, by the same sentence.
        var life = days.Length == 0 ? usual : int.TryParse(days, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0;
        return new CertificateForm(request, days, life);
    }

    private static async Task<IResult> ShowDevice(
        HttpContext http,
        string name,
        IdentityDesk desk,
        ClientCertificates clients,
        TimeProvider clock,
        CertificateForm typed,
        Error? error,
        string? done,
        CancellationToken cancel)
    {
        if ((await desk.Devices.List(http.Actor(), cancel)).FirstOrDefault(one => string.Equals(one.Name, name, StringComparison.OrdinalIgnoreCase)) is not { } device)
        {
            return Refusal.NotFound();
        }

        return Page.Show<DeviceCertificatesPage>(
            new
            {
                Device = device,
                All = await clients.List(http.Actor(), ClientKind.Device, device.Name, cancel),
                Typed = typed,
                Error = error,
                Done = Done(done),
                Now = clock.GetUtcNow(),
            },
            error is null ? StatusCodes.Status200OK : StatusCodes.Status422UnprocessableEntity);
    }
}

/// <summary>A request for a certificate as typed.</summary>
/// <param name="Request">The text of it.</param>
/// <param name="Days">As typed.</param>
/// <param name="Life">The days meant.</param>
public sealed record CertificateForm(string Request = "", string Days = "", int Life = 0);
