using System.Text.Json;
using Mangrove.Kernel;
using Mangrove.Vault.Audit;
using Mangrove.Vault.Identity;

namespace Mangrove.Tests.Vault.Identity;

/// <summary>Passkeys where a phone stood alone before: at the first sign-in, for the acts of administrators, and by the keys that Windows makes.</summary>
public abstract class PasskeyActTests : OnEveryDatabase
{
    private const string Device = "Ward-3-Tablet";
    private const string Name = "mangrove.kivuko.example";
    private static readonly PasskeySite Here = PasskeySite.At(Name, 8443)!;

    public enum Act
    {
        Roles,
        Times,
        Departments,
        Devices,
    }

    [Fact]
    public async Task The_first_sign_in_sets_up_a_passkey_in_place_of_the_phone_and_gives_recovery_codes()
    {
        var house = await House();
        await house.Member("amina", Role.Admin);
        using var key = new SoftKey();
        var ticket = await Ticket(house);

        var session = (await First(house, ticket, key, " Blue key ")).Value;

        var codes = house.Desk.SecondFactor.TakeCodes(session.Actor)!;
        Assert.Equal(10, codes.Count);
        Assert.Equal("Blue key", Assert.Single(await house.Desk.Passkeys.Of(session.Actor, default)).Name);
        var state = await house.Desk.SecondFactor.Of(session.Actor, default);
        Assert.Equal((null, 1, 10), (state.Since, state.Passkeys, state.CodesLeft));
        Assert.Equal($"passkeys 0 -> 1, with {key.Mark}", Assert.Single(await house.Entries("ADD_PASSKEY")).Reason);
        Assert.Equal($"password and first passkey {key.Mark}", Assert.Single(await house.Entries("SIGN_IN")).Reason);
        Assert.Equal("signin.expired", (await house.SignIn.MakePasskey(ticket, Device, Here, default)).Error!.Code);

        // From now on it is the second step, across a restart; a recovery code stands for it.
        await house.Restart();
        Assert.False((await house.SignIn.Password("amina", IdentityHouse.Password, Device, default)).Value.MustEnrol);
        Assert.True((await Show(house, await Ticket(house), key)).Ok);
        Assert.True((await house.SignIn.Code(await Ticket(house), codes[3], Device, default)).Ok);
    }

    [Fact]
    public async Task A_role_that_must_have_one_sets_up_a_passkey_too_and_others_are_not_asked()
    {
        var house = await House();
        await house.Member("amina", Role.Admin);
        await house.Member("nina");
        var admin = await house.Enter("amina", "Desk-1");
        Assert.Null((await house.SignIn.Password("nina", IdentityHouse.Password, Device, default)).Value.Ticket);
        Assert.True((await house.Desk.SecondFactor.Require(admin.Actor, new HashSet<Role> { Role.Nurse }, default, default)).Ok);
        using var key = new SoftKey();

        Assert.True((await First(house, await Ticket(house, "nina"), key)).Ok);

        // Whoever has a second factor is asked for it: nothing can be set up beside it by a password alone.
        var ticket = await Ticket(house, "nina");
        Assert.Equal("signin.expired", (await house.SignIn.MakePasskey(ticket, Device, Here, default)).Error!.Code);
        Assert.Equal("signin.expired", (await house.SignIn.FirstPasskey(ticket, "Mine", "{}", Device, Here, default)).Error!.Code);
        Assert.Equal(1, await house.Count("SELECT COUNT(*) FROM passkey"));
    }

    [Fact]
    public async Task A_first_passkey_needs_a_name_a_site_its_own_challenge_and_three_minutes()
    {
        var house = await House();
        await house.Member("amina", Role.Admin);
        using var key = new SoftKey();
        var ticket = await Ticket(house);
        Assert.Equal("passkey.address", (await house.SignIn.MakePasskey(ticket, Device, null, default)).Error!.Code);
        Assert.Equal("signin.expired", (await house.SignIn.MakePasskey(ticket, "Desk-9", Here, default)).Error!.Code);

        var options = (await house.SignIn.MakePasskey(ticket, Device, Here, default)).Value;
        Assert.Equal("passkey.name", (await house.SignIn.FirstPasskey(ticket, " ", key.Make(options, Here.Origin), Device, Here, default)).Error!.Code);
        house.Clock.Pass(TimeSpan.FromMinutes(3));
        Assert.Equal("passkey.expired", (await house.SignIn.FirstPasskey(ticket, "Key", key.Make(options, Here.Origin), Device, Here, default)).Error!.Code);
        options = (await house.SignIn.MakePasskey(ticket, Device, Here, default)).Value;
        Assert.Equal("passkey.not-made", (await house.SignIn.FirstPasskey(ticket, "Key", key.Make(options, "https://mangrove.example:8443"), Device, Here, default)).Error!.Code);
        Assert.Equal("passkey.expired", (await house.SignIn.FirstPasskey(ticket, "Key", key.Make(options, Here.Origin), Device, Here, default)).Error!.Code);
        Assert.Equal(0, await house.Count("SELECT COUNT(*) FROM passkey"));
        Assert.Equal(["passkey.expired", "passkey.not-made", "passkey.expired"], (await house.Entries("SIGN_IN_REFUSED")).Select(entry => entry.Reason));

        // Five in all, of either kind, and the password is asked again.
        Assert.Equal("signin.code", (await house.SignIn.FirstCode(ticket, "000000", Device, default)).Error!.Code);
        house.Clock.Pass(TimeSpan.FromMinutes(2));
        options = (await house.SignIn.MakePasskey(ticket, Device, Here, default)).Value;
        Assert.True((await house.SignIn.FirstPasskey(ticket, "Key", key.Make(options, Here.Origin), Device, Here, default)).Ok);
    }

    [Fact]
    public async Task Of_a_phone_and_a_passkey_set_up_at_once_by_two_tickets_one_stays()
    {
        var house = await House();
        await house.Member("amina", Role.Admin);
        using var key = new SoftKey();
        var (here, there) = (await Ticket(house), await Ticket(house, device: "Desk-1"));
        var options = (await house.SignIn.MakePasskey(here, Device, Here, default)).Value;
        Assert.True(Mangrove.Sealing.Base32.TryDecode(house.SignIn.Enrol(there, "Desk-1").Value.Secret, out var secret));
        house.Phones["amina"] = secret;

        var both = await Task.WhenAll(
            Task.Run(() => house.SignIn.FirstPasskey(here, "Key", key.Make(options, Here.Origin), Device, Here, default)),
            Task.Run(() => house.SignIn.FirstCode(there, house.Code("amina"), "Desk-1", default)));

        Assert.Single(both, one => one.Ok);
        Assert.Equal("signin.expired", both.Single(one => !one.Ok).Error!.Code);
        Assert.Equal(1, await house.Count("SELECT COUNT(*) FROM passkey") + await house.Count("SELECT COUNT(*) FROM authenticator"));
    }

    [Theory]
    [InlineData(Act.Roles)]
    [InlineData(Act.Times)]
    [InlineData(Act.Departments)]
    [InlineData(Act.Devices)]
    public async Task An_administrator_who_has_only_a_passkey_does_every_act_that_asks_for_a_second_factor(Act act)
    {
        var (house, admin, key) = await Admin();
        using var _ = key;
        await Tighten(house, admin, act);
        Assert.Equal("factor.code", (await Loosen(house, admin, act, new FactorProof(null, null, Here))).Code);

        var proof = await Proof(house, admin, key, NameOf(act));
        Assert.Null((await LoosenOrNull(house, admin, act, proof))?.Code);

        // Once, and never again.
        await Tighten(house, admin, act);
        Assert.Equal("passkey.expired", (await Loosen(house, admin, act, proof)).Code);
        Assert.Equal((AuditOutcome.Refused, "passkey.expired"), ((await house.Entries())[^1].Outcome, (await house.Entries())[^1].Reason));
    }

    [Fact]
    public async Task A_passkey_shown_for_one_act_does_no_other_and_is_gone()
    {
        var (house, admin, key) = await Admin();
        using var _ = key;
        foreach (var act in Enum.GetValues<Act>())
        {
            await Tighten(house, admin, act);
            foreach (var other in Enum.GetValues<Act>().Select(NameOf).Append(FactorActs.Own).Where(name => name != NameOf(act)).Take(2))
            {
                var proof = await Proof(house, admin, key, other);
                Assert.Equal("passkey.expired", (await Loosen(house, admin, act, proof)).Code);
            }

            // The challenge of the right act was never drawn: nothing is left to answer.
            Assert.Null(await LoosenOrNull(house, admin, act, await Proof(house, admin, key, NameOf(act))));
        }

        Assert.Equal("passkey.act", (await house.Desk.Passkeys.Ask(admin.Token, "anything", Here, default)).Error!.Code);
        Assert.Equal("passkey.act", (await house.Desk.Passkeys.Ask(admin.Token, null, Here, default)).Error!.Code);
    }

    [Fact]
    public async Task A_passkey_shown_in_one_session_does_nothing_in_another()
    {
        var (house, admin, key) = await Admin();
        using var mine = key;
        await house.Member("zuri", Role.Admin);
        using var hers = new SoftKey();
        var zuri = (await First(house, await Ticket(house, "zuri", "Desk-1"), hers, device: "Desk-1")).Value;
        await Tighten(house, admin, Act.Times);
        var proof = await Proof(house, admin, key, FactorActs.Times);

        Assert.Equal("passkey.expired", (await Loosen(house, zuri, Act.Times, proof)).Code);
        _ = await Proof(house, zuri, hers, FactorActs.Times);
        Assert.Equal("passkey.refused", (await Loosen(house, zuri, Act.Times, proof)).Code);
        Assert.Null(await LoosenOrNull(house, admin, Act.Times, proof));
    }

    [Fact]
    public async Task Wrong_codes_and_passkeys_are_counted_together_and_the_sixth_is_asked_no_more()
    {
        var (house, admin, key) = await Admin();
        using var mine = key;
        using var wrong = new SoftKey { Handle = key.Handle };
        await Tighten(house, admin, Act.Times);
        var said = new List<string>();
        for (var n = 0; n < 8; n++)
        {
            // Nothing shown is nothing guessed.
            Assert.Equal("factor.code", (await Loosen(house, admin, Act.Times, default)).Code);
        }

        for (var n = 0; n < 3; n++)
        {
            said.Add((await Loosen(house, admin, Act.Times, new FactorProof("000000", null, Here))).Code);
            said.Add((await Loosen(house, admin, Act.Times, await Proof(house, admin, wrong, FactorActs.Times))).Code);
        }

        Assert.Equal(["factor.code", "passkey.refused", "factor.code", "passkey.refused", "factor.code", "factor.too-many"], said);
        Assert.Equal("factor.too-many", (await Loosen(house, admin, Act.Times, await Proof(house, admin, key, FactorActs.Times))).Code);

        // Nor on the pages of the own account; a new sign-in is asked anew.
        Assert.Equal("factor.too-many", (await house.Desk.SecondFactor.NewCodes(admin.Token, IdentityHouse.Password, await Proof(house, admin, key, FactorActs.Own), default)).Error!.Code);
        house.Clock.Pass(TimeSpan.FromMinutes(1));
        admin = (await Show(house, await Ticket(house), key)).Value;
        Assert.Null(await LoosenOrNull(house, admin, Act.Times, await Proof(house, admin, key, FactorActs.Times)));
    }

    [Fact]
    public async Task One_answer_used_sixty_four_times_at_once_does_one_act()
    {
        var (house, admin, key) = await Admin();
        using var mine = key;
        await Tighten(house, admin, Act.Times);
        var proof = await Proof(house, admin, key, FactorActs.Times);

        var done = await Task.WhenAll(Enumerable.Range(0, 64).Select(_ => Task.Run(() => house.Desk.SessionPolicy.Change(admin.Actor, new SessionTimes(120, 480, 3), proof, default))));

        // Those that came after the first found the time no longer looser, and needed nothing.
        Assert.Contains(done, one => one.Ok);
        Assert.All(done.Where(one => !one.Ok), one => Assert.Contains(one.Error!.Code, (string[])["passkey.expired", "factor.too-many"]));
        Assert.Equal("passkey.expired", (await Loosen(house, admin, Act.Times, proof)).Code);
        Assert.Equal(2, await house.Count("SELECT sign_count FROM passkey"));
    }

    [Theory]
    [InlineData(SoftKey.Es256)]
    [InlineData(SoftKey.Es384)]
    [InlineData(SoftKey.Rs256)]
    public async Task A_key_of_each_algorithm_is_made_and_signs_in(int algorithm)
    {
        var house = await House();
        await house.Member("amina", Role.Admin);
        using var key = new SoftKey(algorithm);
        using var other = new SoftKey(algorithm) { Handle = key.Handle };
        Assert.True((await First(house, await Ticket(house), key)).Ok);
        await house.Restart();

        Assert.True((await Show(house, await Ticket(house), key)).Ok);

        // Signed by another key of the same make, in its name.
        var ticket = await Ticket(house);
        var options = (await house.SignIn.AskPasskey(ticket, Device, Here, default)).Value;
        var (right, forged) = (JsonDocument.Parse(key.Show(options, Here.Origin)).RootElement, JsonDocument.Parse(other.Show(options, Here.Origin)).RootElement);
        var mixed = right.GetRawText().Replace(right.GetProperty("response").GetProperty("signature").GetString()!, forged.GetProperty("response").GetProperty("signature").GetString(), StringComparison.Ordinal);
        Assert.Equal("passkey.refused", (await house.SignIn.Passkey(ticket, mixed, Device, Here, default)).Error!.Code);
        Assert.True((await Show(house, ticket, key)).Ok);
    }

    [Theory]
    [InlineData(SoftKey.Rs256, 1024)]
    [InlineData(SoftKey.Rs256, 1536)]
    [InlineData(SoftKey.Ps256, 2048)]
    public async Task A_key_that_is_too_short_or_of_another_algorithm_is_not_made(int algorithm, int bits)
    {
        var house = await House();
        await house.Member("amina", Role.Admin);
        using var key = new SoftKey(algorithm, bits);
        Assert.Equal("passkey.not-made", (await First(house, await Ticket(house), key)).Error!.Code);
        Assert.Equal(0, await house.Count("SELECT COUNT(*) FROM passkey"));
    }

    [Fact]
    public async Task Three_algorithms_are_offered()
    {
        var house = await House();
        await house.Member("amina", Role.Admin);
        using var options = JsonDocument.Parse((await house.SignIn.MakePasskey(await Ticket(house), Device, Here, default)).Value);
        Assert.Equal(
            [SoftKey.Es256, SoftKey.Es384, SoftKey.Rs256],
            options.RootElement.GetProperty("pubKeyCredParams").EnumerateArray().Select(one => one.GetProperty("alg").GetInt32()));
    }

    /// <summary>An administrator who is signed in at a registered device, has one passkey and no phone.</summary>
    private async Task<(IdentityHouse House, SignedIn Admin, SoftKey Key)> Admin()
    {
        var house = await House();
        await house.Member("amina", Role.Admin);
        await house.Enrol(Device, "Emergency");
        var key = new SoftKey();
        return (house, (await First(house, await Ticket(house), key)).Value, key);
    }

    private static string NameOf(Act act) => act switch
    {
        Act.Roles => FactorActs.Roles,
        Act.Times => FactorActs.Times,
        Act.Departments => FactorActs.Departments,
        _ => FactorActs.Devices,
    };

    private static async Task Tighten(IdentityHouse house, SignedIn admin, Act act)
    {
        var refused = act switch
        {
            Act.Roles => (await house.Desk.SecondFactor.Require(admin.Actor, new HashSet<Role> { Role.Nurse }, default, default)).Error,
            Act.Times => (await house.Desk.SessionPolicy.Change(admin.Actor, new SessionTimes(60, 480, 3), default, default)).Error,
            Act.Departments => (await house.Desk.Departments.Change(admin.Actor, "Emergency", new HashSet<Role> { Role.Nurse }, "", default, default)).Error,
            _ => (await house.Desk.Devices.Require(admin.Actor, true, default, default)).Error,
        };
        Assert.Null(refused);
    }

    private static async Task<Error> Loosen(IdentityHouse house, SignedIn admin, Act act, FactorProof proof) =>
        await LoosenOrNull(house, admin, act, proof) ?? throw new InvalidOperationException("It was done.");

    private static async Task<Error?> LoosenOrNull(IdentityHouse house, SignedIn admin, Act act, FactorProof proof) => act switch
    {
        Act.Roles => (await house.Desk.SecondFactor.Require(admin.Actor, new HashSet<Role>(), proof, default)).Error,
        Act.Times => (await house.Desk.SessionPolicy.Change(admin.Actor, SessionTimes.Seeds, proof, default)).Error,
        Act.Departments => (await house.Desk.Departments.Change(admin.Actor, "Emergency", Enum.GetValues<Role>().ToHashSet(), "", proof, default)).Error,
        _ => (await house.Desk.Devices.Require(admin.Actor, false, proof, default)).Error,
    };

    private static async Task<FactorProof> Proof(IdentityHouse house, SignedIn session, SoftKey key, string act) =>
        new(null, key.Show((await house.Desk.Passkeys.Ask(session.Token, act, Here, default)).Value, Here.Origin), Here);

    private static async Task<string?> Ticket(IdentityHouse house, string user = "amina", string device = Device) =>
        (await house.SignIn.Password(user, IdentityHouse.Password, device, default)).Value.Ticket;

    private static async Task<Result<SignedIn>> First(IdentityHouse house, string? ticket, SoftKey key, string name = "Key", string device = Device)
    {
        var asked = await house.SignIn.MakePasskey(ticket, device, Here, default);
        return asked.Error is { } error ? error : await house.SignIn.FirstPasskey(ticket, name, key.Make(asked.Value, Here.Origin), device, Here, default);
    }

    private static async Task<Result<SignedIn>> Show(IdentityHouse house, string? ticket, SoftKey key)
    {
        var asked = await house.SignIn.AskPasskey(ticket, Device, Here, default);
        return asked.Error is { } error ? error : await house.SignIn.Passkey(ticket, key.Show(asked.Value, Here.Origin), Device, Here, default);
    }
}
