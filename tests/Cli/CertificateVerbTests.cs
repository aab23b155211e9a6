using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.RegularExpressions;
using Mangrove.Kernel;
using Mangrove.Vault.Access;
using Mangrove.Vault.Integrations;

namespace Mangrove.Tests.Cli;

/// <summary>Administrators sign, fetch and revoke certificates of clients, by commands and on the pages.</summary>
public sealed partial class CertificateVerbTests(SampleHospital sample) : IClassFixture<SampleHospital>
{
    private const string Device = "Records-Desk-01";

    [Fact]
    public async Task By_commands_a_desktop_gets_a_certificate_reaches_the_server_with_it_and_loses_it()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = sample.Secret("desk.csr", Request(key));
        var chain = Path.Combine(Path.GetDirectoryName(request)!, "desk.pem");
        await using var server = await Served.Start(sample.Data, "--client-urls", "https://localhost:0");
        var clients = await ClientAddress(server);
        Assert.NotEqual(server.Address.Port, clients.Port);

        Assert.Equal("device.unknown", (await Run("device", "certificate", "issue", "--name", Device, "--request", request)).Code);
        Assert.Equal(0, (await Run("device", "code", "--name", Device, "--department", "Records")).Exit);
        Assert.Equal("certificate.request-file", (await Run("device", "certificate", "issue", "--name", Device, "--request", request + ".none")).Code);
        Assert.Equal("certificate.days", (await Run("device", "certificate", "issue", "--name", Device, "--request", request, "--days", "4000")).Code);
        var issued = await Run("device", "certificate", "issue", "--name", Device, "--request", request, "--days", "30", "--out", chain);
        Assert.True(issued.Exit == 0, issued.Error);
        var fingerprint = issued.Json.GetProperty("certificate").GetProperty("fingerprint").GetString()!;

        var written = new X509Certificate2Collection();
        written.ImportFromPemFile(chain);
        Assert.Equal(2, written.Count);
        Assert.Equal(fingerprint, Convert.ToHexStringLower(SHA256.HashData(written[0].RawData)));
        using var certificate = written[0].CopyWithPrivateKey(key);
        Assert.Equal(HttpStatusCode.OK, await Ask(clients, certificate));
        await Assert.ThrowsAsync<HttpRequestException>(() => Ask(clients, null));
        Assert.Equal(HttpStatusCode.OK, await Ask(server.Address, null));

        // What is there is not replaced, and nothing is signed for nothing.
        Assert.Equal("certificate.out-file", (await Run("device", "certificate", "issue", "--name", Device, "--request", request, "--out", chain)).Code);
        Assert.Equal("ok", await Doctor());
        Assert.Equal(0, (await Run("device", "certificate", "issue", "--name", Device, "--request", request, "--days", "10")).Exit);
        Assert.Equal("ok", await Doctor());
        var listed = (await Run("device", "certificate", "list", "--name", Device)).Json;
        Assert.Equal(2, listed.GetArrayLength());
        Assert.Equal(0, (await Run("device", "certificate", "revoke", "--name", Device, "--fingerprint", fingerprint)).Exit);
        Assert.Equal("warn", await Doctor());
        await Assert.ThrowsAsync<HttpRequestException>(() => Ask(clients, certificate));
        Assert.Equal("certificate.unknown", (await Run("device", "certificate", "revoke", "--name", Device, "--fingerprint", fingerprint)).Code);
        Assert.Equal("integration.unknown", (await Run("integration", "certificate", "issue", "--client", "nobody", "--request", request)).Code);
        Assert.Equal("integration.unknown", (await Run("integration", "certificate", "require", "--client", "nobody")).Code);
        Assert.Equal(0, await server.Stop());
    }

    [Fact]
    public async Task On_the_pages_a_program_and_a_desktop_get_certificates_that_are_shown_fetched_and_revoked()
    {
        using var folder = new Folder();
        await using var hosted = await HostedHospital.Open(sample, await sample.CopyTo(Path.Combine(folder.Path, "copy")), TimeProvider.System, Ids.New);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var identity = hosted.Hospital.Vault.Identity;
        var (user, password) = sample.Login(Role.Admin);
        var admin = (await identity.SignIn.CommandLine(user, password, default)).Value;
        _ = (await hosted.Hospital.Vault.Integrations.Directory.Register(admin, new NewIntegration("lab-bridge", "Laboratory bridge", Purpose.Treatment, key.ExportSubjectPublicKeyInfoPem(), "system/Patient.r?part=name"), default)).Value;
        _ = (await identity.Devices.Register(admin, "Records-Desk-02", "Records", default)).Value;
        using var browser = await hosted.SignIn(Role.Admin);

        foreach (var (page, place) in new[] { ("/admin/integrations/lab-bridge", "/admin/integrations/lab-bridge/certificates"), ("/admin/devices/Records-Desk-02/certificates", "/admin/devices/Records-Desk-02/certificates") })
        {
            var wrong = await browser.Send("POST", place, new(StringComparer.Ordinal) { ["request"] = "my request" });
            Assert.Equal(HttpStatusCode.UnprocessableEntity, wrong.Status);
            Assert.Contains("certificate.request-invalid", wrong.Text, StringComparison.Ordinal);
            Assert.Contains("my request", wrong.Text, StringComparison.Ordinal);
            Assert.Equal(HttpStatusCode.UnprocessableEntity, (await browser.Send("POST", place, new(StringComparer.Ordinal) { ["request"] = Request(key), ["days"] = "many" })).Status);
            Assert.Equal(HttpStatusCode.SeeOther, (await browser.Send("POST", place, new(StringComparer.Ordinal) { ["request"] = Request(key), ["days"] = "" })).Status);

            var shown = await browser.Send("GET", page);
            var fingerprint = Shown().Match(shown.Text).Groups["sha"].Value;
            Assert.Equal(64, fingerprint.Length);
            var fetched = await browser.Send("GET", $"{place}/{fingerprint}");
            var chain = new X509Certificate2Collection();
            chain.ImportFromPem(fetched.Text);
            Assert.Equal(2, chain.Count);
            Assert.Equal(fingerprint, Convert.ToHexStringLower(SHA256.HashData(chain[0].RawData)));
            Assert.Contains("Content-Disposition: attachment", fetched.Headers, StringComparison.Ordinal);
            Assert.Equal(HttpStatusCode.NotFound, (await browser.Send("GET", $"{place}/{new string('a', 64)}")).Status);
            Assert.Equal(HttpStatusCode.SeeOther, (await browser.Send("POST", place + "/revoke", new(StringComparer.Ordinal) { ["fingerprint"] = fingerprint })).Status);
            Assert.Contains(">Revoked<", (await browser.Send("GET", page)).Text, StringComparison.Ordinal);
            Assert.Equal(HttpStatusCode.UnprocessableEntity, (await browser.Send("POST", place + "/revoke", new(StringComparer.Ordinal) { ["fingerprint"] = fingerprint })).Status);
        }

        Assert.Equal(HttpStatusCode.SeeOther, (await browser.Send("POST", "/admin/integrations/lab-bridge/certificates/only", new(StringComparer.Ordinal) { ["only"] = "yes" })).Status);
        Assert.Contains("its certificate alone", (await browser.Send("GET", "/admin/integrations/lab-bridge")).Text, StringComparison.Ordinal);
        Assert.Contains("Desktop, by certificate", (await browser.Send("GET", "/admin/devices")).Text, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NotFound, (await browser.Send("GET", "/admin/devices/No-Such-Desk/certificates")).Status);
    }

    private static string Request(ECDsa key) => new CertificateRequest("CN=whoever", key, HashAlgorithmName.SHA256).CreateSigningRequestPem();

    /// <summary>What the check of the installation says of certificates that end.</summary>
    private async Task<string?> Doctor()
    {
        var said = await Executable.Run("doctor", "--data", sample.Data, "--json");
        var check = said.Json.GetProperty("checks").EnumerateArray().Single(one => one.GetProperty("name").GetString() == "client-certificates");
        return check.GetProperty("status").GetString();
    }

    private Task<Ran> Run(params string[] words)
    {
        var (user, password) = sample.Account("admin");
        return Executable.Run([.. words, "--data", sample.Data, "--as", user, "--password-file", password, "--json"]);
    }

    /// <summary>The line that follows the one about being ready.</summary>
    private static async Task<Uri> ClientAddress(Served server)
    {
        const string Word = "clients ";
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (true)
        {
            if (server.Said.Split('\n').FirstOrDefault(line => line.StartsWith(Word, StringComparison.Ordinal)) is { } line)
            {
                return new Uri(line[Word.Length..]);
            }

            await Task.Delay(50, patience.Token);
        }
    }

    private static async Task<HttpStatusCode> Ask(Uri address, X509Certificate2? certificate)
    {
        using var handler = new SocketsHttpHandler { SslOptions = { RemoteCertificateValidationCallback = (_, shown, _, _) => shown is not null } };
        if (certificate is not null)
        {
            handler.SslOptions.LocalCertificateSelectionCallback = (_, _, _, _, _) => certificate;
        }

        using var http = new HttpClient(handler);
        using var answer = await http.GetAsync(new Uri(address, "/sign-in"));
        return answer.StatusCode;
    }

    [GeneratedRegex("data-certificate=\"(?<sha>[0-9a-f]{64})\"", RegexOptions.ExplicitCapture, 5_000)]
    private static partial Regex Shown();
}
