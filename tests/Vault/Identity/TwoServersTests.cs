using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Mangrove.Kernel;
using Mangrove.Tests.Vault.Clients;
using Mangrove.Vault.Clients;
using Mangrove.Vault;
using Mangrove.Vault.Identity;
using Mangrove.Vault.Keys;
using Microsoft.Extensions.Logging.Abstractions;

namespace Mangrove.Tests.Vault.Identity;

/// <summary>Two servers on one PostgreSQL database: what one changes, the other follows.</summary>
public sealed class TwoServersTests : IAsyncLifetime
{
    private const string Device = "Ward-3-Tablet";

    private IdentityHouse here = null!;
    private IdentityHouse there = null!;

    public async ValueTask InitializeAsync()
    {
        here = await IdentityHouse.Build(await PostgresStorage.Create());
        there = await here.Beside();
        await Follow();
    }

    public async ValueTask DisposeAsync()
    {
        await there.DisposeAsync();
        await here.DisposeAsync();
    }

    [Fact]
    public async Task Where_nothing_changed_nothing_is_read_again()
    {
        Assert.False(await here.Desk.Follow(default));
        Assert.False(await there.Desk.Follow(default));
        await here.Member("nina");
        Assert.True(await there.Desk.Follow(default));
        Assert.False(await there.Desk.Follow(default));

        // A refusal changes nothing.
        Assert.NotNull((await here.SignIn.Password("nina", "quite a wrong password", Device, default)).Error);
        Assert.False(await there.Desk.Follow(default));
    }

    [Fact]
    public async Task A_key_rotated_here_is_followed_there_before_anything_is_moved()
    {
        await here.Member("nina");
        await here.Member("boss", Role.Admin);
        await Follow();
        var boss = (await here.Enter("boss")).Actor;
        Assert.Equal(2, (await here.Keys.Rotate(boss, "pepper", default)).Value);

        // There nothing is known of it yet, and what is made there meanwhile is under the old one.
        Assert.Single(there.Ring.Versions(KeyPurpose.Pepper));
        Assert.Null((await there.SignIn.Password("nina", IdentityHouse.Password, Device, default)).Error);
        await Follow();
        Assert.Equal(2, there.Ring.Newest(KeyPurpose.Pepper).Version);

        await here.Keys.Advance(default);
        Assert.Null((await there.SignIn.Password("nina", IdentityHouse.Password, Device, default)).Error);

        // A version that went here goes there too, and the rest opens.
        Assert.Equal(2, (await here.Keys.Rotate(boss, "ring", default)).Value);
        await Follow();
        await here.Keys.Advance(default);
        Assert.Single(here.Ring.Versions(KeyPurpose.Ring));
        await Follow();
        Assert.Equal(2, Assert.Single(there.Ring.Versions(KeyPurpose.Ring)).Version);
        Assert.NotNull(await there.Ring.Secret(KeyPurpose.Ring, SystemSecrets.AuthorityCertificate, default));
    }

    [Fact]
    public async Task A_certificate_signed_here_is_let_in_there_and_taken_back_here_it_is_refused_there()
    {
        using var gate = await there.Clients.Gate(default);
        using var certificate = await Certificate("Records-Desk-01");
        Assert.Equal("client.certificate-unlisted", gate.Judge(certificate)?.Code);

        await Follow();
        Assert.Null(gate.Judge(certificate));
        var shown = (await there.Clients.Standing(certificate, default))!;
        Assert.True(there.Clients.Stands(shown));
        Assert.Equal("Records-Desk-01", there.Desk.Devices.ShownBy(shown)?.Name);

        _ = (await here.Clients.Revoke(here.SetUp.Setup, ClientKind.Device, "Records-Desk-01", ClientGate.Fingerprint(certificate), default)).Value;
        await Follow();
        Assert.Equal("client.certificate-unlisted", gate.Judge(certificate)?.Code);
        Assert.False(there.Clients.Stands(shown));
    }

    [Fact]
    public async Task Times_of_sessions_and_rules_of_departments_hold_there_too()
    {
        await here.Member("amina", Role.Admin);
        await here.Member("nina");
        await here.Enrol(Device, "Emergency");
        var admin = await here.Enter("amina", "Desk-1");
        var nina = await there.Enter("nina", Device);
        await Follow();
        Assert.Null(there.Sessions.AtDevice(Role.Cashier, Device));

        Assert.True((await here.Desk.SessionPolicy.Change(admin.Actor, new SessionTimes(60, 480, 3), default, default)).Ok);
        Assert.True((await here.Desk.Departments.Change(admin.Actor, "Emergency", new HashSet<Role> { Role.Doctor }, "/board", default, default)).Ok);
        await Follow();

        Assert.Equal(new SessionTimes(60, 480, 3), there.Desk.SessionPolicy.Times);
        Assert.Equal("access.department", there.Sessions.AtDevice(Role.Nurse, Device)?.Code);
        Assert.Equal("/board", there.Desk.Departments.ListOf(nina.Actor));
        there.Clock.Pass(TimeSpan.FromSeconds(61));
        Assert.Equal(SessionStanding.Locked, (await there.Sessions.Resolve(nina.Token, default)).Standing);
    }

    [Fact]
    public async Task A_device_registered_here_is_known_there_and_revoked_here_its_sessions_there_end()
    {
        await here.Member("amina", Role.Admin);
        await here.Member("nina");
        var admin = await here.Enter("amina", "Desk-1");
        await here.Enrol("Desk-1", "Administration");
        await here.Enrol(Device, "Emergency");
        Assert.True((await here.Desk.Devices.Require(admin.Actor, true, default, default)).Ok);
        await Follow();
        Assert.True(there.Desk.Devices.Required);
        Assert.Null(there.Sessions.AtDevice(Role.Nurse, Device));

        // Signed in there a moment ago, and not known here yet.
        var nina = await there.Enter("nina", Device);
        var told = new List<SessionChangedEventArgs>();
        there.Sessions.SessionChanged += (_, change) => told.Add(change);
        _ = (await here.Desk.Devices.Revoke(here.SetUp.Setup, Device, default)).Value;
        await Follow();

        Assert.Equal(SessionEnd.DeviceRevoked, (await there.Sessions.Resolve(nina.Token, default)).Ended);
        Assert.Equal((nina.Actor.SessionId, SessionTurn.Ended), (Assert.Single(told).SessionId, told[0].Turn));
        Assert.Equal("access.device", there.Sessions.AtDevice(Role.Nurse, Device)?.Code);
    }

    [Fact]
    public async Task A_session_begun_here_goes_on_there_at_once_and_locked_there_it_is_locked_here()
    {
        await here.Member("nina");
        var nina = await here.Enter("nina");
        Assert.Equal(nina.Actor.SessionId, (await there.Sessions.Resolve(nina.Token, default)).Actor?.SessionId);
        await Follow();

        await there.Sessions.Lock(nina.Token, default);
        await Follow();
        Assert.Equal(SessionStanding.Locked, (await here.Sessions.Resolve(nina.Token, default)).Standing);
        Assert.False(here.Sessions.IsOpen(nina.Actor.SessionId));

        // Unlocked here under a new token, which opens there at once; the one of before is dead at both.
        var unlocked = (await here.Sessions.Unlock(nina.Token, UnlockBy.Password, IdentityHouse.Password, Device, default)).Value;
        Assert.Equal(SessionStanding.Live, (await there.Sessions.Resolve(unlocked.Token, default)).Standing);
        Assert.Equal(SessionStanding.None, (await there.Sessions.Resolve(nina.Token, default)).Standing);
        Assert.Equal(SessionStanding.None, (await here.Sessions.Resolve(nina.Token, default)).Standing);
        Assert.Equal((1, 0), there.Sessions.Count());
    }

    [Fact]
    public async Task Signing_in_there_ends_the_session_here_and_so_does_a_suspension()
    {
        var member = await here.Member("nina");
        var first = await here.Enter("nina");
        var told = new List<SessionTurn>();
        here.Sessions.SessionChanged += (_, change) => told.Add(change.Turn);

        var second = await there.Enter("nina", "Desk-1");
        await Follow();
        Assert.Equal(SessionEnd.Elsewhere, (await here.Sessions.Resolve(first.Token, default)).Ended);
        Assert.False(here.Sessions.IsOpen(first.Actor.SessionId));
        Assert.Equal([SessionTurn.Ended], told);
        Assert.Equal(SessionStanding.Live, (await here.Sessions.Resolve(second.Token, default)).Standing);

        Assert.True((await here.Staff.Suspend(here.SetUp.Setup, member.Staff, default)).Ok);
        await Follow();
        Assert.Equal(SessionEnd.Suspended, (await there.Sessions.Resolve(second.Token, default)).Ended);
    }

    [Fact]
    public async Task Of_sign_ins_at_both_at_the_same_time_one_session_stays()
    {
        await here.Member("nina");
        for (var round = 0; round < 10; round++)
        {
            var both = await Task.WhenAll(
                Task.Run(() => here.SignIn.Password("nina", IdentityHouse.Password, "Desk-1", default)),
                Task.Run(() => there.SignIn.Password("nina", IdentityHouse.Password, "Desk-2", default)));
            Assert.All(both, one => Assert.True(one.Ok));
            await Follow();
            var live = 0;
            foreach (var token in both.Select(one => one.Value.Session!.Token))
            {
                var (one, other) = ((await here.Sessions.Resolve(token, default)).Standing, (await there.Sessions.Resolve(token, default)).Standing);
                Assert.Equal(one, other);
                live += one == SessionStanding.Live ? 1 : 0;
            }

            Assert.Equal(1, live);
        }
    }

    [Fact]
    public async Task Somebody_who_works_here_is_not_locked_by_the_sweep_there()
    {
        await here.Member("nina");
        var nina = await here.Enter("nina");
        await Follow();
        for (var minute = 0; minute < 8; minute++)
        {
            here.Clock.Pass(TimeSpan.FromMinutes(1));
            await here.Sessions.Touch(nina.Token, default);
            await there.Sessions.Sweep(default);
        }

        Assert.Equal(SessionStanding.Live, (await here.Sessions.Resolve(nina.Token, default)).Standing);
        Assert.Empty(await there.Entries("LOCK"));

        // Whoever stops working is locked by either, once.
        here.Clock.Pass(TimeSpan.FromMinutes(5));
        await there.Sessions.Sweep(default);
        await Follow();
        await here.Sessions.Sweep(default);
        Assert.Equal(SessionStanding.Locked, (await here.Sessions.Resolve(nina.Token, default)).Standing);
        Assert.Single([.. await there.Entries("LOCK"), .. await here.Entries("LOCK")]);
    }

    [Fact]
    public async Task The_sweep_follows_within_two_seconds()
    {
        await here.Member("amina", Role.Admin);
        var admin = await here.Enter("amina", "Desk-1");
        using var sweep = new SessionSweep(there.Desk, there.Clock, NullLogger<SessionSweep>.Instance);
        await sweep.StartAsync(default);
        try
        {
            Assert.True((await here.Desk.SessionPolicy.Change(admin.Actor, new SessionTimes(60, 480, 3), default, default)).Ok);
            var began = System.Diagnostics.Stopwatch.StartNew();
            while (there.Desk.SessionPolicy.Times.IdleLockSeconds != 60)
            {
                Assert.True(began.Elapsed < TimeSpan.FromSeconds(5), "The other server had not followed after five seconds.");
                await Task.Delay(20);
            }

            Assert.InRange(began.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(2.5));
        }
        finally
        {
            await sweep.StopAsync(default);
        }
    }

    private async Task Follow()
    {
        await here.Desk.Follow(default);
        await there.Desk.Follow(default);
    }

    private async Task<X509Certificate2> Certificate(string device)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        _ = (await here.Desk.Devices.Register(here.SetUp.Setup, device, "Records", default)).Value;
        return X509Certificate2.CreateFromPem((await here.Clients.IssueToDevice(here.SetUp.Setup, device, TestAuthority.Request(key), null, default)).Value.Certificate.Pem());
    }
}
