using Mangrove.Kernel;
using Mangrove.Sealing;
using Mangrove.Vault;
using Mangrove.Vault.Identity;

namespace Mangrove.Tests.Vault.Identity;

public abstract class PasskeyTests : OnEveryDatabase
{
    private const string Device = "Ward-3-Tablet";
    private const string Name = "mangrove.kivuko.example";
    private static readonly PasskeySite Here = PasskeySite.At(Name, 8443)!;

    [Fact]
    public async Task A_passkey_is_the_second_step_after_the_password_and_the_log_names_it()
    {
        var house = await House();
        await house.Member("nina");
        using var key = new SoftKey();
        var session = await Add(house, await house.Enter("nina"), key, "Blue key");

        // With the first second factor come the recovery codes; the token of before is dead.
        Assert.Equal(10, house.Desk.SecondFactor.TakeCodes(session.Actor)!.Count);
        var own = Assert.Single(await house.Desk.Passkeys.Of(session.Actor, default));
        Assert.Equal(("Blue key", Name, key.Mark, false), (own.Name, own.Site, own.Mark, own.MayBeCopied));
        Assert.Equal(["usb", "nfc"], own.Transports);
        Assert.Null(own.Used);
        Assert.Equal($"passkeys 0 -> 1, with {key.Mark}", Assert.Single(await house.Entries("ADD_PASSKEY")).Reason);

        var step = (await house.SignIn.Password("nina", IdentityHouse.Password, Device, default)).Value;
        Assert.Null(step.Session);
        Assert.False(step.MustEnrol);
        var holder = house.SignIn.Holder(step.Ticket, Device)!;
        Assert.False(holder.HasPhone);
        Assert.Equal([Name], holder.PasskeysAt);
        var signedIn = (await Show(house, step.Ticket, key)).Value;

        Assert.Equal(SessionStanding.Live, (await house.Sessions.Resolve(signedIn.Token, default)).Standing);
        Assert.Equal(Device, signedIn.EndedAt);
        Assert.Equal($"password and passkey {key.Mark}", (await house.Entries("SIGN_IN"))[^1].Reason);
        Assert.NotNull(Assert.Single(await house.Desk.Passkeys.Of(signedIn.Actor, default)).Used);
        Assert.Null(house.SignIn.Holder(step.Ticket, Device));
    }

    [Fact]
    public async Task The_same_works_after_a_restart_and_for_a_key_that_does_not_count()
    {
        var house = await House();
        await house.Member("nina");
        using var key = new SoftKey { Count = 0, Copies = true };
        await Add(house, await house.Enter("nina"), key);
        await house.Restart();

        Assert.True((await Show(house, await Ticket(house), key)).Ok);
        var session = (await Show(house, await Ticket(house), key)).Value;

        Assert.True(Assert.Single(await house.Desk.Passkeys.Of(session.Actor, default)).MayBeCopied);
        Assert.Equal(0, await house.Count("SELECT sign_count FROM passkey"));
    }

    [Fact]
    public async Task One_answer_used_sixty_four_times_at_once_signs_in_once_and_never_again()
    {
        var (house, key) = await Owner();
        using var _ = key;
        for (var round = 0; round < 5; round++)
        {
            var ticket = await Ticket(house);
            var answer = key.Show((await house.SignIn.AskPasskey(ticket, Device, Here, default)).Value, Here.Origin);

            var answers = await Task.WhenAll(Enumerable.Range(0, 64).Select(_ => Task.Run(() => house.SignIn.Passkey(ticket, answer, Device, Here, default))));

            Assert.Single(answers, one => one.Ok);
            Assert.All(answers.Where(one => !one.Ok), one => Assert.Contains(one.Error!.Code, (string[])["passkey.expired", "signin.expired", "signin.wait"]));
            Assert.Equal(round + 1, (await house.Entries("SIGN_IN")).Count(entry => entry.Reason.StartsWith("password and passkey", StringComparison.Ordinal)));
            Assert.Equal(1, await house.Count("SELECT COUNT(*) FROM session WHERE revoked IS NULL"));

            // Nor with another ticket, whose challenge it does not answer.
            house.Clock.Pass(TimeSpan.FromHours(25));
            var again = await Ticket(house);
            Assert.True((await house.SignIn.AskPasskey(again, Device, Here, default)).Ok);
            Assert.Equal("passkey.refused", (await house.SignIn.Passkey(again, answer, Device, Here, default)).Error!.Code);
            house.Clock.Pass(TimeSpan.FromHours(25));
        }
    }

    [Fact]
    public async Task A_count_that_does_not_rise_is_refused_and_the_entry_names_the_key()
    {
        var (house, key) = await Owner();
        using var copy = key.Copy();
        Assert.True((await Show(house, await Ticket(house), key)).Ok);

        // The copy counts from where it was taken: to the same number first, to one that is behind afterwards.
        Assert.Equal("passkey.count", (await Show(house, await Ticket(house), copy)).Error!.Code);
        key.Count += 10;
        Assert.True((await Show(house, await Ticket(house), key)).Ok);
        Assert.Equal("passkey.count", (await Show(house, await Ticket(house), copy)).Error!.Code);
        copy.Count = 0;
        Assert.Equal("passkey.count", (await Show(house, await Ticket(house), copy)).Error!.Code);

        var refused = await house.Entries("SIGN_IN_REFUSED");
        Assert.All(refused, entry => Assert.Equal(("passkey.count", $"passkey:{key.Mark}"), (entry.Reason, entry.Resource)));
        Assert.Equal(3, refused.Count);
        key.Dispose();
    }

    [Fact]
    public async Task Somebody_elses_passkey_is_refused()
    {
        var (house, key) = await Owner();
        using var _ = key;
        using var other = new SoftKey();
        await house.Member("ola");
        await Add(house, await house.Enter("ola"), other);

        Assert.Equal("passkey.refused", (await Show(house, await Ticket(house), other)).Error!.Code);

        // Also when it claims to be its own account's, and the right key when it claims to be another's.
        house.Clock.Pass(TimeSpan.FromHours(25));
        other.Handle = key.Handle;
        Assert.Equal("passkey.refused", (await Show(house, await Ticket(house), other)).Error!.Code);
        key.Handle = "c29tZWJvZHk";
        Assert.Equal("passkey.refused", (await Show(house, await Ticket(house), key)).Error!.Code);
        Assert.Equal("passkey.refused", (await house.Entries("SIGN_IN_REFUSED"))[^1].Reason);
    }

    [Theory]
    [InlineData("another page")]
    [InlineData("another port")]
    [InlineData("another name")]
    [InlineData("a frame in another page")]
    [InlineData("nobody there")]
    [InlineData("nobody verified")]
    [InlineData("no answer")]
    [InlineData("no JSON")]
    [InlineData("too long")]
    public async Task What_was_signed_elsewhere_or_by_nobody_is_refused(string how)
    {
        var (house, key) = await Owner();
        using var _ = key;
        var ticket = await Ticket(house);
        var options = (await house.SignIn.AskPasskey(ticket, Device, Here, default)).Value;
        key.Name = how == "another name" ? "evil.example" : null;
        key.CrossOrigin = how == "a frame in another page";
        key.Present = how != "nobody there";
        key.Verifies = how != "nobody verified";
        var answer = how switch
        {
            "another page" => key.Show(options, "https://mangrove.kivuko.example.evil.example:8443"),
            "another port" => key.Show(options, $"https://{Name}:9443"),
            "no answer" => null,
            "no JSON" => "{",
            "too long" => key.Show(options, Here.Origin).PadRight(20_000),
            _ => key.Show(options, Here.Origin),
        };

        Assert.Equal("passkey.refused", (await house.SignIn.Passkey(ticket, answer, Device, Here, default)).Error!.Code);
        Assert.Equal(1, await house.Count("SELECT sign_count FROM passkey"));

        // The challenge is gone: the right answer to it comes too late.
        (key.Name, key.CrossOrigin, key.Present, key.Verifies) = (null, false, true, true);
        Assert.Equal("passkey.expired", (await house.SignIn.Passkey(ticket, key.Show(options, Here.Origin), Device, Here, default)).Error!.Code);
        Assert.True((await Show(house, ticket, key)).Ok);
    }

    [Fact]
    public async Task A_challenge_is_good_for_its_ticket_its_device_its_site_and_three_minutes()
    {
        var (house, key) = await Owner();
        using var _ = key;
        var first = await Ticket(house);
        var second = await Ticket(house, "Ward-4-Tablet");
        var answer = key.Show((await house.SignIn.AskPasskey(first, Device, Here, default)).Value, Here.Origin);
        Assert.Equal("signin.expired", (await house.SignIn.AskPasskey(first, "Ward-4-Tablet", Here, default)).Error!.Code);
        Assert.Equal("signin.expired", (await house.SignIn.Passkey(first, answer, "Ward-4-Tablet", Here, default)).Error!.Code);
        Assert.True((await house.SignIn.AskPasskey(second, "Ward-4-Tablet", Here, default)).Ok);
        Assert.Equal("passkey.refused", (await house.SignIn.Passkey(second, answer, "Ward-4-Tablet", Here, default)).Error!.Code);
        Assert.Equal("passkey.expired", (await house.SignIn.Passkey(first, answer, Device, PasskeySite.At(Name, 9443), default)).Error!.Code);
        Assert.Equal("passkey.expired", (await house.SignIn.Passkey(first, answer, Device, Here, default)).Error!.Code);

        answer = key.Show((await house.SignIn.AskPasskey(first, Device, Here, default)).Value, Here.Origin);
        house.Clock.Pass(TimeSpan.FromMinutes(3));
        Assert.Equal("passkey.expired", (await house.SignIn.Passkey(first, answer, Device, Here, default)).Error!.Code);
        Assert.True((await Show(house, first, key)).Ok);
    }

    [Fact]
    public async Task Under_another_name_or_a_bare_address_no_passkey_is_asked()
    {
        var (house, key) = await Owner();
        using var _ = key;
        var ticket = await Ticket(house);

        Assert.Equal("passkey.none", (await house.SignIn.AskPasskey(ticket, Device, PasskeySite.At("other.example", 8443), default)).Error!.Code);
        Assert.Equal("passkey.none", (await house.SignIn.AskPasskey(ticket, Device, null, default)).Error!.Code);
    }

    [Theory]
    [InlineData("localhost", 8443, "https://localhost:8443")]
    [InlineData("Mangrove.Kivuko.Example", 443, "https://mangrove.kivuko.example")]
    [InlineData("127.0.0.1", 8443, null)]
    [InlineData("::1", 8443, null)]
    [InlineData("127.1", 8443, null)]
    [InlineData("mangrove.", 8443, null)]
    [InlineData("", 8443, null)]
    [InlineData("a b", 8443, null)]
    public void A_site_has_a_name(string host, int port, string? origin) => Assert.Equal(origin, PasskeySite.At(host, port)?.Origin);

    [Fact]
    public async Task Wrong_passkeys_count_with_wrong_codes()
    {
        var (house, key) = await Owner();
        using var wrong = new SoftKey { Handle = key.Handle };
        var codes = new List<string>();
        for (var device = 0; device < 4; device++)
        {
            var ticket = await Ticket(house, $"Ward-{device}");
            for (var one = 0; one < 3; one++)
            {
                codes.Add((await house.SignIn.Code(ticket, "000000", $"Ward-{device}", default)).Error!.Code);
                codes.Add((await Show(house, ticket, wrong, $"Ward-{device}")).Error!.Code);
            }
        }

        Assert.InRange(codes.Count(code => code is "signin.code" or "passkey.refused"), 2, 5);
        Assert.Contains("passkey.refused", codes);
        Assert.Contains("signin.wait", codes);
        Assert.Contains("signin.expired", codes);
        house.Clock.Pass(TimeSpan.FromMinutes(16));
        Assert.True((await Show(house, await Ticket(house), key)).Ok);
        key.Dispose();
    }

    [Fact]
    public async Task A_passkey_that_was_taken_away_is_refused_and_recovery_codes_go_with_the_last()
    {
        var (house, key) = await Owner();
        using var second = new SoftKey();
        var session = (await Show(house, await Ticket(house), key)).Value;
        session = await Add(house, session, second, "Spare", shownBy: key);
        var owned = await house.Desk.Passkeys.Of(session.Actor, default);
        Assert.Equal(2, owned.Count);
        var (first, last) = (owned.Single(one => one.Mark == key.Mark).Id, owned.Single(one => one.Mark == second.Mark).Id);
        var ticket = await Ticket(house, "Ward-4-Tablet");
        var asked = (await house.SignIn.AskPasskey(ticket, "Ward-4-Tablet", Here, default)).Value;

        Assert.Equal("password.current-wrong", (await house.Desk.Passkeys.Remove(session.Token, "quite a wrong password", default, first, default)).Error!.Code);
        Assert.Equal("factor.code", (await house.Desk.Passkeys.Remove(session.Token, IdentityHouse.Password, default, first, default)).Error!.Code);
        Assert.Equal("passkey.unknown", (await house.Desk.Passkeys.Remove(session.Token, IdentityHouse.Password, await Proof(house, session, second), Guid.Empty, default)).Error!.Code);
        session = (await house.Desk.Passkeys.Remove(session.Token, IdentityHouse.Password, await Proof(house, session, second), first, default)).Value;

        // Gone also for whoever was asked before.
        Assert.Equal("passkey.refused", (await house.SignIn.Passkey(ticket, key.Show(asked, Here.Origin), "Ward-4-Tablet", Here, default)).Error!.Code);
        Assert.Equal("passkeys 2 -> 1, without " + key.Mark, (await house.Entries("REMOVE_PASSKEY"))[^1].Reason);
        Assert.True(await house.Count("SELECT COUNT(*) FROM recovery_code") > 0);

        session = (await house.Desk.Passkeys.Remove(session.Token, IdentityHouse.Password, await Proof(house, session, second), last, default)).Value;
        Assert.Equal("passkeys 1 -> 0, without " + second.Mark, (await house.Entries("REMOVE_PASSKEY"))[^1].Reason);
        Assert.Equal(0, await house.Count("SELECT COUNT(*) FROM recovery_code"));
        Assert.NotNull((await house.SignIn.Password("nina", IdentityHouse.Password, Device, default)).Value.Session);
        key.Dispose();
    }

    [Fact]
    public async Task Whose_role_needs_a_second_factor_keeps_the_phone_or_a_passkey()
    {
        var house = await House();
        await house.Member("amina", Role.Admin);
        var session = await house.Enter("amina");
        var codes = house.Desk.SecondFactor.TakeCodes(session.Actor)!;
        using var key = new SoftKey();
        session = await Add(house, session, key, proof: new FactorProof(codes[0], null, Here));

        // The phone may go, because the passkey stays; then the passkey may not.
        Assert.Null(house.Desk.SecondFactor.TakeCodes(session.Actor));
        session = (await house.Desk.SecondFactor.Remove(session.Token, IdentityHouse.Password, await Proof(house, session, key), default)).Value;
        var state = await house.Desk.SecondFactor.Of(session.Actor, default);
        Assert.Equal((null, 1, 9, true), (state.Since, state.Passkeys, state.CodesLeft, state.Required));
        var own = Assert.Single(await house.Desk.Passkeys.Of(session.Actor, default));
        Assert.Equal("factor.required", (await house.Desk.Passkeys.Remove(session.Token, IdentityHouse.Password, await Proof(house, session, key), own.Id, default)).Error!.Code);
        Assert.Equal("factor.required", (await house.Entries("REMOVE_PASSKEY"))[^1].Reason);
        Assert.Equal(9, (await house.Desk.SecondFactor.Of(session.Actor, default)).CodesLeft);

        // A recovery code stands for the passkey too.
        var ticket = await Ticket(house, user: "amina");
        Assert.True((await house.SignIn.Code(ticket, codes[1], Device, default)).Ok);
    }

    [Fact]
    public async Task An_administrators_reset_takes_phone_and_passkeys_and_ends_the_session()
    {
        var house = await House();
        await house.Member("amina", Role.Admin);
        var session = await house.Enter("amina");
        var codes = house.Desk.SecondFactor.TakeCodes(session.Actor)!;
        using var key = new SoftKey();
        session = await Add(house, session, key, proof: new FactorProof(codes[0], null, Here));
        Assert.Equal((true, 1), (await house.Staff.List(house.SetUp.Setup, default)).Select(one => (one.SecondFactor, one.Passkeys)).Single());

        Assert.True((await house.Staff.ResetSecondFactor(house.SetUp.Setup, session.Actor.Staff, default)).Ok);

        Assert.Equal("one-time codes, passkeys 1 -> none", Assert.Single(await house.Entries("RESET_SECOND_FACTOR")).Reason);
        Assert.Equal(SessionEnd.FactorReset, (await house.Sessions.Resolve(session.Token, default)).Ended);
        Assert.Equal(0, await house.Count("SELECT COUNT(*) FROM passkey"));
        Assert.True((await house.SignIn.Password("amina", IdentityHouse.Password, Device, default)).Value.MustEnrol);
    }

    [Fact]
    public async Task A_password_that_is_reset_meanwhile_makes_the_ticket_worthless()
    {
        var (house, key) = await Owner();
        using var _ = key;
        var ticket = await Ticket(house);
        await house.Staff.ResetPassword(house.SetUp.Setup, house.SignIn.Holder(ticket, Device)!.Staff, default);

        Assert.Equal("passkey.refused", (await Show(house, ticket, key)).Error!.Code);
        Assert.Equal(1, await house.Count("SELECT sign_count FROM passkey"));
        Assert.Equal(0, await house.Count("SELECT COUNT(*) FROM session WHERE revoked IS NULL"));
    }

    [Fact]
    public async Task Making_one_asks_for_the_password_for_the_second_factor_and_for_a_new_key_that_verifies_its_owner()
    {
        var (house, key) = await Owner();
        using var other = new SoftKey();
        var session = (await Show(house, await Ticket(house), key)).Value;
        var own = house.Desk.Passkeys;
        Assert.Equal("passkey.not-begun", (await own.Make(session.Token, default)).Error!.Code);
        Assert.Equal("passkey.not-begun", (await own.Confirm(session.Token, "{}", Here, default)).Error!.Code);
        Assert.Equal("passkey.address", (await own.Begin(session.Token, IdentityHouse.Password, default, "Key", default)).Error!.Code);
        Assert.Equal("passkey.name", (await own.Begin(session.Token, IdentityHouse.Password, new FactorProof(null, null, Here), " ", default)).Error!.Code);
        Assert.Equal("passkey.name", (await own.Begin(session.Token, IdentityHouse.Password, new FactorProof(null, null, Here), "a\nb", default)).Error!.Code);
        Assert.Equal("password.current-wrong", (await own.Begin(session.Token, "quite a wrong password", new FactorProof(null, null, Here), "Key", default)).Error!.Code);
        Assert.Equal("factor.code", (await own.Begin(session.Token, IdentityHouse.Password, new FactorProof("000000", null, Here), "Key", default)).Error!.Code);

        // An answer counts once as a second factor too.
        var proof = await Proof(house, session, key);
        Assert.True((await own.Begin(session.Token, IdentityHouse.Password, proof, "Key", default)).Ok);
        Assert.Equal("passkey.expired", (await own.Begin(session.Token, IdentityHouse.Password, proof, "Key", default)).Error!.Code);
        Assert.Equal("Key", own.Begun(session.Actor));

        // The owner has to be verified, and the name is ours.
        using (var asked = System.Text.Json.JsonDocument.Parse((await own.Make(session.Token, default)).Value))
        {
            Assert.Equal("required", asked.RootElement.GetProperty("authenticatorSelection").GetProperty("userVerification").GetString());
            Assert.Equal(Name, asked.RootElement.GetProperty("rp").GetProperty("id").GetString());
            Assert.Single(asked.RootElement.GetProperty("excludeCredentials").EnumerateArray());
        }

        other.Verifies = false;
        Assert.Equal("passkey.not-made", (await Confirm(Here.Origin)).Error!.Code);
        other.Verifies = true;
        Assert.Equal("passkey.not-made", (await Confirm("https://evil.example")).Error!.Code);
        Assert.Equal("passkey.expired", (await own.Confirm(session.Token, "{}", Here, default)).Error!.Code);
        var late = other.Make((await own.Make(session.Token, default)).Value, Here.Origin);
        house.Clock.Pass(TimeSpan.FromMinutes(3));
        Assert.Equal("passkey.expired", (await own.Confirm(session.Token, late, Here, default)).Error!.Code);

        // A key that is registered already is no new one, whoever's it is.
        Assert.Equal("passkey.not-made", (await own.Confirm(session.Token, key.Make((await own.Make(session.Token, default)).Value, Here.Origin), Here, default)).Error!.Code);
        Assert.Equal(1, await house.Count("SELECT COUNT(*) FROM passkey"));
        Assert.Equal(SessionStanding.Live, (await house.Sessions.Resolve(session.Token, default)).Standing);
        Assert.True((await Confirm(Here.Origin)).Ok);
        Assert.Equal(SessionStanding.None, (await house.Sessions.Resolve(session.Token, default)).Standing);
        key.Dispose();

        async Task<Result<SignedIn>> Confirm(string origin) =>
            await own.Confirm(session.Token, other.Make((await own.Make(session.Token, default)).Value, origin), Here, default);
    }

    [Fact]
    public async Task A_key_of_somebody_else_cannot_be_registered_a_second_time()
    {
        var (house, key) = await Owner();
        await house.Member("ola");
        var session = await house.Enter("ola");
        var own = house.Desk.Passkeys;
        Assert.True((await own.Begin(session.Token, IdentityHouse.Password, new FactorProof(null, null, Here), "Mine", default)).Ok);

        Assert.Equal("passkey.not-made", (await own.Confirm(session.Token, key.Make((await own.Make(session.Token, default)).Value, Here.Origin), Here, default)).Error!.Code);

        Assert.Equal(SessionStanding.Live, (await house.Sessions.Resolve(session.Token, default)).Standing);
        Assert.Equal(1, await house.Count("SELECT COUNT(*) FROM passkey"));
        Assert.Null(house.Desk.SecondFactor.TakeCodes(session.Actor));
        key.Dispose();
    }

    [Fact]
    public async Task An_account_has_ten_at_most()
    {
        var (house, key) = await Owner();
        var session = (await Show(house, await Ticket(house), key)).Value;
        for (var more = 1; more < Passkeys.Most; more++)
        {
            using var another = new SoftKey();
            session = await Add(house, session, another, shownBy: key);
        }

        Assert.Equal("passkey.too-many", (await house.Desk.Passkeys.Begin(session.Token, IdentityHouse.Password, await Proof(house, session, key), "Eleventh", default)).Error!.Code);
        Assert.Equal("passkey.too-many", (await house.Entries("ADD_PASSKEY"))[^1].Reason);
        key.Dispose();
    }

    [Fact]
    public async Task A_passkey_shows_the_second_factor_once_more_where_an_act_asks_for_it()
    {
        var (house, key) = await Owner();
        using var _ = key;
        var session = (await Show(house, await Ticket(house), key)).Value;
        var proof = await Proof(house, session, key);

        var renewed = (await house.Desk.SecondFactor.NewCodes(session.Token, IdentityHouse.Password, proof, default)).Value;

        Assert.Equal(10, house.Desk.SecondFactor.TakeCodes(renewed.Actor)!.Count);
        Assert.Equal("passkey.expired", (await house.Desk.SecondFactor.NewCodes(renewed.Token, IdentityHouse.Password, proof, default)).Error!.Code);
        Assert.Equal("passkey.expired", (await house.Entries("NEW_RECOVERY_CODES"))[^1].Reason);
    }

    [Fact]
    public async Task A_row_moved_to_another_account_in_the_table_does_not_open()
    {
        var (house, key) = await Owner();
        using var _ = key;
        await house.Member("ola");
        await using (var connection = await house.Store.Open(default))
        {
            Assert.Equal(1, await connection.Run("UPDATE passkey SET account = (SELECT id FROM account WHERE login = 'OLA')", default));
        }

        var step = (await house.SignIn.Password("ola", IdentityHouse.Password, Device, default)).Value;

        await Assert.ThrowsAsync<SealBroken>(() => house.SignIn.AskPasskey(step.Ticket, Device, Here, default));
        Assert.Equal(0, await house.Count("SELECT COUNT(*) FROM session WHERE revoked IS NULL"));
    }

    /// <summary>A house whose nurse has one passkey and has signed out, and her key.</summary>
    private async Task<(IdentityHouse House, SoftKey Key)> Owner()
    {
        var house = await House();
        await house.Member("nina");
        var key = new SoftKey();
        var session = await Add(house, await house.Enter("nina"), key);
        await house.Sessions.End(session.Token, default);
        return (house, key);
    }

    private static async Task<SignedIn> Add(IdentityHouse house, SignedIn session, SoftKey key, string name = "Key", SoftKey? shownBy = null, FactorProof? proof = null)
    {
        var own = house.Desk.Passkeys;
        var shown = proof ?? (shownBy is null ? new FactorProof(null, null, Here) : await Proof(house, session, shownBy));
        Assert.Equal(name, (await own.Begin(session.Token, IdentityHouse.Password, shown, name, default)).Value);
        return (await own.Confirm(session.Token, key.Make((await own.Make(session.Token, default)).Value, Here.Origin), Here, default)).Value;
    }

    private static async Task<FactorProof> Proof(IdentityHouse house, SignedIn session, SoftKey key) =>
        new(null, key.Show((await house.Desk.Passkeys.Ask(session.Token, FactorActs.Own, Here, default)).Value, Here.Origin), Here);

    private static async Task<string?> Ticket(IdentityHouse house, string device = Device, string user = "nina") =>
        (await house.SignIn.Password(user, IdentityHouse.Password, device, default)).Value.Ticket;

    private static async Task<Result<SignedIn>> Show(IdentityHouse house, string? ticket, SoftKey key, string device = Device)
    {
        var asked = await house.SignIn.AskPasskey(ticket, device, Here, default);
        return asked.Error is { } error ? error : await house.SignIn.Passkey(ticket, key.Show(asked.Value, Here.Origin), device, Here, default);
    }
}
