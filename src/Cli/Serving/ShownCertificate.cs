using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Mangrove.Vault;
using Mangrove.Vault.Clients;
using Microsoft.Extensions.Hosting;

namespace Mangrove.Cli.Serving;

/// <summary>
/// The certificate that the server shows at a handshake: TLS 1.3 only. A new one takes its place while the server runs;
/// connections that stand go on, the next handshake sees it.
/// </summary>
internal sealed class ShownCertificate : IDisposable
{
    private readonly SystemSecrets secrets;
    private readonly string facility;
    private readonly IReadOnlyCollection<string> hosts;
    private readonly TimeProvider clock;
    private readonly List<X509Certificate2> before = [];
    private volatile X509Certificate2 certificate;
    private volatile SslServerAuthenticationOptions options;
    private volatile ClientContext? context;

    private ShownCertificate(SystemSecrets secrets, string facility, IReadOnlyCollection<string> hosts, TimeProvider clock, X509Certificate2 certificate)
    {
        this.secrets = secrets;
        this.facility = facility;
        this.hosts = hosts;
        this.clock = clock;
        this.certificate = certificate;
        options = OptionsOf(certificate);
    }

    /// <summary>What a handshake is answered with now.</summary>
    public SslServerAuthenticationOptions Options => options;

    /// <summary>Every host that the certificate names.</summary>
    public IReadOnlySet<string> Names => Certificates.NamesIn(certificate);

    /// <summary>
    /// What a handshake with a client is answered with now: a certificate is asked for and judged by the gate, whatever the
    /// framework itself thinks of it. Nothing is taken over from an earlier connection.
    /// </summary>
    /// <param name="gate">Who judges.</param>
    /// <param name="handshake">Where the verdict is left.</param>
    public SslServerAuthenticationOptions ForClients(ClientGate gate, Handshake handshake) => new()
    {
        ServerCertificateContext = ContextFor(gate),
        EnabledSslProtocols = SslProtocols.Tls13,
        ApplicationProtocols = [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11],
        AllowTlsResume = false,
        AllowRenegotiation = false,
        ClientCertificateRequired = true,
        CertificateRevocationCheckMode = X509RevocationMode.NoCheck,

        // The framework builds a chain of its own first: this keeps it from the system's store and from the network.
        CertificateChainPolicy = gate.Policy(),
        RemoteCertificateValidationCallback = (_, shown, _, _) => handshake.Passes(gate, shown as X509Certificate2),
    };

    public static async Task<ShownCertificate> Take(SystemSecrets secrets, string facility, IReadOnlyCollection<string> hosts, TimeProvider clock, CancellationToken cancel) =>
        new(secrets, facility, hosts, clock, await Certificates.ForServing(secrets, facility, hosts, clock, cancel));

    /// <summary>Shows a new certificate when the one of now runs out soon; true when it did.</summary>
    public async Task<bool> Renew(CancellationToken cancel)
    {
        var found = await Certificates.ForServing(secrets, facility, hosts, clock, cancel);
        if (found.Thumbprint == certificate.Thumbprint)
        {
            found.Dispose();
            return false;
        }

        // A handshake may still be under way with the one of before: it is let go when the server stops.
        before.Add(certificate);
        certificate = found;
        options = OptionsOf(found);
        return true;
    }

    public void Dispose()
    {
        certificate.Dispose();
        before.ForEach(one => one.Dispose());
    }

    /// <summary>Made once for each certificate that is shown, because it costs more than a handshake.</summary>
    private SslStreamCertificateContext ContextFor(ClientGate gate)
    {
        var now = certificate;
        if (context is not { } made || !ReferenceEquals(made.Of, now))
        {
            // Where the system can say so, the handshake names the authority, so that a client with several certificates finds the right one.
            var trust = OperatingSystem.IsLinux() ? SslCertificateTrust.CreateForX509Collection([gate.Authority], sendTrustInHandshake: true) : null;
            context = made = new ClientContext(now, SslStreamCertificateContext.Create(now, additionalCertificates: null, offline: true, trust));
        }

        return made.Context;
    }

    private static SslServerAuthenticationOptions OptionsOf(X509Certificate2 certificate) => new()
    {
        // Offline: the server asks nobody on the network about its own certificate.
        ServerCertificateContext = SslStreamCertificateContext.Create(certificate, additionalCertificates: null, offline: true),
        EnabledSslProtocols = SslProtocols.Tls13,
        ApplicationProtocols = [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11],
    };

    private sealed record ClientContext(X509Certificate2 Of, SslStreamCertificateContext Context);
}

/// <summary>Looks at the certificate's dates once a day.</summary>
internal sealed class CertificateRenewal(ShownCertificate shown, TimeProvider clock) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromDays(1), clock);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            await shown.Renew(stoppingToken);
        }
    }
}
