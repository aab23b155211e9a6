using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Access;
using Mangrove.Vault.Audit;
using Mangrove.Vault.Integrations;

namespace Mangrove.Tests.Vault.Integrations;

public abstract class IntegrationTests : IntegrationsOnEveryDatabase
{
    private const string Client = "lab-bridge";

    [Fact]
    public async Task An_integration_goes_from_requested_by_an_agreement_and_two_approvals_to_active_with_before_and_after_in_the_log()
    {
        var house = await House();
        var registered = (await house.Directory.Register(house.Administrator(), house.Asked(), default)).Value;
        Assert.Equal((IntegrationState.Requested, "service.no-agreement"), (registered.State, registered.Missing(house.Today)!.Code));
        var filed = (await house.Directory.FileAgreement(house.Administrator(), Client, house.Signed(), default)).Value;
        Assert.Equal((IntegrationState.Agreed, 1, "service.not-approved"), (filed.State, filed.Filing, filed.Missing(house.Today)!.Code));
        var first = (await house.Directory.Approve(house.Administrator(1), Client, 1, default)).Value;
        Assert.Equal((IntegrationState.Agreed, "service.not-approved"), (first.State, first.Missing(house.Today)!.Code));
        var active = (await house.Directory.Approve(house.Administrator(2), Client, 1, default)).Value;
        Assert.Equal((IntegrationState.Active, 1, 2), (active.State, active.First!.By.Number, active.Second!.By.Number));
        Assert.Null(active.Missing(house.Today));
        _ = (await house.Directory.Suspend(house.Administrator(), Client, default)).Value;
        _ = (await house.Directory.Resume(house.Administrator(), Client, default)).Value;
        _ = (await house.Directory.Revoke(house.Administrator(), Client, default)).Value;
        Assert.Equal("integration.state", (await house.Directory.Resume(house.Administrator(), Client, default)).Error!.Code);

        var entries = (await house.Entries()).Where(entry => entry.Resource == $"integration:{Client}").Select(entry => $"{entry.Action}: {entry.Reason}").ToList();
        Assert.StartsWith($"REGISTER_INTEGRATION: none -> requested, for Treatment, key {active.Key.Thumbprint}, {IntegrationHouse.Scopes}", entries[0], StringComparison.Ordinal);
        Assert.Equal(
            [
                $"FILE_AGREEMENT: requested -> agreement on file, agreement none -> aaaaaaaaaaaa, signed by Jo Partner, Bridge Ltd, until {house.Today.AddDays(30):yyyy-MM-dd}",
                "APPROVE_INTEGRATION: approvals 0 -> 1 of 2, of agreement 1",
                "APPROVE_INTEGRATION: approvals 1 -> 2 of 2, of agreement 1, agreement on file -> active",
                "SUSPEND_INTEGRATION: active -> suspended", "RESUME_INTEGRATION: suspended -> active", "REVOKE_INTEGRATION: active -> revoked",
            ],
            entries.Skip(1));
    }

    [Fact]
    public async Task Nobody_but_an_administrator_touches_integrations_and_the_attempt_is_an_entry()
    {
        var house = await House();
        await house.Active();
        foreach (var role in Enum.GetValues<Role>().Where(role => role != Role.Admin))
        {
            var actor = house.Administrator(50 + (int)role, role);
            await Assert.ThrowsAsync<Refused>(() => house.Directory.List(actor, default));
            await Assert.ThrowsAsync<Refused>(() => house.Directory.Register(actor, house.Asked("other"), default));
            await Assert.ThrowsAsync<Refused>(() => house.Directory.FileAgreement(actor, Client, house.Signed(), default));
            await Assert.ThrowsAsync<Refused>(() => house.Directory.Approve(actor, Client, 1, default));
            await Assert.ThrowsAsync<Refused>(() => house.Directory.Suspend(actor, Client, default));
            await Assert.ThrowsAsync<Refused>(() => house.Directory.Resume(actor, Client, default));
            await Assert.ThrowsAsync<Refused>(() => house.Directory.EndTokens(actor, Client, default));
            await Assert.ThrowsAsync<Refused>(() => house.Directory.Revoke(actor, Client, default));
            await Assert.ThrowsAsync<Refused>(() => house.Policy.Read(actor, default));
            await Assert.ThrowsAsync<Refused>(() => house.Policy.Change(actor, PolicySettings.DataRetention, "9", default));
            Assert.Equal(10, (await house.Entries()).Count(entry => entry.Actor == actor.User && entry.Outcome == AuditOutcome.Refused));
        }

        Assert.Equal(IntegrationState.Active, Assert.Single(await house.Directory.List(house.Administrator(), default)).State);
    }

    [Fact]
    public async Task Of_many_approvals_of_one_person_at_once_one_counts_also_for_whoever_registered()
    {
        var house = await House();
        await Ready(house);
        using var elsewhere = house.Elsewhere();

        // Two processes on one database, so that not the turn in memory but the statement decides.
        var results = await Task.WhenAll(Enumerable.Range(0, 64).Select(n =>
            Task.Run(() => (n % 2 == 0 ? house.Directory : elsewhere.Directory).Approve(house.Administrator(1), Client, 1, default))));

        Assert.Single(results, result => result.Ok);
        Assert.All(results.Where(result => !result.Ok), result => Assert.Equal("integration.approved-already", result.Error!.Code));
        var one = Assert.Single(await house.Directory.List(house.Administrator(), default));
        Assert.Equal((IntegrationState.Agreed, 1), (one.State, one.First!.By.Number));
        Assert.Null(one.Second);
        Assert.Single(await house.Entries("APPROVE_INTEGRATION"), entry => entry.Outcome == AuditOutcome.Allowed);
    }

    [Fact]
    public async Task Of_many_administrators_at_once_two_different_ones_count_and_the_others_are_told()
    {
        var house = await House();
        await Ready(house);
        using var elsewhere = house.Elsewhere();

        var results = await Task.WhenAll(Enumerable.Range(1, 64).Select(n =>
            Task.Run(() => (n % 2 == 0 ? house.Directory : elsewhere.Directory).Approve(house.Administrator(n), Client, 1, default))));

        Assert.Equal(2, results.Count(result => result.Ok));
        var one = Assert.Single(await house.Directory.List(house.Administrator(), default));
        Assert.Equal(IntegrationState.Active, one.State);
        Assert.NotEqual(one.First!.By, one.Second!.By);
        Assert.Equal(2, (await house.Entries("APPROVE_INTEGRATION")).Count(entry => entry.Outcome == AuditOutcome.Allowed));
    }

    [Fact]
    public async Task The_database_itself_refuses_one_person_twice_and_an_active_row_without_its_facts()
    {
        var house = await House();
        await Ready(house);
        foreach (var wrong in (string[])
        [
            "UPDATE integration SET first_by = 1, second_by = 1", "UPDATE integration SET second_by = 2", "UPDATE integration SET state = 3",
            "UPDATE integration SET state = 3, first_by = 1, first_at = 1",
        ])
        {
            await Assert.ThrowsAnyAsync<System.Data.Common.DbException>(() => house.Run(wrong));
        }
    }

    [Fact]
    public async Task An_approval_is_of_the_agreement_that_was_read_and_a_new_one_begins_anew()
    {
        var house = await House();
        await house.Active();
        var again = (await house.Directory.FileAgreement(house.Administrator(), Client, house.Signed(60), default)).Value;
        Assert.Equal((IntegrationState.Agreed, 2), (again.State, again.Filing));
        Assert.Null(again.First);

        Assert.Equal("integration.changed", (await house.Directory.Approve(house.Administrator(1), Client, 1, default)).Error!.Code);
        Assert.True((await house.Directory.Approve(house.Administrator(1), Client, 2, default)).Ok);
        Assert.Equal("integration.approved-already", (await house.Directory.Approve(house.Administrator(1), Client, 2, default)).Error!.Code);
        house.Clock.Pass(TimeSpan.FromDays(61));
        Assert.Equal("service.agreement-expired", (await house.Directory.Approve(house.Administrator(2), Client, 2, default)).Error!.Code);
        Assert.Equal("integration.person", (await house.Directory.Approve(house.SetUp.Setup, Client, 2, default)).Error!.Code);
    }

    [Theory]
    [InlineData("ab", "Name", "key", "system/Patient.r?part=name", "integration.client-invalid")]
    [InlineData("Lab", "Name", "key", "system/Patient.r?part=name", "integration.client-invalid")]
    [InlineData("1lab", "Name", "key", "system/Patient.r?part=name", "integration.client-invalid")]
    [InlineData("la:b", "Name", "key", "system/Patient.r?part=name", "integration.client-invalid")]
    [InlineData("lab", "Two\nlines", "key", "system/Patient.r?part=name", "integration.name-invalid")]
    [InlineData("lab", "Turned\u202eround", "key", "system/Patient.r?part=name", "integration.name-invalid")]
    [InlineData("lab", "Name", "", "system/Patient.r?part=name", "integration.key-invalid")]
    [InlineData("lab", "Name", "p384", "system/Patient.r?part=name", "integration.key-invalid")]
    [InlineData("lab", "Name", "rsa", "system/Patient.r?part=name", "integration.key-invalid")]
    [InlineData("lab", "Name", "private", "system/Patient.r?part=name", "integration.key-private")]
    [InlineData("lab", "Name", "private-jwk", "system/Patient.r?part=name", "integration.key-private")]
    [InlineData("lab", "Name", "beside", "system/Patient.r?part=name", "integration.key-invalid")]
    [InlineData("lab", "Name", "key", "", "integration.scopes")]
    [InlineData("lab", "Name", "key", "system/*.*", "integration.scopes")]
    [InlineData("lab", "Name", "key", "system/Patient.r", "integration.scopes")]
    [InlineData("lab", "Name", "key", "system/Patient.cruds?part=name", "integration.scopes")]
    [InlineData("lab", "Name", "key", "system/Patient.r?part=name system/Patient.r?part=name", "integration.scopes")]
    public async Task A_malformed_registration_is_refused_by_its_code(string client, string name, string key, string scopes, string code)
    {
        var house = await House();
        var text = key switch
        {
            "key" => house.Key.ExportSubjectPublicKeyInfoPem(),
            "p384" => System.Security.Cryptography.ECDsa.Create(System.Security.Cryptography.ECCurve.NamedCurves.nistP384).ExportSubjectPublicKeyInfoPem(),
            "rsa" => System.Security.Cryptography.RSA.Create(2048).ExportSubjectPublicKeyInfoPem(),
            "private" => house.Key.ExportPkcs8PrivateKeyPem(),
            "private-jwk" => """{"kty":"EC","crv":"P-256","x":"AA","y":"AA","d":"AA"}""",
            // A point that is not on the curve.
            "beside" => """{"kty":"EC","crv":"P-256","x":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE","y":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE"}""",
            _ => key,
        };
        Assert.Equal(code, (await house.Directory.Register(house.Administrator(), new NewIntegration(client, name, Purpose.Treatment, text, scopes), default)).Error!.Code);
        Assert.Empty(await house.Directory.List(house.Administrator(), default));
        Assert.Equal((AuditOutcome.Refused, code), (await house.Entries("REGISTER_INTEGRATION")).Select(entry => (entry.Outcome, entry.Reason)).Single());
    }

    [Fact]
    public async Task A_key_as_pem_and_as_a_json_web_key_is_the_same_key()
    {
        var house = await House();
        var point = house.Key.ExportParameters(false).Q;
        var json = $$"""{"kty":"EC","crv":"P-256","use":"sig","kid":"any","x":"{{System.Buffers.Text.Base64Url.EncodeToString(point.X)}}","y":"{{System.Buffers.Text.Base64Url.EncodeToString(point.Y)}}"}""";
        Assert.Equal(ClientKey.Parse(house.Key.ExportSubjectPublicKeyInfoPem()).Value.Thumbprint, ClientKey.Parse(json).Value.Thumbprint);

        // RFC 7638 has no vector on P-256; this one was computed by another program from the key of RFC 7517, A.1.
        Assert.Equal(
            "cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s",
            ClientKey.Parse("""{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM","use":"enc","kid":"1"}""").Value.Thumbprint);
    }

    [Fact]
    public async Task An_agreement_needs_the_hash_of_its_document_a_signer_and_an_end_that_is_ahead()
    {
        var house = await House();
        await Ready(house);
        var good = house.Signed();
        foreach (var (agreement, code) in new (NewAgreement, string)[]
        {
            (good with { Hash = "abc" }, "agreement.hash"), (good with { Hash = new string('g', 64) }, "agreement.hash"), (good with { Signer = " " }, "agreement.signer"),
            (good with { Expires = house.Today }, "agreement.expires"), (good with { Expires = house.Today.AddYears(11) }, "agreement.expires"),
        })
        {
            Assert.Equal(code, (await house.Directory.FileAgreement(house.Administrator(), Client, agreement, default)).Error!.Code);
        }

        Assert.Equal("integration.unknown", (await house.Directory.FileAgreement(house.Administrator(), "nobody", good, default)).Error!.Code);
        Assert.Equal(1, Assert.Single(await house.Directory.List(house.Administrator(), default)).Filing);
    }

    [Fact]
    public async Task A_client_id_is_never_given_again()
    {
        var house = await House();
        await house.Active();
        _ = (await house.Directory.Revoke(house.Administrator(), Client, default)).Value;
        Assert.Equal("integration.client-taken", (await house.Directory.Register(house.Administrator(), house.Asked(), default)).Error!.Code);
        Assert.Equal("integration.state", (await house.Directory.FileAgreement(house.Administrator(), Client, house.Signed(), default)).Error!.Code);
    }

    [Fact]
    public async Task Retention_is_seven_years_can_be_made_longer_and_never_shorter_and_approval_is_no_switch()
    {
        var house = await House();
        var boss = house.Administrator();
        var policy = await house.Policy.Read(boss, default);
        Assert.Equal((7, 7, true), (policy.DataRetentionYears, policy.AuditRetentionYears, policy.AccessApproval));

        Assert.Equal(10, (await house.Policy.Change(boss, PolicySettings.DataRetention, "10", default)).Value.DataRetentionYears);
        Assert.Equal("policy.shorter", (await house.Policy.Change(boss, PolicySettings.DataRetention, "9", default)).Error!.Code);
        Assert.Equal("policy.below-law", (await house.Policy.Change(boss, PolicySettings.AuditRetention, "5", default)).Error!.Code);
        Assert.Equal("policy.shorter", (await house.Policy.Change(boss, PolicySettings.AuditRetention, "6", default)).Error!.Code);
        Assert.Equal("policy.value", (await house.Policy.Change(boss, PolicySettings.AuditRetention, "101", default)).Error!.Code);
        Assert.Equal("policy.value", (await house.Policy.Change(boss, PolicySettings.AuditRetention, "-8", default)).Error!.Code);
        Assert.Equal("policy.access-approval", (await house.Policy.Change(boss, PolicySettings.AccessApproval, "no", default)).Error!.Code);
        Assert.Equal("policy.unknown", (await house.Policy.Change(boss, "AUDIT", "no", default)).Error!.Code);

        // Somebody writes a shorter one beside the door: what the law asks for stays in force.
        await house.Run("UPDATE policy_setting SET value = 1");
        Assert.Equal(6, (await house.Policy.Read(boss, default)).DataRetentionYears);
        Assert.Equal("policy:DATA_RETENTION_YEARS 7 -> 10 years", (await house.Entries("CHANGE_POLICY")).Where(entry => entry.Outcome == AuditOutcome.Allowed).Select(entry => $"{entry.Resource} {entry.Reason}").Single());
    }

    private static async Task Ready(IntegrationHouse house)
    {
        _ = (await house.Directory.Register(house.Administrator(), house.Asked(), default)).Value;
        _ = (await house.Directory.FileAgreement(house.Administrator(), Client, house.Signed(), default)).Value;
    }
}
