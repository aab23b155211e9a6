using System.Net;
using System.Security.Cryptography.X509Certificates;
using Mangrove.Kernel;
using Mangrove.Vault.Clients;
using Mangrove.Web;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace Mangrove.Cli.Serving;

/// <summary>How the handshake of one connection with a client went. It stays with the connection, so that requests know where they came in.</summary>
internal sealed class Handshake
{
    /// <summary>Why it was refused; null while it was not.</summary>
    public Error? Refusal { get; private set; }

    /// <summary>What was shown; null for nothing.</summary>
    public string? Fingerprint { get; private set; }

    public bool Passes(ClientGate gate, X509Certificate2? shown)
    {
        Fingerprint = shown is null ? null : ClientGate.Fingerprint(shown);
        Refusal = gate.Judge(shown);
        return Refusal is null;
    }
}

/// <summary>
/// The second listener, for programs and desktop devices with a certificate of the hospital (docs/decisions/0014). The one for
/// browsers never asks for a certificate, so this has an address of its own. Without a certificate that is good at this moment no
/// request is read.
/// </summary>
internal sealed class ClientListener(ClientCertificates clients, ClientGate gate, ShownCertificate certificate)
{
    public void Apply(ListenOptions listen)
    {
        listen.Protocols = HttpProtocols.Http1AndHttp2;
        listen.Use(next => async connection =>
        {
            var handshake = new Handshake();
            connection.Features.Set(handshake);
            await next(connection);

            // The connection is gone by then; nobody waits for the entry.
            if (handshake.Refusal is { } why)
            {
                await clients.NoteRefusal(connection.RemoteEndPoint is IPEndPoint from ? from.Address.ToString() : "unknown", handshake.Fingerprint, why, CancellationToken.None);
            }
        });
        listen.UseHttps(new TlsHandshakeCallbackOptions
        {
            OnConnection = shaking => ValueTask.FromResult(certificate.ForClients(gate, shaking.Connection.Features.Get<Handshake>()!)),
            HandshakeTimeout = Limits.LongestHandshake,
        });
    }
}

/// <summary>
/// Says at every request who stands behind its connection, asked of the list anew: a certificate that was taken back opens
/// nothing from then on, however long its connection stands. A program finds here what is made for programs and nothing else.
/// </summary>
internal sealed class ConnectionClient(RequestDelegate next, ClientCertificates clients)
{
    private static readonly Error Ended = new("client.certificate-ended", "The certificate of this connection was taken back or has run out. An administrator signs a new one.");

    private static readonly PathString[] ForPrograms = ["/fhir/R4", "/auth/token", "/.well-known/smart-configuration"];

    public async Task Invoke(HttpContext http)
    {
        if (http.Features.Get<Handshake>() is not { } handshake)
        {
            await next(http);
            return;
        }

        var shown = http.Connection.ClientCertificate is { } certificate ? await clients.Standing(certificate, http.RequestAborted) : null;
        if (shown is null)
        {
            http.Features.Get<IConnectionLifetimeNotificationFeature>()?.RequestClose();
            await clients.NoteRefusal(http.Connection.RemoteIpAddress?.ToString() ?? "unknown", handshake.Fingerprint, Ended, http.RequestAborted);
            await Refusal.Say(StatusCodes.Status401Unauthorized, Ended.Code, Ended.Message).ExecuteAsync(http);
            return;
        }

        if (shown.Kind == ClientKind.Program && !ForPrograms.Any(place => http.Request.Path.StartsWithSegments(place, StringComparison.Ordinal)))
        {
            await Refusal.NotFound().ExecuteAsync(http);
            return;
        }

        http.Features.Set(shown);
        await next(http);
    }
}
