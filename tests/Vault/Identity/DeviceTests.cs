using System.Security.Cryptography;
using System.Text;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Identity;

namespace Mangrove.Tests.Vault.Identity;

public abstract class DeviceTests : OnEveryDatabase
{
    private const string Name = "ER-Doctor-Tablet-03";
    private const string Address = "address:10.0.0.7";

    [Fact]
    public async Task A_code_registers_one_browser_once_and_its_key_is_shown_at_sign_in()
    {
        var house = await House();
        var code = (await house.Desk.Devices.Register(house.SetUp.Setup, Name, "Emergency", default)).Value;
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

        var enrolled = (await Enrol(house, code.Spaced.ToLowerInvariant(), key)).Value;

        Assert.Equal((Name, "Emergency"), (enrolled.Name, enrolled.Department));
        Assert.Equal(new KnownDevice(Name, "Emergency", null, house.Clock.GetUtcNow()), house.Desk.Devices.Claimed(enrolled.Token));
        Assert.Equal("device.code", (await Enrol(house, code.Code, key)).Error!.Code);
        Assert.Equal(Name, (await Prove(house, enrolled.Token, key)).Value);
        await house.Restart();
        Assert.Equal(Name, (await Prove(house, enrolled.Token, key)).Value);
        Assert.Equal("awaiting its browser -> registered", (await house.Entries("ENROL_DEVICE"))[0].Reason);
    }

    [Fact]
    public async Task Of_many_browsers_with_one_code_one_is_registered()
    {
        var house = await House();
        var code = (await house.Desk.Devices.Register(house.SetUp.Setup, Name, "Emergency", default)).Value;
        var answers = await Task.WhenAll(Enumerable.Range(0, 32).Select(number => Task.Run(async () =>
        {
            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            return await Enrol(house, code.Code, key, $"address:10.0.0.{number}");
        })));

        Assert.Single(answers, answer => answer.Ok);
    }

    [Fact]
    public async Task A_copied_cookie_without_the_key_signs_nobody_in()
    {
        var (house, token, key) = await Registered();
        using (key)
        {
            using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);

            Assert.Equal("device.proof", (await Prove(house, token, other)).Error!.Code);
            Assert.Equal("device.proof", (await house.Desk.Devices.Prove(token, DeviceProof.SignIn, null, null, Address, default)).Error!.Code);
            Assert.Equal("device", (await house.Entries("SIGN_IN_REFUSED"))[^1].Resource.Split(':')[0]);
        }
    }

    [Fact]
    public async Task A_proof_is_good_once_for_its_use_and_for_ten_minutes()
    {
        var (house, token, key) = await Registered();
        using (key)
        {
            var devices = house.Desk.Devices;
            var nonce = devices.Challenge();
            var signed = Sign(key, "sign-in", nonce);
            Assert.Equal("device.proof", (await devices.Prove(token, DeviceProof.Resume, nonce, signed, Address, default)).Error!.Code);
            Assert.True((await devices.Prove(token, DeviceProof.SignIn, nonce, signed, Address, default)).Ok);
            Assert.Equal("device.proof", (await devices.Prove(token, DeviceProof.SignIn, nonce, signed, Address, default)).Error!.Code);

            var late = devices.Challenge();
            house.Clock.Pass(TimeSpan.FromMinutes(10));
            Assert.Equal("device.proof", (await devices.Prove(token, DeviceProof.SignIn, late, Sign(key, "sign-in", late), Address, default)).Error!.Code);

            // A number that the server did not make, or that somebody changed.
            var made = devices.Challenge();
            var changed = string.Concat(made[0] == 'A' ? "B" : "A", made.AsSpan(1));
            Assert.Equal("device.proof", (await devices.Prove(token, DeviceProof.SignIn, changed, Sign(key, "sign-in", changed), Address, default)).Error!.Code);
        }
    }

    [Fact]
    public async Task Revoking_a_device_ends_its_sessions_at_once_and_kills_its_key()
    {
        var (house, token, key) = await Registered();
        using (key)
        {
            await house.Member("nina");
            await house.Member("omar");
            var there = await house.Enter("nina", Name);
            var elsewhere = await house.Enter("omar");
            var turns = new List<string>();
            house.Sessions.SessionChanged += (_, change) => turns.Add($"{change.SessionId} {change.Turn}");

            Assert.True((await house.Desk.Devices.Revoke(house.SetUp.Setup, Name, default)).Ok);

            Assert.Equal(SessionEnd.DeviceRevoked, (await house.Sessions.Resolve(there.Token, default)).Ended);
            Assert.Equal(SessionStanding.Live, (await house.Sessions.Resolve(elsewhere.Token, default)).Standing);
            Assert.Equal([$"{there.Actor.SessionId} {SessionTurn.Ended}"], turns);
            Assert.Null(house.Desk.Devices.Claimed(token));
            Assert.Equal(Address, (await Prove(house, token, key)).Value);
            Assert.Equal("device.name-taken", (await house.Desk.Devices.Register(house.SetUp.Setup, Name.ToLowerInvariant(), "Emergency", default)).Error!.Code);
        }
    }

    [Fact]
    public async Task A_new_code_kills_the_key_of_before()
    {
        var (house, token, key) = await Registered();
        using (key)
        {
            var code = (await house.Desk.Devices.Renew(house.SetUp.Setup, Name, default)).Value;
            Assert.Null(house.Desk.Devices.Claimed(token));
            using var fresh = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            var enrolled = (await Enrol(house, code.Code, fresh)).Value;

            Assert.Equal(Name, (await Prove(house, enrolled.Token, fresh)).Value);
            Assert.False((await Prove(house, enrolled.Token, key)).Ok);
        }
    }

    [Fact]
    public async Task Where_devices_are_required_an_unregistered_one_signs_nobody_in_and_its_sessions_are_worth_nothing()
    {
        var house = await House();
        await house.Member("amina", Role.Admin);
        var admin = await house.Enter("amina", Address);
        Assert.True(house.Desk.Devices.Holds(Address, null));
        Assert.Equal("device.unregistered", (await house.Desk.Devices.Require(admin.Actor, true, default, default)).Error!.Code);

        var code = (await house.Desk.Devices.Register(admin.Actor, Name, "Emergency", default)).Value;
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var token = (await Enrol(house, code.Code, key)).Value.Token;
        admin = await house.Enter("amina", Name);
        Assert.True((await house.Desk.Devices.Require(admin.Actor, true, default, default)).Value);

        Assert.Equal("device.unregistered", (await house.Desk.Devices.Prove(null, DeviceProof.SignIn, null, null, Address, default)).Error!.Code);
        Assert.False(house.Desk.Devices.Holds(Address, null));
        Assert.False(house.Desk.Devices.Holds(Name, null));
        Assert.True(house.Desk.Devices.Holds(Name, token));
        await house.Restart();
        Assert.True(house.Desk.Devices.Required);

        Assert.Equal("factor.code", (await house.Desk.Devices.Require(admin.Actor, false, default, default)).Error!.Code);
        house.Clock.Pass(TimeSpan.FromSeconds(30));
        Assert.False((await house.Desk.Devices.Require(admin.Actor, false, new(house.Code("amina")), default)).Value);
        Assert.Equal(["device.unregistered", "any device -> registered devices only", "factor.code", "registered devices only -> any device"], (await house.Entries("REQUIRE_DEVICES")).Select(entry => entry.Reason));
    }

    [Fact]
    public async Task Guessed_codes_make_wait_even_for_the_right_one()
    {
        var house = await House();
        var code = (await house.Desk.Devices.Register(house.SetUp.Setup, Name, "Emergency", default)).Value;
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var answers = new List<string>();
        for (var guess = 0; guess < 10; guess++)
        {
            answers.Add((await Enrol(house, $"ABCDEFGH{guess}XYZ", key)).Error!.Code);
        }

        Assert.Contains("signin.wait", answers);
        Assert.Equal("signin.wait", (await Enrol(house, code.Code, key)).Error!.Code);
        Assert.True((await Enrol(house, code.Code, key, "address:10.0.0.8")).Ok);
    }

    [Fact]
    public async Task A_code_runs_out_after_a_day()
    {
        var house = await House();
        var code = (await house.Desk.Devices.Register(house.SetUp.Setup, Name, "Emergency", default)).Value;
        house.Clock.Pass(TimeSpan.FromHours(24));
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

        Assert.Equal("device.code", (await Enrol(house, code.Code, key)).Error!.Code);
    }

    [Theory]
    [InlineData("ab", "Emergency", "device.name-invalid")]
    [InlineData("address:10.0.0.7", "Emergency", "device.name-invalid")]
    [InlineData("Tablet 3", "Emergency", "device.name-invalid")]
    [InlineData(Name, " ", "device.department-invalid")]
    [InlineData(Name, "Emer\ngency", "device.department-invalid")]
    public async Task A_name_or_department_that_cannot_be_one_is_refused(string name, string department, string code)
    {
        var house = await House();
        Assert.Equal(code, (await house.Desk.Devices.Register(house.SetUp.Setup, name, department, default)).Error!.Code);
        Assert.Equal(0, await house.Count("SELECT COUNT(*) FROM device"));
    }

    [Fact]
    public async Task A_key_that_is_not_of_the_one_kind_is_refused()
    {
        var house = await House();
        var code = (await house.Desk.Devices.Register(house.SetUp.Setup, Name, "Emergency", default)).Value;
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        using var rsa = RSA.Create(2048);
        foreach (var key in new[] { Convert.ToBase64String(other.ExportSubjectPublicKeyInfo()), Convert.ToBase64String(rsa.ExportSubjectPublicKeyInfo())[..200], "AAAA", "not base64!", "" })
        {
            var nonce = house.Desk.Devices.Challenge();
            Assert.Equal("device.proof", (await house.Desk.Devices.Enrol(code.Code, key, nonce, Sign(other, "enrol", nonce), $"address:{key.Length}", default)).Error!.Code);
        }
    }

    [Fact]
    public async Task Only_an_administrator_names_sees_and_revokes_devices()
    {
        var house = await House();
        await house.Member("nina");
        var nurse = (await house.Enter("nina")).Actor;

        await Assert.ThrowsAsync<Refused>(() => house.Desk.Devices.Register(nurse, Name, "Emergency", default));
        await Assert.ThrowsAsync<Refused>(() => house.Desk.Devices.List(nurse, default));
        await Assert.ThrowsAsync<Refused>(() => house.Desk.Devices.Revoke(nurse, Name, default));
        await Assert.ThrowsAsync<Refused>(() => house.Desk.Devices.Require(nurse, true, default, default));
    }

    private static string Sign(ECDsa key, string use, string nonce) => Convert.ToBase64String(
        key.SignData(Encoding.ASCII.GetBytes($"mangrove device {use} {nonce}"), HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation));

    private static Task<Result<EnrolledDevice>> Enrol(IdentityHouse house, string code, ECDsa key, string address = Address)
    {
        var nonce = house.Desk.Devices.Challenge();
        return house.Desk.Devices.Enrol(code, Convert.ToBase64String(key.ExportSubjectPublicKeyInfo()), nonce, Sign(key, "enrol", nonce), address, default);
    }

    private static Task<Result<string>> Prove(IdentityHouse house, string token, ECDsa key)
    {
        var nonce = house.Desk.Devices.Challenge();
        return house.Desk.Devices.Prove(token, DeviceProof.SignIn, nonce, Sign(key, "sign-in", nonce), Address, default);
    }

    private async Task<(IdentityHouse House, string Token, ECDsa Key)> Registered()
    {
        var house = await House();
        var code = (await house.Desk.Devices.Register(house.SetUp.Setup, Name, "Emergency", default)).Value;
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return (house, (await Enrol(house, code.Code, key)).Value.Token, key);
    }
}
