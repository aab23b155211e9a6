using System.Security.Cryptography;
using System.Text;
using Mangrove.Vault;
using Mangrove.Vault.Access;
using Mangrove.Vault.Audit;
using Mangrove.Vault.Integrations;

namespace Mangrove.Tests.Vault.Integrations;

public abstract class ServiceTokenTests : IntegrationsOnEveryDatabase
{
    private const string Scope = "system/Patient.r?part=name";

    [Fact]
    public async Task A_token_opens_what_its_scope_covers_and_the_entry_names_program_purpose_and_fields()
    {
        var house = await House();
        await house.Active();
        var caller = await house.Caller();

        Assert.Equal(IntegrationHouse.Secret, await house.Read(caller));
        Assert.Equal("access.role", (await Assert.ThrowsAsync<Refused>(() => house.Door.Open(caller, house.Request(SealedRow.Result), default))).Code);
        Assert.Equal("access.role", (await Assert.ThrowsAsync<Refused>(() => house.Door.Open(caller, house.Request() with { Writes = [SealedRow.Name] }, default))).Code);
        Assert.Equal("access.purpose", (await Assert.ThrowsAsync<Refused>(() => house.Door.Open(caller, house.Request(SealedRow.Name) with { Purpose = Purpose.Payment }, default))).Code);
        Assert.Equal("access.everyone", (await Assert.ThrowsAsync<Refused>(() => house.Door.Open(caller, house.Request(SealedRow.Name) with { Everyone = true }, default))).Code);

        var read = (await house.Entries("FHIR_READ"))[0];
        Assert.Equal(("service:lab-bridge", "Treatment", "integration:Laboratory bridge, 10.0.0.7", "patient:P-1000007"), (read.Actor, read.Purpose, read.Device, read.Resource));
        Assert.Equal(["name"], read.FieldsAccessed);
        var issued = Assert.Single(await house.Entries(ServiceTokens.IssueAction));
        Assert.Equal((read.SessionId, Scope), (issued.SessionId, issued.Reason));
    }

    [Fact]
    public async Task A_program_searches_nobody_and_does_no_administration()
    {
        var house = await House();
        await house.Active();
        var caller = await house.Caller();
        await Assert.ThrowsAsync<Refused>(() => house.Door.Find(caller, new Mangrove.Vault.Index.PatientQuery("Amina"), default));
        await Assert.ThrowsAsync<Refused>(() => house.Directory.List(caller, default));
        await Assert.ThrowsAsync<Refused>(() => house.Policy.Change(caller, PolicySettings.DataRetention, "9", default));
    }

    [Theory]
    [InlineData("none", "service.assertion-signature")]
    [InlineData("none-unsigned", "service.assertion-malformed")]
    [InlineData("hs256", "service.assertion-signature")]
    [InlineData("es384", "service.assertion-signature")]
    [InlineData("lower", "service.assertion-signature")]
    [InlineData("crit", "service.assertion-signature")]
    [InlineData("other-key", "service.assertion-signature")]
    [InlineData("der", "service.assertion-signature")]
    [InlineData("changed", "service.assertion-signature")]
    [InlineData("audience", "service.assertion-audience")]
    [InlineData("two-audiences", "service.assertion-audience")]
    [InlineData("no-audience", "service.assertion-audience")]
    [InlineData("subject", "service.assertion-subject")]
    [InlineData("unknown", "service.unknown")]
    [InlineData("expired", "service.assertion-expired")]
    [InlineData("long", "service.assertion-expired")]
    [InlineData("endless", "service.assertion-expired")]
    [InlineData("text-end", "service.assertion-expired")]
    [InlineData("early", "service.assertion-early")]
    [InlineData("future", "service.assertion-early")]
    [InlineData("no-id", "service.assertion-id")]
    [InlineData("long-id", "service.assertion-id")]
    [InlineData("doubled", "service.assertion-malformed")]
    [InlineData("padded", "service.assertion-malformed")]
    [InlineData("five-parts", "service.assertion-malformed")]
    [InlineData("no-json", "service.assertion-malformed")]
    [InlineData("huge", "service.assertion-malformed")]
    public async Task A_wrong_assertion_has_one_answer_and_the_log_says_why(string wrong, string why)
    {
        var house = await House();
        await house.Active();
        var now = house.Clock.GetUtcNow().ToUnixTimeSeconds();
        var made = house.Assertion();
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var text = wrong switch
        {
            "none" => made.Headed("alg", "none").Signed(_ => [1]),
            "none-unsigned" => made.Headed("alg", "none").Signed(_ => []),
            "hs256" => made.SignedWithThePublicKey(),
            "es384" => made.Headed("alg", "ES384").Signed(),
            "lower" => made.Headed("alg", "es256").Signed(),
            "crit" => made.Headed("crit", new System.Text.Json.Nodes.JsonArray("b64")).Signed(),
            "other-key" => made.Headed("jwk", "x").Signed(bytes => other.SignData(bytes, HashAlgorithmName.SHA256)),
            "der" => made.Signed(bytes => house.Key.SignData(bytes, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence)),
            "changed" => string.Join('.', made.Signed().Split('.') is [var head, _, var seal] ? [head, house.Assertion().Signed().Split('.')[1], seal] : Array.Empty<string>()),
            "audience" => made.With("aud", "https://kivuko.test/fhir/R4").Signed(),
            "two-audiences" => made.With("aud", new System.Text.Json.Nodes.JsonArray(IntegrationHouse.Audience, "https://elsewhere.test")).Signed(),
            "no-audience" => made.With("aud", null).Signed(),
            "subject" => made.With("sub", "another").Signed(),
            "unknown" => made.With("iss", "nobody").With("sub", "nobody").Signed(),
            "expired" => made.With("exp", now - 30).Signed(),
            "long" => made.With("exp", now + 331).Signed(),
            "endless" => made.With("exp", null).Signed(),
            "text-end" => made.With("exp", "tomorrow").Signed(),
            "early" => made.With("nbf", now + 31).Signed(),
            "future" => made.With("iat", now + 31).Signed(),
            "no-id" => made.With("jti", null).Signed(),
            "long-id" => made.With("jti", new string('x', 129)).Signed(),
            "doubled" => made.Over(made.Header.ToJsonString(), made.Claims.ToJsonString().Insert(1, "\"aud\":\"https://elsewhere.test\",")),
            "padded" => made.Signed() + "=",
            "five-parts" => made.Signed() + "..",
            "no-json" => made.Over(made.Header.ToJsonString(), "[]"),
            _ => made.With("padding", new string('x', 5000)).Signed(),
        };

        var refused = await house.Tokens.Issue(new TokenRequest(text, Scope, IntegrationHouse.Audience, IntegrationHouse.Address), default);

        Assert.Equal(ServiceTokens.NotVerified, refused.Error);
        var entry = Assert.Single(await house.Entries(ServiceTokens.IssueAction));
        Assert.Equal((AuditOutcome.Refused, why, "unknown"), (entry.Outcome, entry.Reason, entry.Actor));
    }

    [Fact]
    public async Task An_assertion_within_the_skew_of_two_clocks_is_taken_and_one_of_a_list_of_one_audience_too()
    {
        var house = await House();
        await house.Active();
        var now = house.Clock.GetUtcNow().ToUnixTimeSeconds();
        foreach (var text in (string[])
        [
            house.Assertion().With("exp", now - 29).Signed(), house.Assertion().With("exp", now + 330).Signed(), house.Assertion().With("iat", now + 30).Signed(),
            house.Assertion().With("nbf", now + 30).Signed(), house.Assertion().With("aud", new System.Text.Json.Nodes.JsonArray(IntegrationHouse.Audience)).Signed(),
        ])
        {
            Assert.True((await house.Tokens.Issue(new TokenRequest(text, Scope, IntegrationHouse.Audience, IntegrationHouse.Address), default)).Ok);
        }
    }

    [Fact]
    public async Task An_assertion_is_good_once_however_many_use_it_at_the_same_time()
    {
        var house = await House();
        await house.Active();
        using var elsewhere = house.Elsewhere();
        var request = new TokenRequest(house.Assertion().Signed(), Scope, IntegrationHouse.Audience, IntegrationHouse.Address);

        var results = await Task.WhenAll(Enumerable.Range(0, 16).Select(n => Task.Run(() => (n % 2 == 0 ? house.Tokens : elsewhere.Tokens).Issue(request, default))));

        Assert.Single(results, result => result.Ok);
        Assert.All(results.Where(result => !result.Ok), result => Assert.Equal(ServiceTokens.NotVerified, result.Error));

        // And after a while, as long as it could be taken for new.
        house.Clock.Pass(TimeSpan.FromSeconds(329));
        Assert.Equal(ServiceTokens.NotVerified, (await house.Tokens.Issue(request, default)).Error);
        Assert.Contains(await house.Entries(ServiceTokens.IssueAction), entry => entry.Reason == "service.assertion-replayed");
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("system/*.*")]
    [InlineData("system/Patient.r?part=contact")]
    [InlineData("system/Patient.r?part=name system/Observation.s?part=lab-results")]
    [InlineData("system/Patient.r?part=name  system/Observation.s?part=vitals")]
    [InlineData("openid")]
    public async Task A_scope_that_was_not_approved_gives_no_token(string? scope)
    {
        var house = await House();
        await house.Active();
        var refused = await house.Tokens.Issue(new TokenRequest(house.Assertion().Signed(), scope, IntegrationHouse.Audience, IntegrationHouse.Address), default);
        Assert.Equal("service.scope", refused.Error!.Code);
        Assert.Equal("service.scope", Assert.Single(await house.Entries(ServiceTokens.IssueAction)).Reason);
    }

    [Fact]
    public async Task A_token_dies_after_five_minutes_by_tampering_elsewhere_and_under_another_type()
    {
        var house = await House();
        await house.Active();
        await house.Active("other-bridge");
        var token = await house.Token();
        var stranger = await House();
        await stranger.Active();

        Assert.True((await house.Tokens.Check(token, "10.0.0.8", null, default)).Ok);
        foreach (var wrong in (string?[])
        [
            null, "", "abc", token + "=", token[..^4] + (token[^4] == 'A' ? "B" : "A") + token[^3..], await stranger.Token(), house.Assertion().Signed(),
            house.Assertion().Headed("typ", "at+jwt").Signed(), Unsigned(token), Swapped(token, await house.Token("other-bridge")),
        ])
        {
            Assert.Equal(ServiceTokens.NotValid, (await house.Tokens.Check(wrong, IntegrationHouse.Address, null, default)).Error);
        }

        house.Clock.Pass(TimeSpan.FromSeconds(299));
        Assert.True((await house.Tokens.Check(token, IntegrationHouse.Address, null, default)).Ok);
        house.Clock.Pass(TimeSpan.FromSeconds(1));
        Assert.Equal(ServiceTokens.NotValid, (await house.Tokens.Check(token, IntegrationHouse.Address, null, default)).Error);

        // A clock set back makes it a token of the future, which is none either.
        house.Clock.SetWall(TimeSpan.FromMinutes(-6));
        Assert.Equal(ServiceTokens.NotValid, (await house.Tokens.Check(token, IntegrationHouse.Address, null, default)).Error);
    }

    [Fact]
    public async Task Ending_the_tokens_ends_those_that_are_out_and_no_later_one()
    {
        var house = await House();
        await house.Active();
        var token = await house.Token();
        var caller = await house.Caller();
        _ = (await house.Directory.EndTokens(house.Administrator(), "lab-bridge", default)).Value;

        Assert.Equal(ServiceTokens.NotValid, (await house.Tokens.Check(token, IntegrationHouse.Address, null, default)).Error);
        Assert.Null(await house.Read(caller));
        Assert.Equal("service.withdrawn", (await house.Entries("FHIR_READ"))[^1].Reason);
        Assert.Equal(IntegrationHouse.Secret, await house.Read(await house.Caller()));
    }

    [Fact]
    public async Task A_flood_of_requests_is_told_to_wait_and_fills_neither_the_log_nor_the_table()
    {
        var house = await House();
        await house.Active();
        var waiting = 0;
        for (var n = 0; n < 200; n++)
        {
            var refused = await house.Tokens.Issue(new TokenRequest("a.b.c", Scope, IntegrationHouse.Audience, IntegrationHouse.Address), default);
            waiting += refused.Error!.Code == "service.wait" ? 1 : 0;
        }

        Assert.Equal(140, waiting);
        Assert.Single(await house.Entries(ServiceTokens.IssueAction));
        var elsewhere = new TokenRequest(house.Assertion().Signed(), Scope, IntegrationHouse.Audience, "10.0.0.9");
        Assert.True((await house.Tokens.Issue(elsewhere, default)).Ok);

        // And a client that asks without end is told too, wherever it calls from.
        var given = 0;
        for (var n = 0; n < 40; n++)
        {
            given += (await house.Tokens.Issue(new TokenRequest(house.Assertion().Signed(), Scope, IntegrationHouse.Audience, $"10.0.1.{n}"), default)).Ok ? 1 : 0;
        }

        Assert.Equal(19, given);
        house.Clock.Pass(TimeSpan.FromMinutes(1));
        Assert.True((await house.Tokens.Issue(new TokenRequest(house.Assertion().Signed(), Scope, IntegrationHouse.Audience, IntegrationHouse.Address), default)).Ok);
    }

    private static string Unsigned(string token) => $"{System.Buffers.Text.Base64Url.EncodeToString(Encoding.UTF8.GetBytes("""{"alg":"none","typ":"at+jwt"}"""))}.{token.Split('.')[1]}.AA";

    private static string Swapped(string token, string other) => $"{token.Split('.')[0]}.{other.Split('.')[1]}.{token.Split('.')[2]}";
}
