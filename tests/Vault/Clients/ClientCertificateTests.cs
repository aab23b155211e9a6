using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Mangrove.Kernel;
using Mangrove.Tests.Vault.Identity;
using Mangrove.Tests.Vault.Integrations;
using Mangrove.Vault;
using Mangrove.Vault.Audit;
using Mangrove.Vault.Clients;
using Mangrove.Vault.Integrations;

namespace Mangrove.Tests.Vault.Clients;

/// <summary>What the hospital signs for programs, what a handshake lets in, and what a token is worth without its certificate.</summary>
public abstract class ClientCertificateTests : IntegrationsOnEveryDatabase
{
    private const string Client = "lab-bridge";
    private const string Scope = "system/Patient.r?part=name";

    [Fact]
    public async Task A_certificate_says_what_the_hospital_knows_and_nothing_that_the_request_asked_for()
    {
        var house = await House();
        await house.Active();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var issued = (await house.Clients.IssueToProgram(house.Administrator(), Client, TestAuthority.Request(key), null, default)).Value;

        using var certificate = X509Certificate2.CreateFromPem(issued.Certificate.Pem());
        Assert.Equal("CN=lab-bridge, OU=program, O=Kivuko Referral Hospital", certificate.Subject);
        Assert.Equal(key.ExportSubjectPublicKeyInfo(), certificate.PublicKey.ExportSubjectPublicKeyInfo());
        Assert.Equal([TestAuthority.ClientUse], certificate.Extensions.OfType<X509EnhancedKeyUsageExtension>().Single().EnhancedKeyUsages.Cast<Oid>().Select(use => use.Value));
        Assert.False(certificate.Extensions.OfType<X509BasicConstraintsExtension>().Single().CertificateAuthority);
        Assert.Equal(X509KeyUsageFlags.DigitalSignature, certificate.Extensions.OfType<X509KeyUsageExtension>().Single().KeyUsages);
        Assert.Empty(certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().Single().EnumerateDnsNames());
        Assert.Contains("urn:mangrove:program:lab-bridge", certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().Single().Format(false), StringComparison.Ordinal);
        Assert.True(certificate.SerialNumberBytes.Length >= 15);

        // The dates of a certificate are whole seconds.
        Assert.InRange(certificate.NotAfter.ToUniversalTime() - house.Clock.GetUtcNow().UtcDateTime, TimeSpan.FromDays(90) - TimeSpan.FromSeconds(1), TimeSpan.FromDays(90));
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(certificate.RawData)), issued.Certificate.Fingerprint);
        using var gate = await house.Clients.Gate(default);
        Assert.Null(gate.Judge(certificate));
        Assert.Equal((ClientKind.Program, Client, issued.Certificate.Fingerprint), (await house.Clients.Standing(certificate, default)) is { } shown ? (shown.Kind, shown.Name, shown.Fingerprint) : default);

        // Another one runs beside it, and the entry names both.
        var second = (await house.Clients.IssueToProgram(house.Administrator(), Client, TestAuthority.Request(key), 397, default)).Value;
        Assert.NotEqual(issued.Certificate.Serial, second.Certificate.Serial);
        Assert.NotNull(await house.Clients.Standing(certificate, default));
        var entries = await house.Entries("ISSUE_CERTIFICATE");
        Assert.All(entries, entry => Assert.Equal(("integration:lab-bridge", "boss1"), (entry.Resource, entry.Actor)));
        Assert.StartsWith($"certificate none -> {issued.Certificate.Fingerprint}, until ", entries[0].Reason, StringComparison.Ordinal);
        Assert.StartsWith($"certificate {issued.Certificate.Fingerprint} -> {second.Certificate.Fingerprint}, until ", entries[1].Reason, StringComparison.Ordinal);
        Assert.Equal([second.Certificate.Fingerprint, issued.Certificate.Fingerprint], (await house.Clients.List(house.Administrator(), ClientKind.Program, Client, default)).Select(one => one.Fingerprint));
    }

    [Theory]
    [InlineData("nothing", "certificate.request-invalid")]
    [InlineData("text", "certificate.request-invalid")]
    [InlineData("certificate", "certificate.request-invalid")]
    [InlineData("stolen-key", "certificate.request-invalid")]
    [InlineData("long", "certificate.request-invalid")]
    [InlineData("private", "certificate.private")]
    [InlineData("p384", "certificate.key")]
    [InlineData("rsa2048", "certificate.key")]
    [InlineData("days-none", "certificate.days")]
    [InlineData("days-many", "certificate.days")]
    [InlineData("stranger", "integration.unknown")]
    [InlineData("ended", "integration.state")]
    public async Task A_request_that_does_not_show_a_strong_key_is_refused_and_signs_nothing(string wrong, string code)
    {
        var house = await House();
        await house.Active();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var large = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        using var small = RSA.Create(2048);
        var good = TestAuthority.Request(key);
        if (wrong == "ended")
        {
            _ = (await house.Directory.Revoke(house.Administrator(), Client, default)).Value;
        }

        var text = wrong switch
        {
            "nothing" => "",
            "text" => "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----",
            "certificate" => house.Authority.Certificate.ExportCertificatePem(),
            "stolen-key" => Forged(good),
            "long" => good + new string('\n', 17_000),
            "private" => good + "\n" + key.ExportPkcs8PrivateKeyPem(),
            "p384" => TestAuthority.Request(large),
            "rsa2048" => TestAuthority.Request(small),
            _ => good,
        };

        var refused = await house.Clients.IssueToProgram(house.Administrator(), wrong == "stranger" ? "nobody" : Client, text, wrong switch { "days-none" => 0, "days-many" => 398, _ => null }, default);

        Assert.Equal(code, refused.Error!.Code);
        Assert.Empty(await house.Clients.List(house.Administrator(), ClientKind.Program, Client, default));
        var entry = Assert.Single(await house.Entries("ISSUE_CERTIFICATE"));
        Assert.Equal((AuditOutcome.Refused, code), (entry.Outcome, entry.Reason));
    }

    [Fact]
    public async Task An_rsa_key_of_3072_bits_is_strong_enough()
    {
        var house = await House();
        await house.Active();
        using var key = RSA.Create(3072);
        var issued = (await house.Clients.IssueToProgram(house.Administrator(), Client, TestAuthority.Request(key), 1, default)).Value;
        using var certificate = X509Certificate2.CreateFromPem(issued.Certificate.Pem());
        using var gate = await house.Clients.Gate(default);
        Assert.Null(gate.Judge(certificate));
    }

    [Fact]
    public async Task Only_an_administrator_signs_lists_and_revokes()
    {
        var house = await House();
        await house.Active();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var doctor = house.Administrator(7, Role.Doctor);
        await Assert.ThrowsAsync<Refused>(() => house.Clients.IssueToProgram(doctor, Client, TestAuthority.Request(key), null, default));
        await Assert.ThrowsAsync<Refused>(() => house.Clients.Revoke(doctor, ClientKind.Program, Client, new string('a', 64), default));
        await Assert.ThrowsAsync<Refused>(() => house.Clients.List(doctor, ClientKind.Program, Client, default));
        await Assert.ThrowsAsync<Refused>(() => house.Directory.RequireCertificate(doctor, Client, true, default));
    }

    // What is listed here by hand is refused for one reason alone: each check stands by itself.
    [Theory]
    [InlineData("good", true, null)]
    [InlineData("good", false, "client.certificate-unlisted")]
    [InlineData("self-signed", true, "client.certificate-chain")]
    [InlineData("other-authority", true, "client.certificate-chain")]
    [InlineData("server-use", true, "client.certificate-chain")]
    [InlineData("two-uses", true, "client.certificate-use")]
    [InlineData("no-use", true, "client.certificate-use")]
    [InlineData("expired", true, "client.certificate-expired")]
    [InlineData("early", true, "client.certificate-expired")]
    [InlineData("authority", true, "client.certificate-use")]
    public async Task A_handshake_lets_in_what_this_authority_signed_for_clients_and_listed(string kind, bool listed, string? code)
    {
        var house = await House();
        var program = await house.Active();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var stranger = new TestAuthority(house.Clock);
        using var certificate = kind switch
        {
            "self-signed" => SelfSigned(key, house.Clock.GetUtcNow()),
            "other-authority" => stranger.Sign(key, [TestAuthority.ClientUse]),
            "server-use" => house.Authority.Sign(key, [TestAuthority.ServerUse]),
            "two-uses" => house.Authority.Sign(key, [TestAuthority.ClientUse, TestAuthority.ServerUse]),
            "no-use" => house.Authority.Sign(key, []),
            "expired" => house.Authority.Sign(key, [TestAuthority.ClientUse], -3, 0),
            "early" => house.Authority.Sign(key, [TestAuthority.ClientUse], 1, 3),
            "authority" => X509CertificateLoader.LoadCertificate(house.Authority.Certificate.RawData),
            _ => house.Authority.Sign(key, [TestAuthority.ClientUse]),
        };
        if (listed)
        {
            await house.Run($"""
                INSERT INTO client_certificate (fingerprint, serial, kind, holder, name, valid_from, valid_to, issued, issued_by, certificate)
                SELECT {Bytes(house, SHA256.HashData(certificate.RawData))}, {Bytes(house, certificate.SerialNumberBytes.ToArray())}, 1, id, client, 0, 9999999999999, 0, 1, {Bytes(house, certificate.RawData)} FROM integration
                """);
            await house.Register.Load(default);
        }

        using var gate = await house.Clients.Gate(default);
        Assert.Equal(code, gate.Judge(certificate)?.Code);
        Assert.Equal("client.certificate-missing", gate.Judge(null)?.Code);
        Assert.Equal(IntegrationState.Active, program.State);
    }

    [Fact]
    public async Task Revoking_a_certificate_its_program_or_its_time_ends_it_at_once()
    {
        foreach (var end in (string[])["certificate", "program", "time"])
        {
            var house = await House();
            await house.Active();
            using var gate = await house.Clients.Gate(default);
            using var mine = await Issue(house);
            using var other = await Issue(house);
            var caller = await Bound(house, mine);
            Assert.Equal(IntegrationHouse.Secret, await house.Read(caller.Actor));
            switch (end)
            {
                case "certificate":
                    var spelled = string.Join(':', ClientGate.Fingerprint(mine).Chunk(2).Select(pair => new string(pair))).ToUpperInvariant();
                    Assert.Equal(ClientGate.Fingerprint(mine), (await house.Clients.Revoke(house.Administrator(), ClientKind.Program, Client, spelled, default)).Value.Fingerprint);
                    Assert.Equal("certificate.unknown", (await house.Clients.Revoke(house.Administrator(), ClientKind.Program, Client, spelled, default)).Error!.Code);
                    Assert.Null(gate.Judge(other));
                    Assert.NotNull(await house.Clients.Standing(other, default));
                    Assert.EndsWith(" -> revoked", (await house.Entries("REVOKE_CERTIFICATE"))[0].Reason, StringComparison.Ordinal);
                    break;
                case "program":
                    _ = (await house.Directory.Revoke(house.Administrator(), Client, default)).Value;
                    Assert.NotNull(gate.Judge(other));
                    Assert.Equal("active -> revoked, 2 certificates revoked", Assert.Single(await house.Entries("REVOKE_INTEGRATION")).Reason);
                    break;
                default:
                    // Almost: a token asked for in the last second of it dies with the certificate.
                    house.Clock.Pass(TimeSpan.FromDays(20) - TimeSpan.FromSeconds(10));
                    caller = await Bound(house, mine);
                    Assert.Equal(IntegrationHouse.Secret, await house.Read(caller.Actor));
                    house.Clock.Pass(TimeSpan.FromSeconds(11));
                    break;
            }

            Assert.NotNull(gate.Judge(mine));
            Assert.Null(await house.Clients.Standing(mine, default));
            Assert.Null(await house.Read(caller.Actor));
            Assert.Equal(ServiceTokens.NotValid, (await house.Tokens.Check(caller.Token, IntegrationHouse.Address, caller.Shown, default)).Error);
            Assert.Equal(ServiceTokens.NotVerified, (await house.Tokens.Issue(ByCertificate(caller.Shown), default)).Error);
        }
    }

    [Fact]
    public async Task What_another_process_revoked_opens_nothing_here()
    {
        var house = await House();
        await house.Active();
        using var mine = await Issue(house);
        var caller = await Bound(house, mine);
        using var elsewhere = house.Elsewhere();
        _ = (await elsewhere.Directory.Revoke(house.Administrator(), Client, default)).Value;

        Assert.Null(await house.Clients.Standing(mine, default));
        Assert.Null(await house.Read(caller.Actor));
    }

    [Fact]
    public async Task A_bound_token_opens_nothing_without_its_certificate_and_an_unbound_one_nothing_over_one()
    {
        var house = await House();
        await house.Active();
        await house.Active("other-bridge");
        using var mine = await Issue(house);
        using var second = await Issue(house);
        using var others = await Issue(house, "other-bridge");
        var caller = await Bound(house, mine);
        var unbound = await house.Token();

        Assert.Contains(ClientGate.Fingerprint(mine), (await house.Entries(ServiceTokens.IssueAction))[0].Reason, StringComparison.Ordinal);
        foreach (var (token, by, ok) in new[]
        {
            (caller.Token, mine, true), (caller.Token, null, false), (caller.Token, second, false), (caller.Token, others, false),
            (unbound, null, true), (unbound, mine, false), (unbound, others, false),
        })
        {
            var shown = by is null ? null : await house.Clients.Standing(by, default);
            Assert.Equal(ok, (await house.Tokens.Check(token, IntegrationHouse.Address, shown, default)).Ok);
        }
    }

    [Fact]
    public async Task A_certificate_is_worth_nothing_to_another_client_with_or_without_an_assertion()
    {
        var house = await House();
        await house.Active();
        await house.Active("other-bridge");
        using var mine = await Issue(house);
        var shown = await house.Clients.Standing(mine, default);
        var assertion = new TokenRequest(house.Assertion().Signed(), Scope, IntegrationHouse.Audience, IntegrationHouse.Address);

        Assert.True((await house.Tokens.Issue(ByCertificate(shown), default)).Ok);
        Assert.True((await house.Tokens.Issue(assertion with { Certificate = shown }, default)).Ok);
        Assert.Equal(ServiceTokens.NotVerified, (await house.Tokens.Issue(ByCertificate(shown) with { Client = "other-bridge" }, default)).Error);
        Assert.Equal(ServiceTokens.NotVerified, (await house.Tokens.Issue(ByCertificate(shown) with { Client = null }, default)).Error);
        Assert.Equal(ServiceTokens.NotVerified, (await house.Tokens.Issue(ByCertificate(null), default)).Error);
        Assert.Equal(
            ServiceTokens.NotVerified,
            (await house.Tokens.Issue(assertion with { Assertion = house.Assertion("other-bridge").Signed(), Certificate = shown }, default)).Error);
        Assert.Equal("service.scope", (await house.Tokens.Issue(ByCertificate(shown) with { Scope = "system/Patient.r?part=contact" }, default)).Error!.Code);
        Assert.Equal(
            ["service.certificate-client", "service.unknown", "service.assertion-malformed", "service.scope"],
            (await house.Entries(ServiceTokens.IssueAction)).Where(entry => entry.Outcome == AuditOutcome.Refused).Select(entry => entry.Reason));
    }

    [Fact]
    public async Task A_program_of_certificates_alone_is_neither_given_nor_allowed_a_token_that_is_bound_to_none()
    {
        var house = await House();
        await house.Active();
        using var mine = await Issue(house);
        var unbound = await house.Token();
        var before = (await house.Tokens.Check(unbound, IntegrationHouse.Address, null, default)).Value;
        Assert.True((await house.Directory.RequireCertificate(house.Administrator(), Client, true, default)).Value.CertificateOnly);

        Assert.Equal(ServiceTokens.NotValid, (await house.Tokens.Check(unbound, IntegrationHouse.Address, null, default)).Error);
        Assert.Null(await house.Read(before));
        var refused = await house.Tokens.Issue(new TokenRequest(house.Assertion().Signed(), Scope, IntegrationHouse.Audience, IntegrationHouse.Address), default);
        Assert.Equal(ServiceTokens.NotVerified, refused.Error);
        Assert.Equal("service.certificate-needed", (await house.Entries(ServiceTokens.IssueAction))[^1].Reason);
        Assert.Equal(IntegrationHouse.Secret, await house.Read((await Bound(house, mine)).Actor));

        Assert.False((await house.Directory.RequireCertificate(house.Administrator(), Client, false, default)).Value.CertificateOnly);
        Assert.Equal(IntegrationHouse.Secret, await house.Read(await house.Caller()));
        Assert.Equal(["any way -> certificate only", "certificate only -> any way"], (await house.Entries("REQUIRE_CERTIFICATE")).Select(entry => entry.Reason));
    }

    [Fact]
    public async Task A_refused_handshake_is_an_entry_and_a_flood_of_them_is_one()
    {
        var house = await House();
        await house.Active();
        using var mine = await Issue(house);
        var why = new Error("client.certificate-unlisted", "No.");
        for (var n = 0; n < 5; n++)
        {
            await house.Clients.NoteRefusal("10.0.0.7", new string('a', 64), why, default);
        }

        await house.Clients.NoteRefusal("10.0.0.8", ClientGate.Fingerprint(mine), why, default);
        Assert.Equal(
            [("address:10.0.0.7", "certificate", why.Code), ("address:10.0.0.8", $"certificate:{ClientGate.Fingerprint(mine)}", why.Code)],
            (await house.Entries(ClientCertificates.ShowAction)).Select(entry => (entry.Device, entry.Resource, entry.Reason)));
    }

    private static TokenRequest ByCertificate(ShownClient? shown) => new(null, Scope, IntegrationHouse.Audience, IntegrationHouse.Address) { Certificate = shown, Client = Client };

    private static async Task<X509Certificate2> Issue(IntegrationHouse house, string client = Client)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return X509Certificate2.CreateFromPem((await house.Clients.IssueToProgram(house.Administrator(), client, TestAuthority.Request(key), 20, default)).Value.Certificate.Pem());
    }

    private static async Task<(Mangrove.Vault.Identity.Actor Actor, string Token, ShownClient Shown)> Bound(IntegrationHouse house, X509Certificate2 certificate)
    {
        var shown = await house.Clients.Standing(certificate, default);
        var token = (await house.Tokens.Issue(ByCertificate(shown), default)).Value.Text;
        return ((await house.Tokens.Check(token, IntegrationHouse.Address, shown, default)).Value, token, shown!);
    }

    private static X509Certificate2 SelfSigned(ECDsa key, DateTimeOffset now)
    {
        var request = new CertificateRequest("CN=lab-bridge", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(TestAuthority.ClientUse)], true));
        return request.CreateSelfSigned(now.AddDays(-1), now.AddDays(30));
    }

    /// <summary>The request of one key with the signature of nobody.</summary>
    private static string Forged(string request)
    {
        var fields = PemEncoding.Find(request);
        var bytes = Convert.FromBase64String(request[fields.Base64Data]);
        bytes[^1] ^= 1;
        return PemEncoding.WriteString("CERTIFICATE REQUEST", bytes);
    }

    private static string Bytes(IntegrationHouse house, byte[] bytes) => house.Store.IsSqlite ? $"x'{Convert.ToHexString(bytes)}'" : $"'\\x{Convert.ToHexString(bytes)}'::bytea";
}

public sealed class ClientCertificatesOnSqliteTests : ClientCertificateTests
{
    protected override Task<StorageOptions> NewStorage() => Task.FromResult(InNewFolder());
}

public sealed class ClientCertificatesOnPostgresTests : ClientCertificateTests
{
    protected override Task<StorageOptions> NewStorage() => PostgresStorage.Create();
}
