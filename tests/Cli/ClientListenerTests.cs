using System.Buffers.Text;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using Mangrove.Kernel;
using Mangrove.Tests.Shared;
using Mangrove.Vault.Access;
using Mangrove.Vault.Clients;
using Mangrove.Vault.Identity;
using Mangrove.Vault.Integrations;

namespace Mangrove.Tests.Cli;

/// <summary>
/// Programs and desktop devices call the real server over mutual TLS (docs/decisions/0014), with certificates that the hospital
/// signed and with those that it did not. Each test has a client of its own.
/// </summary>
public sealed class ClientListenerTests(ServedHospital served) : IClassFixture<ServedHospital>, IAsyncLifetime
{
    private const string Scopes = "system/Patient.r?part=name system/Observation.s?part=lab-results";

    private static int clients;

    private readonly FakeClock clock = served.Clock;
    private readonly HostedHospital hospital = served.Hosted;
    private readonly Actor boss = served.Boss;
    private readonly ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly List<IDisposable> made = [];

    private string Client { get; } = $"mtls-bridge-{Interlocked.Increment(ref clients)}";

    private string Device { get; } = $"Records-Desk-{Interlocked.Increment(ref clients)}";

    private IntegrationDirectory Directory => hospital.Hospital.Vault.Integrations.Directory;

    private ClientCertificates Clients => hospital.Hospital.Vault.Clients;

    private string Patient => $"/fhir/R4/Patient/{Guid.ParseExact(served.Patient.Values["patient"], "N"):D}";

    public ValueTask InitializeAsync()
    {
        clock.Pass(TimeSpan.FromMinutes(2));
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync()
    {
        made.ForEach(one => one.Dispose());
        key.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task A_token_is_given_for_the_certificate_alone_and_opens_nothing_on_any_other_connection()
    {
        await Activate(Client);
        await Activate(Client + "-x");
        var mine = At(hospital.ClientAddress, await ForProgram());
        var second = At(hospital.ClientAddress, await ForProgram());
        var other = At(hospital.ClientAddress, await ForProgram(Client + "-x"));
        var plain = At(hospital.Address, null);
        var token = await Token(mine, ByCertificate());

        // RFC 8705, 3.1: SHA-256 of the certificate, in base64url.
        using (var claims = JsonDocument.Parse(Base64Url.DecodeFromChars(token.Split('.')[1])))
        {
            Assert.Equal(Base64Url.EncodeToString(SHA256.HashData(mine.Certificate!.RawData)), claims.RootElement.GetProperty("cnf").GetProperty("x5t#S256").GetString());
        }

        Assert.Equal(HttpStatusCode.OK, await Get(mine, Patient, token));
        Assert.Equal(HttpStatusCode.Unauthorized, await Get(second, Patient, token));
        Assert.Equal(HttpStatusCode.Unauthorized, await Get(other, Patient, token));
        Assert.Equal(HttpStatusCode.Unauthorized, await Get(plain, Patient, token));
        Assert.Equal(HttpStatusCode.Unauthorized, await Get(mine, Patient, null));
        var issued = (await hospital.Log()).Last(entry => entry.Actor == $"service:{Client}" && entry.Action == "ISSUE_SERVICE_TOKEN");
        Assert.EndsWith($"bound to certificate {ClientGate.Fingerprint(mine.Certificate!)}", issued.Reason, StringComparison.Ordinal);

        // The other way round: a token that is bound to nothing opens nothing over a connection with a certificate.
        var unbound = await Token(plain, Signed(plain));
        Assert.Equal(HttpStatusCode.OK, await Get(plain, Patient, unbound));
        Assert.Equal(HttpStatusCode.Unauthorized, await Get(mine, Patient, unbound));
    }

    [Fact]
    public async Task A_signed_assertion_there_gives_a_bound_token_too_and_another_clients_certificate_gives_none()
    {
        await Activate(Client);
        await Activate(Client + "-x");
        var mine = At(hospital.ClientAddress, await ForProgram());
        var other = At(hospital.ClientAddress, await ForProgram(Client + "-x"));
        var plain = At(hospital.Address, null);

        var token = await Token(mine, Signed(mine));
        Assert.Equal(HttpStatusCode.OK, await Get(mine, Patient, token));
        Assert.Equal(HttpStatusCode.Unauthorized, await Get(plain, Patient, token));
        Assert.Equal(HttpStatusCode.Unauthorized, (await Ask(other, Signed(other))).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await Ask(other, ByCertificate())).Status);

        // Without a certificate a client id alone says nothing, and is no form of a request there.
        Assert.Equal(HttpStatusCode.BadRequest, (await Ask(plain, ByCertificate())).Status);

        var text = await mine.Http.GetStringAsync(new Uri("/.well-known/smart-configuration", UriKind.Relative));
        Assert.Contains("tls_client_auth", text, StringComparison.Ordinal);
        Assert.Contains("\"tls_client_certificate_bound_access_tokens\":true", text, StringComparison.Ordinal);
        Assert.DoesNotContain("tls_client_auth", await plain.Http.GetStringAsync(new Uri("/.well-known/smart-configuration", UriKind.Relative)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_program_of_certificates_alone_gets_no_other_token_and_those_that_are_out_are_401()
    {
        await Activate(Client);
        var mine = At(hospital.ClientAddress, await ForProgram());
        var plain = At(hospital.Address, null);
        var unbound = await Token(plain, Signed(plain));
        _ = (await Directory.RequireCertificate(boss, Client, true, default)).Value;

        Assert.Equal(HttpStatusCode.Unauthorized, await Get(plain, Patient, unbound));
        Assert.Equal(HttpStatusCode.Unauthorized, (await Ask(plain, Signed(plain))).Status);
        Assert.Equal(HttpStatusCode.OK, await Get(mine, Patient, await Token(mine, ByCertificate())));
    }

    [Fact]
    public async Task Over_http_2_the_same_holds()
    {
        await Activate(Client);
        var certificate = await ForProgram();
        var (mine, plain) = (At(hospital.ClientAddress, certificate), At(hospital.Address, null));
        foreach (var caller in new[] { mine, plain })
        {
            caller.Http.DefaultRequestVersion = HttpVersion.Version20;
            caller.Http.DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact;
        }

        var (bound, unbound) = (await Token(mine, ByCertificate()), await Token(plain, Signed(plain)));
        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.Unauthorized), (await Get(mine, Patient, bound), await Get(plain, Patient, bound)));
        Assert.Equal((HttpStatusCode.Unauthorized, HttpStatusCode.OK), (await Get(mine, Patient, unbound), await Get(plain, Patient, unbound)));
        Assert.Equal(HttpStatusCode.NotFound, await Get(mine, "/sign-in", null));
        _ = (await Clients.Revoke(boss, ClientKind.Program, Client, ClientGate.Fingerprint(certificate), default)).Value;
        Assert.Equal(HttpStatusCode.Unauthorized, await Get(mine, Patient, bound));
    }

    [Theory]
    [InlineData("certificate")]
    [InlineData("program")]
    [InlineData("suspended")]
    public async Task A_revocation_is_401_on_the_standing_connection_within_a_second_and_shuts_the_next_handshake(string what)
    {
        await Activate(Client);
        var certificate = await ForProgram();
        var mine = At(hospital.ClientAddress, certificate);
        var token = await Token(mine, ByCertificate());
        Assert.Equal(HttpStatusCode.OK, await Get(mine, Patient, token));
        _ = what switch
        {
            "certificate" => (object)(await Clients.Revoke(boss, ClientKind.Program, Client, ClientGate.Fingerprint(certificate), default)).Value,
            "program" => (await Directory.Revoke(boss, Client, default)).Value,
            _ => (await Directory.Suspend(boss, Client, default)).Value,
        };
        var since = System.Diagnostics.Stopwatch.StartNew();

        Assert.Equal(HttpStatusCode.Unauthorized, await Get(mine, Patient, token));
        Assert.True(since.Elapsed < TimeSpan.FromSeconds(1), $"It took {since.Elapsed}.");
        Assert.Equal(what != "suspended", await Refused(certificate));
        if (what != "suspended")
        {
            Assert.Contains(await hospital.Log(), entry => entry.Action == ClientCertificates.ShowAction && entry.Reason == "client.certificate-ended");
        }
    }

    [Theory]
    [InlineData("none")]
    [InlineData("self-signed")]
    [InlineData("other-authority")]
    [InlineData("server-use")]
    [InlineData("no-use")]
    [InlineData("both-uses")]
    [InlineData("unlisted")]
    [InlineData("expired")]
    [InlineData("run-out")]
    [InlineData("servers-own")]
    public async Task A_handshake_with_anything_else_is_refused_and_is_an_entry(string wrong)
    {
        await Activate(Client);
        using var good = await ForProgram();
        Assert.False(await Refused(good));
        var others = new WrongCertificates(hospital.Hospital.Vault.Secrets, clock);
        using var certificate = wrong switch
        {
            "none" => null,
            "self-signed" => others.Self(),
            "other-authority" => others.Stranger(),
            "server-use" => await others.Authority([WrongCertificates.ServerUse]),
            "no-use" => await others.Authority([]),
            "both-uses" => await others.Authority([WrongCertificates.ClientUse, WrongCertificates.ServerUse]),
            "unlisted" => await others.Authority([WrongCertificates.ClientUse]),
            "expired" => await others.Authority([WrongCertificates.ClientUse], -10, -1),
            "servers-own" => await others.ServersOwn(),
            _ => await ForProgram(days: 1),
        };
        if (wrong == "run-out")
        {
            Assert.False(await Refused(certificate));
            clock.Pass(TimeSpan.FromDays(1));
        }

        var before = (await hospital.Log()).Count(IsRefusal);
        Assert.True(await Refused(certificate));

        // The entry is written when the connection is gone; a kind that a test before wrote minutes ago is written again.
        var patience = System.Diagnostics.Stopwatch.StartNew();
        while ((await hospital.Log()).Count(IsRefusal) == before)
        {
            Assert.True(patience.Elapsed < TimeSpan.FromSeconds(10), "No entry was written.");
            await Task.Delay(50);
        }

        static bool IsRefusal(Mangrove.Vault.Audit.AuditEntry entry) => entry.Action == ClientCertificates.ShowAction && entry.Outcome == Mangrove.Vault.Audit.AuditOutcome.Refused;
    }

    [Fact]
    public async Task The_address_for_browsers_asks_nobody_for_a_certificate_and_the_other_only_speaks_tls_1_3()
    {
        await Activate(Client);
        using var certificate = await ForProgram();
        await using (var browser = await Handshake(hospital.Address, certificate, SslProtocols.None))
        {
            Assert.False(browser.IsMutuallyAuthenticated);
            Assert.Equal(SslProtocols.Tls13, browser.SslProtocol);
        }

        await using (var client = await Handshake(hospital.ClientAddress, certificate, SslProtocols.None))
        {
            Assert.True(client.IsMutuallyAuthenticated);
            Assert.Equal(SslProtocols.Tls13, client.SslProtocol);
        }

        await Assert.ThrowsAnyAsync<Exception>(() => Handshake(hospital.ClientAddress, certificate, SslProtocols.Tls12));
    }

    [Fact]
    public async Task A_program_finds_there_what_is_made_for_programs_under_the_same_headers_and_host_names()
    {
        await Activate(Client);
        var mine = At(hospital.ClientAddress, await ForProgram());
        foreach (var page in (string[])["/sign-in", "/", "/device", "/admin/integrations", "/authority", "/patients"])
        {
            using var answer = await mine.Http.GetAsync(new Uri(page, UriKind.Relative));
            Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
            Assert.Contains("frame-ancestors 'none'", answer.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
            Assert.Equal("no-store", answer.Headers.CacheControl!.ToString());
        }

        using var elsewhere = new HttpRequestMessage(HttpMethod.Get, "/fhir/R4/metadata") { Headers = { Host = "elsewhere.test" } };
        using var refused = await mine.Http.SendAsync(elsewhere);
        Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
        Assert.Equal(HttpStatusCode.OK, await Get(mine, "/fhir/R4/metadata", null));
    }

    [Fact]
    public async Task At_a_desktop_the_certificate_is_the_proof_and_the_session_goes_on_there_alone()
    {
        using var certificate = await ForDevice(Device);
        using var other = await ForDevice(Device + "-x");
        using var doctor = await hospital.SignIn(Role.Doctor, certificate);
        Assert.Equal(HttpStatusCode.OK, (await doctor.Send("GET", "/patients")).Status);
        Assert.Equal(Device, (await hospital.Log()).Last(entry => entry.Action == "SIGN_IN").Device);

        foreach (var elsewhere in new[] { At(hospital.Address, null), At(hospital.ClientAddress, other) })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/patients") { Headers = { { "Cookie", doctor.Cookies }, { "Accept", "text/html" } } };
            using var answer = await elsewhere.Http.SendAsync(request);
            Assert.Equal(HttpStatusCode.Redirect, answer.StatusCode);
            Assert.StartsWith("/sign-in", answer.Headers.Location!.ToString(), StringComparison.Ordinal);
        }

        Assert.Equal(HttpStatusCode.OK, (await doctor.Send("GET", "/patients")).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await Ask(At(hospital.ClientAddress, certificate), ByCertificate())).Status);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Taking_a_desktop_or_its_certificate_back_closes_its_streams_and_pages_within_a_second(bool wholeDevice)
    {
        using var certificate = await ForDevice(Device);
        using var nurse = await hospital.SignIn(Role.Nurse, certificate);
        Assert.Equal(HttpStatusCode.OK, (await nurse.Send("GET", "/board")).Status);
        var listening = At(hospital.ClientAddress, certificate);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/events") { Headers = { { "Cookie", nurse.Cookies }, { "Accept", "text/event-stream" }, { "Sec-Fetch-Site", "same-origin" } } };
        using var answer = await listening.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        await using var stream = await answer.Content.ReadAsStreamAsync();
        var reading = stream.CopyToAsync(Stream.Null);

        if (wholeDevice)
        {
            _ = (await hospital.Hospital.Vault.Identity.Devices.Revoke(boss, Device, default)).Value;
        }
        else
        {
            _ = (await Clients.Revoke(boss, ClientKind.Device, Device, ClientGate.Fingerprint(certificate), default)).Value;
        }

        await reading.WaitAsync(TimeSpan.FromSeconds(1));
        try
        {
            Assert.Equal(HttpStatusCode.Unauthorized, (await nurse.Send("GET", "/board")).Status);
        }
        catch (HttpRequestException)
        {
            // Its connections were closed with the session, and no new one is taken: Refused says so too.
        }

        Assert.True(await Refused(certificate));
    }

    [Fact]
    public async Task A_certificate_that_runs_out_closes_its_stream_within_a_second_though_the_session_goes_on()
    {
        using var certificate = await ForDevice(Device, days: 1);
        clock.Pass(TimeSpan.FromDays(1) - TimeSpan.FromMinutes(2));
        using var nurse = await hospital.SignIn(Role.Nurse, certificate);
        var listening = At(hospital.ClientAddress, certificate);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/events") { Headers = { { "Cookie", nurse.Cookies }, { "Accept", "text/event-stream" }, { "Sec-Fetch-Site", "same-origin" } } };
        using var answer = await listening.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        using var lines = new StreamReader(await answer.Content.ReadAsStreamAsync());
        var reading = lines.ReadToEndAsync();
        clock.Pass(TimeSpan.FromMinutes(1));
        await Task.Delay(TimeSpan.FromSeconds(2));
        Assert.False(reading.IsCompleted);

        clock.Pass(TimeSpan.FromMinutes(1));

        // One second of the look, and what a busy machine takes to come to it.
        Assert.Contains("data: lock", await reading.WaitAsync(TimeSpan.FromSeconds(3)), StringComparison.Ordinal);
        Assert.Equal(1, hospital.Hospital.Vault.Identity.Sessions.Count().Live - hospital.Hospital.Vault.Identity.Sessions.Count().Locked);
        Assert.Equal(HttpStatusCode.Unauthorized, (await nurse.Send("GET", "/board")).Status);
    }

    private Caller At(Uri address, X509Certificate2? certificate)
    {
        var handler = new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, SslOptions = { RemoteCertificateValidationCallback = (_, shown, _, _) => shown is not null } };
        if (certificate is not null)
        {
            handler.SslOptions.LocalCertificateSelectionCallback = (_, _, _, _, _) => certificate;
        }

        var caller = new Caller(new HttpClient(handler) { BaseAddress = address }, certificate);
        made.Add(caller.Http);
        return caller;
    }

    /// <summary>Whether a connection with this certificate gets no answer, asked in a new handshake.</summary>
    private async Task<bool> Refused(X509Certificate2? certificate)
    {
        try
        {
            using var answer = await At(hospital.ClientAddress, certificate).Http.GetAsync(new Uri("/fhir/R4/metadata", UriKind.Relative));
            return false;
        }
        catch (HttpRequestException)
        {
            return true;
        }
    }

    private static async Task<SslStream> Handshake(Uri address, X509Certificate2 certificate, SslProtocols protocols)
    {
        var socket = new TcpClient();
        await socket.ConnectAsync(IPAddress.Loopback, address.Port);
        var stream = new SslStream(socket.GetStream());
        await stream.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = "localhost",
            EnabledSslProtocols = protocols,
            ApplicationProtocols = [SslApplicationProtocol.Http11],
            RemoteCertificateValidationCallback = (_, shown, _, _) => shown is not null,
            ClientCertificates = [certificate],
            LocalCertificateSelectionCallback = (_, _, _, _, _) => certificate,
        });
        await stream.WriteAsync("GET /fhir/R4/metadata HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"u8.ToArray());
        using var answer = new StreamReader(stream, leaveOpen: true);
        Assert.StartsWith("HTTP/1.1 200", await answer.ReadLineAsync(), StringComparison.Ordinal);
        return stream;
    }

    private async Task Activate(string client)
    {
        _ = (await Directory.Register(boss, new NewIntegration(client, "Laboratory bridge", Purpose.Treatment, key.ExportSubjectPublicKeyInfoPem(), Scopes), default)).Value;
        var agreement = new NewAgreement(new string('a', 64), "Jo Partner", DateOnly.FromDateTime(clock.GetLocalNow().DateTime).AddDays(300));
        var filing = (await Directory.FileAgreement(boss, client, agreement, default)).Value.Filing;
        _ = (await Directory.Approve(boss, client, filing, default)).Value;
        _ = (await Directory.Approve(served.Other, client, filing, default)).Value;
    }

    private async Task<X509Certificate2> ForProgram(string? client = null, int days = 200)
    {
        using var own = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return WithKey((await Clients.IssueToProgram(boss, client ?? Client, Request(own), days, default)).Value, own);
    }

    private async Task<X509Certificate2> ForDevice(string name, int? days = null)
    {
        using var own = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        _ = (await hospital.Hospital.Vault.Identity.Devices.Register(boss, name, "Records", default)).Value;
        return WithKey((await Clients.IssueToDevice(boss, name, Request(own), days, default)).Value, own);
    }

    private static string Request(ECDsa own) => new CertificateRequest("CN=whoever", own, HashAlgorithmName.SHA256).CreateSigningRequestPem();

    private X509Certificate2 WithKey(IssuedCertificate issued, ECDsa own)
    {
        using var bare = X509Certificate2.CreateFromPem(issued.Certificate.Pem());
        return Kept(bare.CopyWithPrivateKey(own));
    }

    private X509Certificate2 Kept(X509Certificate2 certificate)
    {
        made.Add(certificate);
        return certificate;
    }

    private Dictionary<string, string> ByCertificate() => new(StringComparer.Ordinal) { ["grant_type"] = "client_credentials", ["client_id"] = Client, ["scope"] = Scopes };

    private Dictionary<string, string> Signed(Caller caller)
    {
        var claims = JsonSerializer.Serialize(new
        {
            iss = Client,
            sub = Client,
            aud = new Uri(caller.Http.BaseAddress!, "/auth/token").ToString(),
            exp = clock.GetUtcNow().ToUnixTimeSeconds() + 300,
            jti = Ids.New().ToString("N"),
        });
        var text = $"{Base64Url.EncodeToString("""{"alg":"ES256","typ":"JWT"}"""u8)}.{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(claims))}";
        return new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["grant_type"] = "client_credentials",
            ["client_assertion_type"] = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            ["client_assertion"] = $"{text}.{Base64Url.EncodeToString(key.SignData(Encoding.UTF8.GetBytes(text), HashAlgorithmName.SHA256))}",
            ["scope"] = Scopes,
        };
    }

    private static async Task<(HttpStatusCode Status, string Body)> Ask(Caller caller, Dictionary<string, string> form)
    {
        using var content = new FormUrlEncodedContent(form);
        using var answer = await caller.Http.PostAsync(new Uri("/auth/token", UriKind.Relative), content);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }

    private static async Task<string> Token(Caller caller, Dictionary<string, string> form)
    {
        var answer = await Ask(caller, form);
        Assert.True(answer.Status == HttpStatusCode.OK, answer.Body);
        using var json = JsonDocument.Parse(answer.Body);
        return json.RootElement.GetProperty("access_token").GetString()!;
    }

    private static async Task<HttpStatusCode> Get(Caller caller, string what, string? token)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, what);
        if (token is not null)
        {
            request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {token}");
        }

        using var answer = await caller.Http.SendAsync(request);
        return answer.StatusCode;
    }

    private sealed record Caller(HttpClient Http, X509Certificate2? Certificate);
}
