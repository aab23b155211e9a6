using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;

namespace Mangrove.Cli.Bench;

/// <summary>The web server alone, for the reference of HTTP: TLS 1.3, one endpoint, a value in memory written as JSON. No sign-in, no database, no entry.</summary>
internal sealed class BareServer : IAsyncDisposable
{
    private readonly WebApplication running;
    private readonly X509Certificate2 shown;

    private BareServer(WebApplication app, X509Certificate2 certificate, Uri address)
    {
        running = app;
        shown = certificate;
        Address = address;
    }

    public Uri Address { get; }

    /// <param name="json">What every answer says.</param>
    /// <param name="clock">For the days of the certificate.</param>
    /// <param name="cancel">Gives up.</param>
    public static async Task<BareServer> Start(JsonElement json, TimeProvider clock, CancellationToken cancel)
    {
        var certificate = Certificate(clock);
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = "bare", EnvironmentName = "Production" });
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel => kestrel.Listen(System.Net.IPAddress.Loopback, 0, listen => listen.UseHttps(https =>
        {
            https.ServerCertificate = certificate;
            https.SslProtocols = SslProtocols.Tls13;
        })));
        var app = builder.Build();
        app.Run(async http =>
        {
            http.Response.ContentType = "application/json";
            await using var writer = new Utf8JsonWriter(http.Response.BodyWriter);
            json.WriteTo(writer);
        });
        await app.StartAsync(cancel);
        return new BareServer(app, certificate, new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First()));
    }

    public async ValueTask DisposeAsync()
    {
        await running.DisposeAsync();
        shown.Dispose();
    }

    private static X509Certificate2 Certificate(TimeProvider clock)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        using var made = request.CreateSelfSigned(clock.GetUtcNow().AddMinutes(-5), clock.GetUtcNow().AddDays(1));

        // Windows serves only from a key that it has stored itself.
        return X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), null);
    }
}
