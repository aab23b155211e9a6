using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Mangrove.Kernel;
using Mangrove.Tests.Vault.Identity;
using Mangrove.Vault;
using Mangrove.Vault.Audit;
using Mangrove.Vault.Clients;
using Mangrove.Vault.Identity;

namespace Mangrove.Tests.Vault.Clients;

/// <summary>Desktop devices, which are known by a certificate of the hospital instead of a browser's key.</summary>
public abstract class DeviceCertificateTests : OnEveryDatabase
{
    private const string Name = "Records-Desk-01";
    private const string Address = "address:10.0.0.7";

    [Fact]
    public async Task A_device_with_a_certificate_is_registered_and_its_connection_is_the_proof_also_after_a_restart()
    {
        var (house, certificate) = await Certified();
        using (certificate)
        {
            var shown = (await house.Clients.Standing(certificate, default))!;
            Assert.Equal((ClientKind.Device, Name), (shown.Kind, shown.Name));
            Assert.Equal("CN=Records-Desk-01, OU=device, O=Kivuko Referral Hospital", certificate.Subject);
            Assert.InRange(certificate.NotAfter.ToUniversalTime() - house.Clock.GetUtcNow().UtcDateTime, TimeSpan.FromDays(365) - TimeSpan.FromSeconds(1), TimeSpan.FromDays(365));
            Assert.Equal(new KnownDevice(Name, "Records", null, house.Clock.GetUtcNow()), house.Desk.Devices.ShownBy(shown));
            Assert.True((await house.Desk.Devices.List(house.SetUp.Setup, default))[0].ByCertificate);
            Assert.Equal(Name, (await house.Desk.Devices.Prove(shown, Address, default)).Value);
            await house.Restart();
            Assert.Equal(Name, (await house.Desk.Devices.Prove(shown, Address, default)).Value);
            using var gate = await house.Clients.Gate(default);
            Assert.Null(gate.Judge(certificate));

            var entry = Assert.Single(await house.Entries("ISSUE_CERTIFICATE"));
            Assert.Equal($"device:{Name}", entry.Resource);
            Assert.StartsWith("certificate code -> ", entry.Reason, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Its_first_certificate_kills_the_code_and_the_browsers_key_and_ends_what_was_begun_with_it()
    {
        var house = await House();
        await house.Member("nina");
        var code = (await house.Desk.Devices.Register(house.SetUp.Setup, Name, "Records", default)).Value;
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var token = (await Enrol(house, code.Code, key)).Value.Token;
        var before = await house.Enter("nina", Name);

        using var certificate = await Issue(house);
        Assert.Equal(SessionEnd.DeviceRevoked, (await house.Sessions.Resolve(before.Token, default)).Ended);
        Assert.Null(house.Desk.Devices.Claimed(token));
        Assert.Equal("device.code", (await Enrol(house, code.Code, key)).Error!.Code);

        // The next one comes before the first runs out: nobody is thrown out by it.
        var session = await house.Enter("nina", Name);
        using var next = await Issue(house);
        Assert.Equal(SessionStanding.Live, (await house.Sessions.Resolve(session.Token, default)).Standing);
        Assert.NotNull(await house.Clients.Standing(certificate, default));
        Assert.NotNull(await house.Clients.Standing(next, default));
    }

    [Fact]
    public async Task A_session_of_it_goes_on_over_its_own_connection_only()
    {
        var (house, certificate) = await Certified();
        using (certificate)
        {
            _ = (await house.Desk.Devices.Register(house.SetUp.Setup, "Records-Desk-02", "Records", default)).Value;
            using var other = await Issue(house, "Records-Desk-02");
            var shown = (await house.Clients.Standing(certificate, default))!;
            var strange = (await house.Clients.Standing(other, default))!;

            Assert.False(house.Desk.Devices.Required);
            Assert.True(house.Desk.Devices.IsAt(Name, shown));
            Assert.False(house.Desk.Devices.IsAt(Name, strange));
            Assert.False(house.Desk.Devices.IsAt(Address, shown));

            // At the address for browsers, where any device is let in, the name of a registered one is still nobody else's.
            Assert.False(house.Desk.Devices.Holds(Name, null));
            Assert.True(house.Desk.Devices.Holds(Address, null));
        }
    }

    [Theory]
    [InlineData("certificate")]
    [InlineData("device")]
    [InlineData("new code")]
    [InlineData("time")]
    public async Task Whatever_takes_it_back_ends_its_sessions_at_once_and_proves_nothing_any_more(string end)
    {
        var (house, certificate) = await Certified();
        using (certificate)
        {
            await house.Member("nina");
            await house.Member("omar");
            var there = await house.Enter("nina", Name);
            var elsewhere = await house.Enter("omar");
            var shown = (await house.Clients.Standing(certificate, default))!;
            using var gate = await house.Clients.Gate(default);
            var turns = new List<string>();
            house.Sessions.SessionChanged += (_, change) => turns.Add($"{change.SessionId} {change.Turn}");

            var devices = house.Desk.Devices;
            switch (end)
            {
                case "certificate":
                    _ = (await house.Clients.Revoke(house.SetUp.Setup, ClientKind.Device, Name, shown.Fingerprint, default)).Value;
                    break;
                case "device":
                    _ = (await devices.Revoke(house.SetUp.Setup, Name, default)).Value;
                    break;
                case "new code":
                    _ = (await devices.Renew(house.SetUp.Setup, Name, default)).Value;
                    break;
                default:
                    house.Clock.Pass(TimeSpan.FromDays(365));
                    break;
            }

            Assert.NotNull(gate.Judge(certificate));
            Assert.Null(await house.Clients.Standing(certificate, default));
            Assert.Equal("device.unregistered", (await devices.Prove(shown, Address, default)).Error!.Code);
            Assert.NotEqual(SessionStanding.Live, (await house.Sessions.Resolve(there.Token, default)).Standing);
            if (end != "time")
            {
                Assert.Equal([$"{there.Actor.SessionId} {SessionTurn.Ended}"], turns);
                Assert.Equal(SessionStanding.Live, (await house.Sessions.Resolve(elsewhere.Token, default)).Standing);
            }

            await house.Restart();
            using var again = await house.Clients.Gate(default);
            Assert.NotNull(again.Judge(certificate));
        }
    }

    [Fact]
    public async Task A_certificate_is_signed_for_devices_that_are_here_and_by_administrators()
    {
        var house = await House();
        await house.Member("nina");
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        Assert.Equal("device.unknown", (await house.Clients.IssueToDevice(house.SetUp.Setup, Name, TestAuthority.Request(key), null, default)).Error!.Code);
        _ = (await house.Desk.Devices.Register(house.SetUp.Setup, Name, "Records", default)).Value;
        _ = (await house.Desk.Devices.Revoke(house.SetUp.Setup, Name, default)).Value;
        Assert.Equal("device.unknown", (await house.Clients.IssueToDevice(house.SetUp.Setup, Name, TestAuthority.Request(key), null, default)).Error!.Code);
        var nurse = (await house.Enter("nina")).Actor;
        await Assert.ThrowsAsync<Refused>(() => house.Clients.IssueToDevice(nurse, Name, TestAuthority.Request(key), null, default));
        Assert.Equal(0, await house.Count("SELECT COUNT(*) FROM client_certificate"));
        Assert.All(await house.Entries("ISSUE_CERTIFICATE"), entry => Assert.Equal(AuditOutcome.Refused, entry.Outcome));
    }

    [Fact]
    public async Task From_a_device_with_a_certificate_an_administrator_may_ask_for_registered_devices_only()
    {
        var (house, certificate) = await Certified();
        certificate.Dispose();
        await house.Member("amina", Role.Admin);
        var admin = await house.Enter("amina", Name);
        Assert.True((await house.Desk.Devices.Require(admin.Actor, true, default, default)).Value);
    }

    private static async Task<X509Certificate2> Issue(IdentityHouse house, string name = Name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return X509Certificate2.CreateFromPem((await house.Clients.IssueToDevice(house.SetUp.Setup, name, TestAuthority.Request(key), null, default)).Value.Certificate.Pem());
    }

    private static Task<Result<EnrolledDevice>> Enrol(IdentityHouse house, string code, ECDsa key)
    {
        var nonce = house.Desk.Devices.Challenge();
        var proof = key.SignData(Encoding.ASCII.GetBytes($"mangrove device enrol {nonce}"), HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
        return house.Desk.Devices.Enrol(code, Convert.ToBase64String(key.ExportSubjectPublicKeyInfo()), nonce, Convert.ToBase64String(proof), Address, default);
    }

    private async Task<(IdentityHouse House, X509Certificate2 Certificate)> Certified()
    {
        var house = await House();
        _ = (await house.Desk.Devices.Register(house.SetUp.Setup, Name, "Records", default)).Value;
        return (house, await Issue(house));
    }
}

public sealed class DeviceCertificatesOnSqliteTests : DeviceCertificateTests
{
    protected override Task<StorageOptions> NewStorage() => Task.FromResult(InNewFolder());
}

public sealed class DeviceCertificatesOnPostgresTests : DeviceCertificateTests
{
    protected override Task<StorageOptions> NewStorage() => PostgresStorage.Create();
}
