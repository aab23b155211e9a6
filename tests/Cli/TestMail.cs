using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Mangrove.Vault.Health;

namespace Mangrove.Tests.Cli;

/// <summary>How the server of a test behaves.</summary>
public enum MailManner
{
    Takes,
    RefusesRecipient,
    RefusesForNow,
    RefusesPassword,
    HangsUpInTheLetter,
    NeverAnswers,
    OffersNoStartTls,
    SaysMoreBeforeTls,
    IsNoMailServer,
    SaysWithoutEnd,
}

/// <summary>A letter as it arrived, and how.</summary>
internal sealed record Arrived(string From, string To, string Text, bool Secured, string? SignedIn);

/// <summary>A small server of mail on the loopback (RFC 5321), with a certificate of an authority of its own.</summary>
internal sealed class TestMail : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource stop = new();
    private readonly X509Certificate2 authority;
    private readonly X509Certificate2 certificate;
    private readonly Task serving;

    public TestMail(MailSecurity security, MailManner manner = MailManner.Takes, string name = "localhost")
    {
        Security = security;
        Manner = manner;
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var root = new CertificateRequest("CN=mail authority", key, HashAlgorithmName.SHA256);
        root.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        root.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(root.PublicKey, false));
        authority = root.CreateSelfSigned(TimeProvider.System.GetUtcNow().AddHours(-1), TimeProvider.System.GetUtcNow().AddDays(2));
        using var own = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", own, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        request.CertificateExtensions.Add(names.Build());
        using var signed = request.Create(authority, TimeProvider.System.GetUtcNow().AddMinutes(-30), TimeProvider.System.GetUtcNow().AddDays(1), RandomNumberGenerator.GetBytes(12));
        using var both = signed.CopyWithPrivateKey(own);
        certificate = X509CertificateLoader.LoadPkcs12(both.Export(X509ContentType.Pkcs12), null);
        listener.Start();
        serving = Serve();
    }

    public MailSecurity Security { get; }

    public MailManner Manner { get; set; }

    public List<Arrived> Letters { get; } = [];

    /// <summary>Everything that was said to it outside TLS.</summary>
    public List<string> InTheClear { get; } = [];

    public string Authority => authority.ExportCertificatePem();

    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

    public MailServer Named(string login = "", string? authorityPem = null) => new("localhost", Port, Security, "mangrove@hospital.example", login, authorityPem ?? (Security == MailSecurity.None ? "" : Authority));

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        listener.Stop();
        await serving;
        certificate.Dispose();
        authority.Dispose();
        stop.Dispose();
    }

    private async Task Serve()
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                using var client = await listener.AcceptTcpClientAsync(stop.Token);
                await Talk(client);
            }
            catch (Exception error) when (error is IOException or OperationCanceledException or SocketException or ObjectDisposedException or System.Security.Authentication.AuthenticationException)
            {
                // Whoever called went away, or did not trust it: the next call.
            }
        }
    }

    private async Task Talk(TcpClient client)
    {
        Stream stream = client.GetStream();
        var secured = false;
        if (Manner == MailManner.IsNoMailServer)
        {
            await Say(stream, "HTTP/1.1 400 Bad Request\r\n\r\n");
            return;
        }

        if (Manner == MailManner.NeverAnswers)
        {
            // Until the caller has had enough.
            _ = await Line(stream);
            return;
        }

        if (Manner == MailManner.SaysWithoutEnd)
        {
            await Say(stream, new string('2', 100_000));
            return;
        }

        if (Security == MailSecurity.Tls)
        {
            (stream, secured) = (await Secure(stream), true);
        }

        await Say(stream, "220 test.example ESMTP\r\n");
        string from = "", to = "";
        string? signedIn = null;
        while (await Line(stream) is { } line)
        {
            if (!secured)
            {
                InTheClear.Add(line);
            }

            switch (line.Split(' ', ':')[0].ToUpperInvariant())
            {
                case "EHLO":
                    await Say(stream, $"250-test.example\r\n250-SIZE 1000000\r\n{(Security == MailSecurity.StartTls && !secured && Manner != MailManner.OffersNoStartTls ? "250-STARTTLS\r\n" : "")}250 AUTH LOGIN PLAIN\r\n");
                    break;
                case "STARTTLS":
                    await Say(stream, Manner == MailManner.SaysMoreBeforeTls ? "220 go\r\n250 injected\r\n" : "220 go\r\n");
                    (stream, secured) = (await Secure(stream), true);
                    break;
                case "AUTH":
                    signedIn = Encoding.UTF8.GetString(Convert.FromBase64String(line["AUTH PLAIN ".Length..]));
                    await Say(stream, Manner == MailManner.RefusesPassword ? "535 no\r\n" : "235 welcome\r\n");
                    break;
                case "MAIL":
                    from = line;
                    await Say(stream, "250 ok\r\n");
                    break;
                case "RCPT":
                    to = line;
                    await Say(stream, Manner switch { MailManner.RefusesRecipient => "550 nobody\r\n", MailManner.RefusesForNow => "451 later\r\n", _ => "250 ok\r\n" });
                    break;
                case "DATA":
                    await Say(stream, "354 go on\r\n");
                    var text = new StringBuilder();
                    while (await Line(stream) is { } part && part != ".")
                    {
                        text.Append(part).Append('\n');
                        if (Manner == MailManner.HangsUpInTheLetter)
                        {
                            return;
                        }
                    }

                    Letters.Add(new Arrived(from, to, text.ToString(), secured, signedIn));
                    await Say(stream, "250 2.0.0 queued\u0007 as 1\r\n");
                    break;
                case "QUIT":
                    await Say(stream, "221 bye\r\n");
                    return;
                default:
                    await Say(stream, "500 what\r\n");
                    break;
            }
        }
    }

    private async Task<SslStream> Secure(Stream inner)
    {
        var secure = new SslStream(inner);
        await secure.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = certificate }, stop.Token);
        return secure;
    }

    private async Task Say(Stream stream, string text) => await stream.WriteAsync(Encoding.ASCII.GetBytes(text), stop.Token);

    private async Task<string?> Line(Stream stream)
    {
        var line = new StringBuilder();
        var one = new byte[1];
        while (await stream.ReadAsync(one, stop.Token) == 1)
        {
            if (one[0] == '\n')
            {
                return line.ToString().TrimEnd('\r');
            }

            line.Append((char)one[0]);
        }

        return null;
    }
}
