using System.Text;
using Mangrove.Kernel;
using Mangrove.Sealing;
using Mangrove.Vault;
using Mangrove.Vault.Identity;

namespace Mangrove.Tests.Vault.Identity;

public abstract class SecondFactorTests : OnEveryDatabase
{
    private const string Device = "Ward-3-Tablet";
    private static readonly TimeSpan Step = TimeSpan.FromSeconds(Totp.StepSeconds);

    [Fact]
    public async Task An_administrator_has_no_session_before_a_phone_is_set_up()
    {
        var house = await House();
        await house.Member("amina", Role.Admin);

        var step = (await house.SignIn.Password("amina", IdentityHouse.Password, Device, default)).Value;

        Assert.Null(step.Session);
        Assert.True(step.MustEnrol);
        Assert.Equal(0, await house.Count("SELECT COUNT(*) FROM session"));
        Assert.Equal("signin.expired", (await house.SignIn.Code(step.Ticket, "123456", Device, default)).Error!.Code);
        var shown = house.SignIn.Enrol(step.Ticket, Device).Value;
        Assert.Equal(shown, house.SignIn.Enrol(step.Ticket, Device).Value);
        Assert.StartsWith("otpauth://totp/Kivuko%20Referral%20Hospital:amina?secret=" + shown.Secret, shown.Address, StringComparison.Ordinal);
        Assert.Equal("signin.code", (await house.SignIn.FirstCode(step.Ticket, "000000", Device, default)).Error!.Code);

        Assert.True(Base32.TryDecode(shown.Secret, out var secret));
        house.Phones["amina"] = secret;
        var session = (await house.SignIn.FirstCode(step.Ticket, house.Code("amina"), Device, default)).Value;

        Assert.Equal(SessionStanding.Live, (await house.Sessions.Resolve(session.Token, default)).Standing);
        Assert.Equal(10, house.Desk.SecondFactor.TakeCodes(session.Actor)!.Distinct().Count());
        Assert.Null(house.Desk.SecondFactor.TakeCodes(session.Actor));
        Assert.Equal("none -> one-time codes", Assert.Single(await house.Entries("ENROL_SECOND_FACTOR")).Reason);
    }

    [Fact]
    public async Task Afterwards_each_sign_in_asks_for_a_code_and_a_ticket_is_good_on_its_device_only()
    {
        var (house, _) = await Enrolled();
        house.Clock.Pass(Step);
        var step = (await house.SignIn.Password("amina", IdentityHouse.Password, Device, default)).Value;

        Assert.False(step.MustEnrol);
        Assert.Equal("amina", house.SignIn.Holder(step.Ticket, Device)!.User);
        Assert.Null(house.SignIn.Holder(step.Ticket, "Ward-4-Tablet"));
        Assert.Equal("signin.expired", (await house.SignIn.Code(step.Ticket, house.Code("amina"), "Ward-4-Tablet", default)).Error!.Code);
        Assert.True((await house.SignIn.Code(step.Ticket, house.Code("amina"), Device, default)).Ok);
        Assert.Null(house.SignIn.Holder(step.Ticket, Device));
        Assert.Equal("password and one-time code", (await house.Entries("SIGN_IN"))[^1].Reason);
    }

    [Theory]
    [InlineData(-2, false)]
    [InlineData(-1, true)]
    [InlineData(0, true)]
    [InlineData(1, false)]
    public async Task The_step_now_and_the_one_before_are_taken_and_no_other(int steps, bool taken)
    {
        var (house, _) = await Enrolled();
        house.Clock.Pass(4 * Step);
        var step = (await house.SignIn.Password("amina", IdentityHouse.Password, Device, default)).Value;

        Assert.Equal(taken, (await house.SignIn.Code(step.Ticket, house.Code("amina", steps), Device, default)).Ok);
    }

    [Fact]
    public async Task One_code_used_twice_at_once_succeeds_once_and_never_again()
    {
        var (house, _) = await Enrolled();
        for (var round = 0; round < 20; round++)
        {
            house.Clock.Pass(2 * Step);
            var code = house.Code("amina");
            var one = (await house.SignIn.Password("amina", IdentityHouse.Password, Device, default)).Value;
            var two = (await house.SignIn.Password("amina", IdentityHouse.Password, "Ward-4-Tablet", default)).Value;

            var answers = await Task.WhenAll(
                Task.Run(() => house.SignIn.Code(one.Ticket, code, Device, default)),
                Task.Run(() => house.SignIn.Code(two.Ticket, code, "Ward-4-Tablet", default)));

            Assert.Single(answers, answer => answer.Ok);
            var again = (await house.SignIn.Password("amina", IdentityHouse.Password, "Ward-5-Tablet", default)).Value;
            Assert.Equal("signin.code", (await house.SignIn.Code(again.Ticket, code, "Ward-5-Tablet", default)).Error!.Code);
            house.Clock.Pass(TimeSpan.FromHours(25));
        }
    }

    [Fact]
    public async Task A_code_of_before_is_refused_after_a_restart_too()
    {
        var (house, _) = await Enrolled();
        await house.Restart();
        var step = (await house.SignIn.Password("amina", IdentityHouse.Password, Device, default)).Value;

        Assert.Equal("signin.code", (await house.SignIn.Code(step.Ticket, house.Code("amina"), Device, default)).Error!.Code);
    }

    [Fact]
    public async Task A_recovery_code_stands_for_the_phone_once()
    {
        var (house, codes) = await Enrolled();
        var step = (await house.SignIn.Password("amina", IdentityHouse.Password, Device, default)).Value;
        var session = (await house.SignIn.Code(step.Ticket, codes[3].ToUpperInvariant().Replace("-", " ", StringComparison.Ordinal), Device, default)).Value;

        Assert.Equal(9, (await house.Desk.SecondFactor.Of(session.Actor, default)).CodesLeft);
        Assert.Equal("password and recovery code", (await house.Entries("SIGN_IN"))[^1].Reason);
        step = (await house.SignIn.Password("amina", IdentityHouse.Password, Device, default)).Value;
        Assert.Equal("signin.code", (await house.SignIn.Code(step.Ticket, codes[3], Device, default)).Error!.Code);
    }

    [Fact]
    public async Task Wrong_codes_close_the_ticket_and_make_wait_wherever_they_are_tried()
    {
        var (house, _) = await Enrolled();
        house.Clock.Pass(Step);
        var codes = new List<string>();
        for (var device = 0; device < 4; device++)
        {
            var step = (await house.SignIn.Password("amina", IdentityHouse.Password, $"Ward-{device}", default)).Value;
            for (var one = 0; one < 6; one++)
            {
                codes.Add((await house.SignIn.Code(step.Ticket, "000000", $"Ward-{device}", default)).Error!.Code);
            }
        }

        Assert.InRange(codes.Count(code => code == "signin.code"), 1, 5);
        Assert.Contains("signin.wait", codes);
        Assert.Contains("signin.expired", codes);
        house.Clock.Pass(TimeSpan.FromMinutes(16));
        await house.Enter("amina", "Ward-9");
    }

    [Fact]
    public async Task A_password_that_is_reset_meanwhile_makes_the_ticket_worthless()
    {
        var (house, _) = await Enrolled();
        house.Clock.Pass(Step);
        var step = (await house.SignIn.Password("amina", IdentityHouse.Password, Device, default)).Value;
        await house.Member("boss", Role.Admin);
        await house.Staff.ResetPassword(house.SetUp.Setup, house.SignIn.Holder(step.Ticket, Device)!.Staff, default);

        Assert.False((await house.SignIn.Code(step.Ticket, house.Code("amina"), Device, default)).Ok);
        Assert.Equal(0, await house.Count("SELECT COUNT(*) FROM session WHERE revoked IS NULL"));
        Assert.Equal(1, await house.Count("SELECT COUNT(*) FROM authenticator"));
    }

    [Fact]
    public async Task A_ticket_of_before_does_not_replace_the_phone_that_its_owner_set_up_meanwhile()
    {
        var house = await House();
        await house.Member("amina", Role.Admin);
        var thief = (await house.SignIn.Password("amina", IdentityHouse.Password, "Ward-9", default)).Value;
        Assert.True(Base32.TryDecode(house.SignIn.Enrol(thief.Ticket, "Ward-9").Value.Secret, out var theirs));
        var owner = await house.Enter("amina");

        var answer = await house.SignIn.FirstCode(thief.Ticket, Totp.Code(theirs, house.Clock.GetUtcNow().ToUnixTimeSeconds() / Totp.StepSeconds), "Ward-9", default);

        Assert.Equal("signin.expired", answer.Error!.Code);
        Assert.Null(house.SignIn.Holder(thief.Ticket, "Ward-9"));
        Assert.Equal(SessionStanding.Live, (await house.Sessions.Resolve(owner.Token, default)).Standing);
        var again = await house.Enter("amina");
        Assert.Equal("Ward-3-Tablet", again.EndedAt);
    }

    [Fact]
    public async Task A_ticket_ends_after_ten_minutes()
    {
        var (house, _) = await Enrolled();
        var step = (await house.SignIn.Password("amina", IdentityHouse.Password, Device, default)).Value;
        house.Clock.Pass(TimeSpan.FromMinutes(10));

        Assert.Null(house.SignIn.Holder(step.Ticket, Device));
        Assert.Equal("signin.expired", (await house.SignIn.Code(step.Ticket, house.Code("amina"), Device, default)).Error!.Code);
    }

    [Fact]
    public async Task A_role_can_be_made_to_have_one_and_letting_it_off_asks_the_administrator_for_a_code()
    {
        var (house, _) = await Enrolled();
        var admin = (await house.Enter("amina")).Actor;
        await house.Member("nina");
        Assert.NotNull((await house.SignIn.Password("nina", IdentityHouse.Password, Device, default)).Value.Session);

        Assert.Equal([Role.Nurse, Role.Admin], (await house.Desk.SecondFactor.Require(admin, new HashSet<Role> { Role.Nurse }, default, default)).Value.Order());
        Assert.True((await house.SignIn.Password("nina", IdentityHouse.Password, Device, default)).Value.MustEnrol);

        Assert.Equal("factor.code", (await house.Desk.SecondFactor.Require(admin, new HashSet<Role>(), default, default)).Error!.Code);
        Assert.Equal("factor.code", (await house.Desk.SecondFactor.Require(admin, new HashSet<Role>(), new("000000"), default)).Error!.Code);
        house.Clock.Pass(Step);
        Assert.True((await house.Desk.SecondFactor.Require(admin, new HashSet<Role>(), new(house.Code("amina")), default)).Ok);
        Assert.NotNull((await house.SignIn.Password("nina", IdentityHouse.Password, Device, default)).Value.Session);
        Assert.Equal(["admin -> nurse, admin", "factor.code", "factor.code", "nurse, admin -> admin"], (await house.Entries("REQUIRE_SECOND_FACTOR")).Select(entry => entry.Reason));
    }

    [Fact]
    public async Task Only_an_administrator_says_who_needs_one()
    {
        var house = await House();
        await house.Member("nina");
        var nurse = (await house.Enter("nina")).Actor;

        await Assert.ThrowsAsync<Refused>(() => house.Desk.SecondFactor.Require(nurse, new HashSet<Role> { Role.Doctor }, default, default));
        Assert.Equal([Role.Admin], await house.Desk.SecondFactor.RequiredRoles(default));
    }

    [Fact]
    public async Task A_person_sets_up_changes_and_takes_away_their_own_by_password_and_code()
    {
        var house = await House();
        await house.Member("nina");
        var factor = house.Desk.SecondFactor;
        var session = await house.Enter("nina");
        Assert.Equal("password.current-wrong", (await factor.Begin(session.Token, "quite a wrong password", default, default)).Error!.Code);
        Assert.Equal("factor.not-begun", (await factor.Confirm(session.Token, "123456", default)).Error!.Code);

        Phone(house, (await factor.Begin(session.Token, IdentityHouse.Password, default, default)).Value);
        Assert.NotNull(factor.Begun(session.Actor));
        Assert.Equal("factor.code", (await factor.Confirm(session.Token, "000000", default)).Error!.Code);
        Assert.Null((await factor.Of(session.Actor, default)).Since);
        var renewed = (await factor.Confirm(session.Token, house.Code("nina"), default)).Value;
        Assert.Equal(SessionStanding.None, (await house.Sessions.Resolve(session.Token, default)).Standing);
        Assert.NotNull((await factor.Of(renewed.Actor, default)).Since);
        var first = factor.TakeCodes(renewed.Actor)!;

        // Another phone, and new codes, each by password and a code; the codes of before are dead.
        Assert.Equal("factor.code", (await factor.Begin(renewed.Token, IdentityHouse.Password, default, default)).Error!.Code);
        Phone(house, (await factor.Begin(renewed.Token, IdentityHouse.Password, new FactorProof(first[0]), default)).Value);
        renewed = (await factor.Confirm(renewed.Token, house.Code("nina"), default)).Value;
        var second = factor.TakeCodes(renewed.Actor)!;
        Assert.Equal("factor.code", (await factor.NewCodes(renewed.Token, IdentityHouse.Password, new FactorProof(first[1]), default)).Error!.Code);
        renewed = (await factor.NewCodes(renewed.Token, IdentityHouse.Password, new FactorProof(second[0]), default)).Value;
        var third = factor.TakeCodes(renewed.Actor)!;

        renewed = (await factor.Remove(renewed.Token, IdentityHouse.Password, new FactorProof(third[0]), default)).Value;
        Assert.Null((await factor.Of(renewed.Actor, default)).Since);
        Assert.NotNull((await house.SignIn.Password("nina", IdentityHouse.Password, Device, default)).Value.Session);

        static void Phone(IdentityHouse house, Enrolment shown)
        {
            Assert.True(Base32.TryDecode(shown.Secret, out var secret));
            house.Phones["nina"] = secret;
        }
    }

    [Fact]
    public async Task Whose_role_needs_one_cannot_go_without()
    {
        var (house, codes) = await Enrolled();
        var session = await house.Enter("amina");

        Assert.Equal("factor.required", (await house.Desk.SecondFactor.Remove(session.Token, IdentityHouse.Password, new FactorProof(codes[0]), default)).Error!.Code);
    }

    [Fact]
    public async Task An_administrator_takes_a_lost_phone_away_and_the_session_ends()
    {
        var (house, _) = await Enrolled();
        var lost = await house.Enter("amina");

        Assert.True((await house.Staff.ResetSecondFactor(house.SetUp.Setup, lost.Actor.Staff, default)).Ok);

        Assert.Equal(SessionEnd.FactorReset, (await house.Sessions.Resolve(lost.Token, default)).Ended);
        Assert.Equal("factor.none", (await house.Staff.ResetSecondFactor(house.SetUp.Setup, lost.Actor.Staff, default)).Error!.Code);
        Assert.True((await house.SignIn.Password("amina", IdentityHouse.Password, Device, default)).Value.MustEnrol);
        Assert.Equal(0, await house.Count("SELECT COUNT(*) FROM recovery_code"));
    }

    [Fact]
    public async Task The_tables_hold_neither_the_secret_nor_a_recovery_code()
    {
        var (house, codes) = await Enrolled();
        await using var connection = await house.Store.Open(default);
        var kept = await connection.Query("SELECT secret FROM authenticator", row => row.Bytes(0), default);
        kept.AddRange(await connection.Query("SELECT code FROM recovery_code", row => row.Bytes(0), default));

        Assert.Equal(11, kept.Count);
        Assert.All(kept, bytes => Assert.True(bytes.AsSpan().IndexOf(house.Phones["amina"]) < 0));
        Assert.All(codes, code => Assert.DoesNotContain(kept, bytes => bytes.AsSpan().IndexOf(Encoding.ASCII.GetBytes(code.Replace("-", "", StringComparison.Ordinal))) >= 0));
    }

    /// <summary>A house whose administrator has set up a phone, and the recovery codes of it.</summary>
    private async Task<(IdentityHouse House, IReadOnlyList<string> Codes)> Enrolled()
    {
        var house = await House();
        await house.Member("amina", Role.Admin);
        var session = await house.Enter("amina");
        var codes = house.Desk.SecondFactor.TakeCodes(session.Actor)!;
        await house.Sessions.End(session.Token, default);
        return (house, codes);
    }
}
