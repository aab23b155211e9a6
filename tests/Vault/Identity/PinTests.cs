using Mangrove.Kernel;
using Mangrove.Vault.Identity;

namespace Mangrove.Tests.Vault.Identity;

public abstract class PinTests : OnEveryDatabase
{
    private const string Pin = "480265";
    private const string Device = "Ward-3-Tablet";

    [Fact]
    public async Task A_pin_resumes_a_locked_session_on_its_device_under_a_new_token()
    {
        var (house, locked) = await Locked();

        var state = await house.Sessions.Locked(locked.Token, default);
        Assert.True(state!.HasPin);
        Assert.True(state.ByItself);
        Assert.Equal((5, Device), (state.TriesLeft, state.Device));
        var resumed = (await house.Sessions.Unlock(locked.Token, UnlockBy.Pin, Pin, Device, default)).Value;

        Assert.Equal(locked.Actor.SessionId, resumed.Actor.SessionId);
        Assert.Equal(SessionStanding.None, (await house.Sessions.Resolve(locked.Token, default)).Standing);
        Assert.Equal(SessionStanding.Live, (await house.Sessions.Resolve(resumed.Token, default)).Standing);
        Assert.Equal("PIN", (await house.Entries("UNLOCK"))[^1].Reason);
    }

    [Fact]
    public async Task On_another_device_the_right_pin_and_the_right_password_resume_nothing()
    {
        var (house, locked) = await Locked();

        Assert.Equal("unlock.device", (await house.Sessions.Unlock(locked.Token, UnlockBy.Pin, Pin, "Ward-4-Tablet", default)).Error!.Code);
        Assert.Equal("unlock.device", (await house.Sessions.Unlock(locked.Token, UnlockBy.Password, IdentityHouse.Password, "Ward-4-Tablet", default)).Error!.Code);

        Assert.Equal(5, (await house.Sessions.Locked(locked.Token, default))!.TriesLeft);
    }

    [Fact]
    public async Task A_pin_opens_no_session_and_unlocks_none_where_nobody_chose_one()
    {
        var house = await House();
        await house.Member("nina");
        var signedIn = await house.Enter("nina");
        await house.Sessions.Lock(signedIn.Token, default);

        Assert.False((await house.Sessions.Locked(signedIn.Token, default))!.HasPin);
        Assert.Equal("unlock.refused", (await house.Sessions.Unlock(signedIn.Token, UnlockBy.Pin, Pin, Device, default)).Error!.Code);
        Assert.Equal("signin.refused", (await house.SignIn.Password("nina", Pin, Device, default)).Error!.Code);
    }

    [Fact]
    public async Task Of_sixty_four_guesses_at_once_five_are_evaluated_and_the_session_ends()
    {
        var (house, locked) = await Locked();
        var before = house.Gate.Computations;

        var answers = await Task.WhenAll(Enumerable.Range(0, 64).Select(number => Task.Run(() =>
            house.Sessions.Unlock(locked.Token, UnlockBy.Pin, $"9{number:D5}", Device, default))));

        Assert.DoesNotContain(answers, answer => answer.Ok);
        Assert.Equal(5, house.Gate.Computations - before);
        Assert.Equal(SessionEnd.TooManyWrong, (await house.Sessions.Resolve(locked.Token, default)).Ended);
        Assert.Equal("session.ended", (await house.Sessions.Unlock(locked.Token, UnlockBy.Pin, Pin, Device, default)).Error!.Code);
    }

    [Fact]
    public async Task Wrong_pins_are_counted_across_a_restart_and_together_with_wrong_passwords()
    {
        var (house, locked) = await Locked();
        await house.Sessions.Unlock(locked.Token, UnlockBy.Pin, "999991", Device, default);
        await house.Sessions.Unlock(locked.Token, UnlockBy.Password, "quite a wrong password", Device, default);
        await house.Restart();
        await house.Sessions.Unlock(locked.Token, UnlockBy.Pin, "not digits", Device, default);

        Assert.Equal(2, (await house.Sessions.Locked(locked.Token, default))!.TriesLeft);
        await house.Restart();
        Assert.Equal("unlock.refused", (await house.Sessions.Unlock(locked.Token, UnlockBy.Pin, "999992", Device, default)).Error!.Code);
        Assert.Equal("unlock.ended", (await house.Sessions.Unlock(locked.Token, UnlockBy.Pin, "999993", Device, default)).Error!.Code);
    }

    [Fact]
    public async Task Choosing_a_pin_asks_for_the_password_renews_the_token_and_is_an_entry()
    {
        var house = await House();
        await house.Member("nina");
        var signedIn = await house.Enter("nina");

        Assert.Equal("password.current-wrong", (await house.Desk.Pin.Choose(signedIn.Token, "quite a wrong password", Pin, default)).Error!.Code);
        Assert.Null(await house.Desk.Pin.Chosen(signedIn.Actor, default));
        var renewed = (await house.Desk.Pin.Choose(signedIn.Token, IdentityHouse.Password, Pin, default)).Value;

        Assert.NotNull(await house.Desk.Pin.Chosen(renewed.Actor, default));
        Assert.Equal(SessionStanding.None, (await house.Sessions.Resolve(signedIn.Token, default)).Standing);
        Assert.Equal(SessionStanding.Live, (await house.Sessions.Resolve(renewed.Token, default)).Standing);
        Assert.Equal(2, (await house.Entries("CHOOSE_PIN")).Count);
    }

    [Fact]
    public async Task A_reset_of_the_password_takes_the_pin_with_it()
    {
        var (house, locked) = await Locked();
        await house.Staff.ResetPassword(house.SetUp.Setup, locked.Actor.Staff, default);

        Assert.Equal(0, await house.Count("SELECT COUNT(*) FROM pin"));
    }

    [Theory]
    [InlineData("12345")]
    [InlineData("1234567")]
    [InlineData("12345a")]
    [InlineData("\u0661\u0662\u0663\u0664\u0665\u0667")]
    [InlineData(null)]
    public async Task What_is_not_six_digits_is_no_pin(string? pin) => Assert.Equal("pin.not-six-digits", (await Chosen(pin)).Error!.Code);

    [Theory]
    [InlineData("000000")]
    [InlineData("123456")]
    [InlineData("987654")]
    [InlineData("789012")]
    [InlineData("121212")]
    [InlineData("407407")]
    [InlineData("123321")]
    [InlineData("310585")]
    [InlineData("053185")]
    [InlineData("850531")]
    [InlineData("111985")]
    [InlineData("198511")]
    public async Task A_pin_with_a_pattern_or_a_date_is_refused(string pin) => Assert.Equal("pin.guessable", (await Chosen(pin)).Error!.Code);

    private async Task<Result<SignedIn>> Chosen(string? pin)
    {
        var house = await House();
        await house.Member("nina");
        return await house.Desk.Pin.Choose((await house.Enter("nina")).Token, IdentityHouse.Password, pin, default);
    }

    /// <summary>Somebody with a PIN, whose screen has locked by itself.</summary>
    private async Task<(IdentityHouse House, SignedIn Locked)> Locked()
    {
        var house = await House();
        await house.Member("nina");
        var signedIn = (await house.Desk.Pin.Choose((await house.Enter("nina")).Token, IdentityHouse.Password, Pin, default)).Value;
        house.Clock.Pass(TimeSpan.FromMinutes(5));
        Assert.Equal(SessionStanding.Locked, (await house.Sessions.Resolve(signedIn.Token, default)).Standing);
        return (house, signedIn);
    }
}
