using Mangrove.Kernel;
using Mangrove.Sealing;
using Mangrove.Vault.Identity;

namespace Mangrove.Tests.Vault.Identity;

/// <summary>What a person is told after a sign-in: the one before, and wrong tries since (OWASP ASVS 5.0, 6.3.5).</summary>
public abstract class SignInTraceTests : OnEveryDatabase
{
    private const string Wrong = "quite a wrong password";

    [Fact]
    public async Task The_first_sign_in_finds_nothing_and_the_next_finds_the_one_before()
    {
        var house = await House();
        await house.Member("nina");
        var first = await house.Enter("nina", "Ward-3-Tablet");
        Assert.Equal(new SignInTrace(null, null, 0, null), house.SignIn.TakeTrace(first.Actor));
        var then = house.Clock.GetUtcNow();
        house.Clock.Pass(TimeSpan.FromHours(3));

        var second = await house.Enter("nina", "Desk-1");

        var trace = house.SignIn.TakeTrace(second.Actor);
        Assert.Equal(("Ward-3-Tablet", 0), (trace?.BeforeAt, trace?.Wrong));
        Assert.Equal(then.ToUnixTimeMilliseconds(), trace?.Before?.ToUnixTimeMilliseconds());
        Assert.Null(house.SignIn.TakeTrace(second.Actor));
    }

    [Fact]
    public async Task Wrong_tries_anywhere_are_counted_across_a_restart_and_reset_by_the_sign_in_that_shows_them()
    {
        var house = await House();
        await house.Member("nina");
        await house.Member("omar");
        await house.Enter("nina");
        await Try(house, "nina", "Ward-3-Tablet", 2);
        house.Clock.Pass(TimeSpan.FromMinutes(7));
        await Try(house, "NINA", "address:10.0.0.66", 1);
        var last = house.Clock.GetUtcNow();
        await Try(house, "omar", "Ward-3-Tablet", 1);
        await house.Restart();
        house.Clock.Pass(TimeSpan.FromMinutes(1));

        var session = await house.Enter("nina");

        var trace = house.SignIn.TakeTrace(session.Actor)!;
        Assert.Equal((3, last.ToUnixTimeMilliseconds()), (trace.Wrong, trace.LastWrong!.Value.ToUnixTimeMilliseconds()));
        var history = (await house.SignIn.History(session.Actor, default))!;
        Assert.Equal((3, 0, "Ward-3-Tablet"), (history.Found.Wrong, history.Wrong, history.At));
        await Try(house, "nina", "Desk-1", 1);
        await house.Restart();
        history = (await house.SignIn.History(session.Actor, default))!;
        Assert.Equal((3, 1), (history.Found.Wrong, history.Wrong));
        Assert.NotNull(history.LastWrong);
        Assert.Equal(1, house.SignIn.TakeTrace((await house.Enter("nina")).Actor)?.Wrong);
        Assert.Equal(0, house.SignIn.TakeTrace((await house.Enter("nina")).Actor)?.Wrong);
    }

    [Fact]
    public async Task A_right_password_with_a_wrong_code_is_a_wrong_try()
    {
        var house = await House();
        await house.Member("boss", Role.Admin);
        await house.Enter("boss");
        var step = (await house.SignIn.Password("boss", IdentityHouse.Password, "Ward-3-Tablet", default)).Value;
        Assert.Equal("signin.code", (await house.SignIn.Code(step.Ticket, "000000", "Ward-3-Tablet", default)).Error?.Code);
        Assert.Equal("signin.code", (await house.SignIn.Code(step.Ticket, "aaaaa-aaaaa", "Ward-3-Tablet", default)).Error?.Code);
        // The ticket alone is no sign-in: what it found stays for the one that becomes a session.
        house.Clock.Pass(TimeSpan.FromSeconds(Totp.StepSeconds));
        var session = (await house.SignIn.Code(step.Ticket, house.Code("boss"), "Ward-3-Tablet", default)).Value;
        Assert.Equal(2, house.SignIn.TakeTrace(session.Actor)?.Wrong);
    }

    [Fact]
    public async Task A_command_shows_nothing_and_so_resets_nothing()
    {
        var house = await House();
        await house.Member("nina");
        await Try(house, "nina", "Desk-1", 2);
        Assert.Null((await house.SignIn.CommandLine("nina", IdentityHouse.Password, default)).Error);
        Assert.Equal(2, house.SignIn.TakeTrace((await house.Enter("nina")).Actor)?.Wrong);
    }

    [Fact]
    public async Task Names_that_nobody_has_are_written_by_the_same_statement_into_one_row()
    {
        var house = await House();
        await house.Member("nina");
        await house.Enter("nina");
        foreach (var name in (string[])["nobody", "no.one", "x"])
        {
            await Try(house, name, "Desk-1", 2);
        }

        Assert.Equal(2, await house.Count("SELECT COUNT(*) FROM sign_in_trace"));
        Assert.Equal(6, await house.Count("SELECT wrong FROM sign_in_trace WHERE signed_at IS NULL"));
        await Try(house, "nina", "Desk-1", 2);
        Assert.Equal(2, await house.Count("SELECT wrong FROM sign_in_trace WHERE signed_at IS NOT NULL"));
    }

    [Fact]
    public async Task Tries_at_once_are_all_counted()
    {
        var house = await House();
        await house.Member("nina");
        await Task.WhenAll(Enumerable.Range(0, 12).Select(n => Task.Run(() => house.SignIn.Password("nina", Wrong, $"Desk-{n}", default))));
        Assert.Equal(12, house.SignIn.TakeTrace((await house.Enter("nina", "Desk-99")).Actor)?.Wrong);
    }

    private static async Task Try(IdentityHouse house, string user, string device, int times)
    {
        for (var n = 0; n < times; n++)
        {
            Assert.Equal("signin.refused", (await house.SignIn.Password(user, Wrong, device, default)).Error?.Code);
        }
    }
}
