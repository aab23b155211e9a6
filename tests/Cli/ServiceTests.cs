using System.Buffers.Text;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Mangrove.Kernel;
using Mangrove.Tests.Shared;
using Mangrove.Vault.Access;
using Mangrove.Vault.Identity;
using Mangrove.Vault.Integrations;

namespace Mangrove.Tests.Cli;

/// <summary>The real server over a sample hospital with two administrators and a marked patient. Time is made up, and only goes on.</summary>
public sealed class ServedHospital : IAsyncLifetime
{
    private readonly SampleHospital sample = new();

    public FakeClock Clock { get; } = new();

    internal HostedHospital Hosted { get; private set; } = null!;

    internal Actor Boss { get; private set; } = null!;

    internal Actor Other { get; private set; } = null!;

    internal Marked Patient { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        await sample.InitializeAsync();

        // The sample was made by the system's clock, and a clock behind it would end every session.
        Clock.SetWall(TimeProvider.System.GetUtcNow().AddMinutes(1) - Clock.GetUtcNow());
        Hosted = await HostedHospital.Open(sample, sample.Storage, Clock, Ids.New, clients: true);
        var identity = Hosted.Hospital.Vault.Identity;
        var (user, password) = sample.Login(Role.Admin);
        Boss = (await identity.SignIn.CommandLine(user, password, default)).Value;
        var link = (await identity.Staff.Create(Boss, new NewStaff("second.boss", "The Second Boss", "admin"), default)).Value;
        _ = (await identity.Staff.SetPassword(link.Token, "velvet tractor mumbles quietly", default)).Value;
        Other = (await identity.SignIn.CommandLine("second.boss", "velvet tractor mumbles quietly", default)).Value;
        Patient = (await Hosted.Patients.Arrive())[2].Patient;
    }

    public async ValueTask DisposeAsync()
    {
        await Hosted.DisposeAsync();
        await sample.DisposeAsync();
    }
}

/// <summary>A program calls the real server over TLS, and administrators let it in and out meanwhile. Each test has a program of its own.</summary>
public sealed class ServiceTests(ServedHospital served) : IClassFixture<ServedHospital>, IAsyncLifetime
{
    private const string Scopes = "system/Patient.r?part=name system/Observation.s?part=lab-results";

    private static int programs;

    private readonly FakeClock clock = served.Clock;
    private readonly HostedHospital hospital = served.Hosted;
    private readonly Actor boss = served.Boss;
    private readonly Actor other = served.Other;
    private readonly Marked patient = served.Patient;
    private readonly ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly HttpClient http = new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        SslOptions = { RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null },
    });

    private string Client { get; } = $"lab-bridge-{Interlocked.Increment(ref programs)}";

    private IntegrationDirectory Directory => hospital.Hospital.Vault.Integrations.Directory;

    private string Patient => Guid.ParseExact(patient.Values["patient"], "N").ToString("D");

    private string TokenAddress => new Uri(hospital.Address, "/auth/token").ToString();

    public ValueTask InitializeAsync()
    {
        http.BaseAddress = hospital.Address;

        // What the test before asked for counts no longer.
        clock.Pass(TimeSpan.FromMinutes(2));
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync()
    {
        http.Dispose();
        key.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task An_active_integration_reads_what_it_was_approved_for_and_the_log_names_it_with_the_fields()
    {
        await Activate();
        var token = await Token(Scopes);

        var read = await Get($"Patient/{Patient}", token);
        Assert.Equal(HttpStatusCode.OK, read.Status);
        Assert.Contains(MarkedPatients.Marks[Category.Name][0], read.Body, StringComparison.Ordinal);
        foreach (var hidden in MarkedPatients.Marks.Where(mark => mark.Key != Category.Name).SelectMany(mark => mark.Value))
        {
            Assert.DoesNotContain(hidden, read.Body, StringComparison.Ordinal);
        }

        var results = await Get($"Observation?patient={Patient}", token);
        Assert.Equal(HttpStatusCode.OK, results.Status);
        Assert.DoesNotContain("vital-signs", results.Body, StringComparison.Ordinal);

        var entries = (await hospital.Log()).Where(entry => entry.Actor == $"service:{Client}").ToList();
        Assert.Equal(["ISSUE_SERVICE_TOKEN", "FHIR_READ", "FHIR_SEARCH"], entries.Select(entry => entry.Action));
        Assert.Equal(["name"], entries[1].FieldsAccessed);
        Assert.All(entries, entry => Assert.Equal("Treatment", entry.Purpose));
        Assert.All(entries, entry => Assert.StartsWith("integration:Laboratory bridge, ", entry.Device, StringComparison.Ordinal));
        Assert.Single(entries.Select(entry => entry.SessionId).Distinct());
        Assert.Equal(Scopes, entries[0].Reason);
    }

    [Fact]
    public async Task What_a_scope_does_not_cover_is_answered_like_a_patient_who_does_not_exist()
    {
        await Activate();
        var narrow = await Token("system/Observation.s?part=lab-results");
        var absent = await Get($"Patient/{Ids.New():D}", narrow);
        Assert.Equal(HttpStatusCode.NotFound, absent.Status);
        Assert.Equal(absent, await Get($"Patient/{Patient}", narrow));
        Assert.Equal(absent, await Get($"Medication/{Patient}", narrow));
        var names = await Token("system/Patient.r?part=name");
        Assert.Equal(absent, await Get($"Observation?patient={Patient}", names));
        Assert.Equal(absent, await Get($"Observation?patient={Ids.New():D}", names));
    }

    [Theory]
    [InlineData("none")]
    [InlineData("hs256")]
    [InlineData("audience")]
    [InlineData("expired")]
    [InlineData("replayed")]
    [InlineData("other-key")]
    [InlineData("stranger")]
    [InlineData("scope")]
    [InlineData("not-approved")]
    [InlineData("suspended")]
    [InlineData("revoked")]
    [InlineData("agreement-expired")]
    public async Task Whatever_is_wrong_with_a_request_for_a_token_is_401(string wrong)
    {
        if (wrong == "not-approved")
        {
            await Register();
        }
        else
        {
            await Activate();
        }

        var now = clock.GetUtcNow().ToUnixTimeSeconds();
        using var strange = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var assertion = wrong switch
        {
            "none" => Assertion(header: """{"alg":"none"}""", sign: _ => [1]),
            "hs256" => Assertion(header: """{"alg":"HS256"}""", sign: bytes => HMACSHA256.HashData(Encoding.UTF8.GetBytes(key.ExportSubjectPublicKeyInfoPem()), bytes)),
            "audience" => Assertion(audience: "https://elsewhere.test/auth/token"),
            "expired" => Assertion(expires: now - 31),
            "other-key" => Assertion(sign: bytes => strange.SignData(bytes, HashAlgorithmName.SHA256)),
            "stranger" => Assertion(client: "nobody"),
            _ => Assertion(),
        };
        switch (wrong)
        {
            case "replayed":
                Assert.Equal(HttpStatusCode.OK, (await Ask(assertion, Scopes)).Status);
                break;
            case "suspended":
                _ = (await Directory.Suspend(boss, Client, default)).Value;
                break;
            case "revoked":
                _ = (await Directory.Revoke(boss, Client, default)).Value;
                break;
            case "agreement-expired":
                clock.Pass(TimeSpan.FromDays(31));
                assertion = Assertion();
                break;
        }

        var answer = await Ask(assertion, wrong == "scope" ? "system/Patient.r?part=contact" : Scopes);

        Assert.Equal(HttpStatusCode.Unauthorized, answer.Status);
        Assert.Equal(
            wrong == "scope"
                ? """{"error":"invalid_scope","error_description":"A scope is unknown or was not approved for this client."}"""
                : """{"error":"invalid_client","error_description":"The client could not be verified. The hospital's log says why."}""",
            answer.Body);
    }

    [Fact]
    public async Task Whatever_is_wrong_with_a_token_is_401_with_one_body_and_shows_no_byte()
    {
        await Activate();
        var token = await Token(Scopes);
        var missing = await Get($"Patient/{Patient}", "");
        Assert.Equal(HttpStatusCode.Unauthorized, missing.Status);
        Assert.Contains("OperationOutcome", missing.Body, StringComparison.Ordinal);
        var parts = token.Split('.');
        foreach (var wrong in (string[])
        [
            "x", Assertion(), $"{Encoded("""{"alg":"none","typ":"at+jwt"}""")}.{parts[1]}.", $"{parts[0]}.{parts[1]}.{parts[2][..^2]}AA",
            $"{Encoded($$"""{"alg":"HS256","typ":"at+jwt"}""")}.{parts[1]}.{parts[2]}",
        ])
        {
            Assert.Equal(missing, await Get($"Patient/{Patient}", wrong));
            Assert.Equal(missing, await Get($"Observation?patient={Patient}", wrong));
            Assert.Equal(missing, await Get("Nothing", wrong));
        }

        Assert.Equal(HttpStatusCode.OK, (await Get($"Patient/{Patient}", token)).Status);
        clock.Pass(TimeSpan.FromMinutes(5));
        Assert.Equal(missing, await Get($"Patient/{Patient}", token));
    }

    [Fact]
    public async Task A_withdrawal_counts_from_the_next_call_on()
    {
        await Activate();
        foreach (var withdraw in (Func<Task>[])
        [
            async () => _ = (await Directory.EndTokens(boss, Client, default)).Value,
            async () => _ = (await Directory.Suspend(boss, Client, default)).Value,
            async () => _ = (await Directory.Revoke(other, Client, default)).Value,
        ])
        {
            var token = await Token(Scopes);
            Assert.Equal(HttpStatusCode.OK, (await Get($"Patient/{Patient}", token)).Status);
            await withdraw();
            Assert.Equal(HttpStatusCode.Unauthorized, (await Get($"Patient/{Patient}", token)).Status);
            _ = await Directory.Resume(boss, Client, default);
            Assert.Equal(HttpStatusCode.Unauthorized, (await Get($"Patient/{Patient}", token)).Status);
        }
    }

    [Fact]
    public async Task An_agreement_that_runs_out_cuts_a_token_that_is_still_young()
    {
        await Activate();
        var today = DateOnly.FromDateTime(clock.GetLocalNow().DateTime);
        var midnight = today.AddDays(31).ToDateTime(TimeOnly.MinValue) - clock.GetLocalNow().DateTime;
        clock.Pass(midnight - TimeSpan.FromMinutes(1));
        var token = await Token(Scopes);
        Assert.Equal(HttpStatusCode.OK, (await Get($"Patient/{Patient}", token)).Status);
        clock.Pass(TimeSpan.FromMinutes(2));
        Assert.Equal(HttpStatusCode.Unauthorized, (await Get($"Patient/{Patient}", token)).Status);
        Assert.Contains(await hospital.Log(), entry => entry.Action == "AGREEMENT_LAPSED" && entry.Actor == $"service:{Client}");
    }

    [Fact]
    public async Task A_token_opens_nothing_but_fhir_and_a_cookie_beside_it_is_not_looked_at()
    {
        await Activate();
        var token = await Token(Scopes);
        foreach (var page in (string[])["/admin", "/admin/integrations", "/patients", $"/patients/{patient.Values["patient"]}", "/events"])
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, page) { Headers = { Authorization = new AuthenticationHeaderValue("Bearer", token) } };
            using var answer = await http.SendAsync(request);
            Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        }

        using var doctor = await hospital.SignIn(Role.Doctor);
        Assert.Equal(HttpStatusCode.NotFound, (await doctor.Send("GET", $"/fhir/R4/Patient/{Patient}")).Status);
        Assert.Equal(HttpStatusCode.OK, (await Get($"Patient/{Patient}", token)).Status);
    }

    [Theory]
    [InlineData("grant_type=password", "unsupported_grant_type")]
    [InlineData("grant_type=client_credentials&grant_type=client_credentials", "invalid_request")]
    [InlineData("grant_type=client_credentials&client_secret=x", "invalid_request")]
    [InlineData("grant_type=%00", "invalid_request")]
    [InlineData("grant_type=client_credentials&client_assertion_type=other", "invalid_request")]
    public async Task A_request_of_another_shape_is_400(string form, string error)
    {
        var type = form.Contains("assertion_type", StringComparison.Ordinal) ? "" : "&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer";
        using var content = new StringContent(form + type + "&client_assertion=a.b.c&scope=x", Encoding.UTF8, "application/x-www-form-urlencoded");
        using var answer = await http.PostAsync(new Uri("/auth/token", UriKind.Relative), content);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Contains($"\"error\":\"{error}\"", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_flood_is_told_to_wait_and_a_long_body_is_not_read()
    {
        HttpStatusCode last = default;
        for (var n = 0; n < 80 && last != HttpStatusCode.TooManyRequests; n++)
        {
            last = (await Ask("a.b.c", Scopes)).Status;
        }

        Assert.Equal(HttpStatusCode.TooManyRequests, last);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, (await Ask(new string('x', 20_000), Scopes)).Status);
    }

    [Fact]
    public async Task A_program_learns_from_the_server_how_to_introduce_itself()
    {
        foreach (var address in (string[])["/.well-known/smart-configuration", "/fhir/R4/.well-known/smart-configuration"])
        {
            using var json = JsonDocument.Parse(await http.GetStringAsync(new Uri(address, UriKind.Relative)));
            Assert.Equal(TokenAddress, json.RootElement.GetProperty("token_endpoint").GetString());
            Assert.Equal(ServiceScope.All.Select(scope => scope.Text), json.RootElement.GetProperty("scopes_supported").EnumerateArray().Select(one => one.GetString()));
        }

        var statement = await http.GetStringAsync(new Uri("/fhir/R4/metadata", UriKind.Relative));
        Assert.Contains("SMART-on-FHIR", statement, StringComparison.Ordinal);
    }

    private static string Encoded(string text) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(text));

    private async Task<int> Register()
    {
        _ = (await Directory.Register(boss, new NewIntegration(Client, "Laboratory bridge", Purpose.Treatment, key.ExportSubjectPublicKeyInfoPem(), Scopes), default)).Value;
        var agreement = new NewAgreement(new string('a', 64), "Jo Partner", DateOnly.FromDateTime(clock.GetLocalNow().DateTime).AddDays(30));
        return (await Directory.FileAgreement(boss, Client, agreement, default)).Value.Filing;
    }

    private async Task Activate()
    {
        var filing = await Register();
        _ = (await Directory.Approve(boss, Client, filing, default)).Value;
        Assert.Equal(IntegrationState.Active, (await Directory.Approve(other, Client, filing, default)).Value.State);
    }

    private string Assertion(string? client = null, string? audience = null, long? expires = null, string header = """{"alg":"ES256","typ":"JWT"}""", Func<byte[], byte[]>? sign = null)
    {
        var claims = JsonSerializer.Serialize(new
        {
            iss = client ?? Client,
            sub = client ?? Client,
            aud = audience ?? TokenAddress,
            exp = expires ?? clock.GetUtcNow().ToUnixTimeSeconds() + 300,
            jti = Ids.New().ToString("N"),
        });
        var text = $"{Encoded(header)}.{Encoded(claims)}";
        return $"{text}.{Base64Url.EncodeToString((sign ?? (bytes => key.SignData(bytes, HashAlgorithmName.SHA256)))(Encoding.UTF8.GetBytes(text)))}";
    }

    private async Task<(HttpStatusCode Status, string Body)> Ask(string assertion, string scope)
    {
        using var content = new FormUrlEncodedContent(new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["grant_type"] = "client_credentials",
            ["client_assertion_type"] = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            ["client_assertion"] = assertion,
            ["scope"] = scope,
        });
        using var answer = await http.PostAsync(new Uri("/auth/token", UriKind.Relative), content);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }

    private async Task<string> Token(string scope)
    {
        var answer = await Ask(Assertion(), scope);
        Assert.True(answer.Status == HttpStatusCode.OK, answer.Body);
        using var json = JsonDocument.Parse(answer.Body);
        Assert.Equal(("bearer", 300, scope), (json.RootElement.GetProperty("token_type").GetString(), json.RootElement.GetProperty("expires_in").GetInt32(), json.RootElement.GetProperty("scope").GetString()));
        return json.RootElement.GetProperty("access_token").GetString()!;
    }

    private async Task<(HttpStatusCode Status, string Headers, string Body)> Get(string what, string token)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/fhir/R4/{what}");
        request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {token}");
        using var answer = await http.SendAsync(request);
        var headers = answer.Headers.Concat(answer.Content.Headers).Where(header => header.Key != "Date").OrderBy(header => header.Key, StringComparer.Ordinal);
        return (answer.StatusCode, string.Join('\n', headers.Select(header => $"{header.Key}: {string.Join(", ", header.Value)}")), await answer.Content.ReadAsStringAsync());
    }
}
