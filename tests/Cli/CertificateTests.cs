using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Mangrove.Kernel;

namespace Mangrove.Tests.Cli;

/// <summary>The hospital's own authority as a workstation meets it, and the server's certificate over the years.</summary>
public sealed class CertificateTests(SampleHospital sample) : IClassFixture<SampleHospital>
{
    [Fact]
    public async Task A_certificate_is_renewed_while_the_server_runs_and_whoever_trusts_the_authority_trusts_both()
    {
        // A copy: a clock a year ahead would end every later session of the sample.
        using var folder = new Folder();
        var clock = new LaterClock();
        await using var hosted = await HostedHospital.Open(sample, await sample.CopyTo(Path.Combine(folder.Path, "copy")), clock, Ids.New);
        using var client = new HttpClient(new SocketsHttpHandler { SslOptions = { RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null } }) { BaseAddress = hosted.Address };
        using var authority = X509CertificateLoader.LoadCertificate(await client.GetByteArrayAsync("/authority.crt"));
        using var first = await Shown(hosted.Address, authority);

        Assert.False(await hosted.Renew());
        clock.Later = TimeSpan.FromDays(370);
        await using var standing = await Connect(hosted.Address, authority);
        Assert.True(await hosted.Renew());
        Assert.False(await hosted.Renew());

        using var second = await Shown(hosted.Address, authority);
        Assert.NotEqual(first.Thumbprint, second.Thumbprint);
        Assert.True(second.NotAfter > first.NotAfter.AddDays(360));

        // The connection of before goes on.
        await standing.WriteAsync("GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"u8.ToArray());
        using var answer = new StreamReader(standing);
        Assert.StartsWith("HTTP/1.1 200", await answer.ReadLineAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_page_about_the_authority_needs_no_sign_in_and_shows_the_fingerprint_that_the_server_says()
    {
        await using var server = await Served.Start(sample.Data);
        using var client = server.Client();
        var file = await client.GetByteArrayAsync("/authority.crt");
        var page = await client.GetStringAsync("/authority");
        var said = await Executable.Run("authority", "--data", sample.Data, "--json");

        var fingerprint = Convert.ToHexString(SHA256.HashData(file));
        Assert.Equal(0, said.Exit);
        Assert.Equal(fingerprint, said.Json.GetProperty("sha256").GetString()!.Replace(":", "", StringComparison.Ordinal));
        Assert.Contains(string.Join(' ', fingerprint.Chunk(2).Select(pair => new string(pair))), page, StringComparison.Ordinal);
        using var certificate = X509Certificate2.CreateFromPem(said.Json.GetProperty("pem").GetString());
        Assert.Equal(file, certificate.RawData);
        using var typed = await client.GetAsync("/authority.crt");
        Assert.Equal("application/x-x509-ca-cert", typed.Content.Headers.ContentType!.MediaType);
    }

    private static async Task<X509Certificate2> Shown(Uri address, X509Certificate2 authority)
    {
        await using var stream = await Connect(address, authority);
        return X509CertificateLoader.LoadCertificate(stream.RemoteCertificate!.GetRawCertData());
    }

    /// <summary>A handshake that trusts this authority and nothing else, whatever the dates: the test's clock is not the machine's.</summary>
    private static async Task<SslStream> Connect(Uri address, X509Certificate2 authority)
    {
        var socket = new TcpClient();
        await socket.ConnectAsync(IPAddress.Loopback, address.Port);
        var stream = new SslStream(socket.GetStream());
        await stream.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = "localhost",
            ApplicationProtocols = [SslApplicationProtocol.Http11],
            CertificateChainPolicy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                RevocationMode = X509RevocationMode.NoCheck,
                VerificationFlags = X509VerificationFlags.IgnoreNotTimeValid,
                CustomTrustStore = { authority },
            },
        });
        return stream;
    }

    /// <summary>The system's clock, put forward.</summary>
    private sealed class LaterClock : TimeProvider
    {
        public TimeSpan Later { get; set; }

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Later;
    }
}
