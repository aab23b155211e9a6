using System.Text;
using Mangrove.Kernel;
using Mangrove.Tests.Shared;
using Mangrove.Tests.Vault.Identity;
using Mangrove.Vault;
using Mangrove.Vault.Health;

namespace Mangrove.Tests.Vault.Health;

/// <summary>Samples, alarms and the outbox, on both databases.</summary>
public abstract class HealthTests : OnEveryDatabase
{
    private const string Secret = "mail pass phrase 77";

    private static MailServer Server { get; } = new("mail.hospital.example", 587, MailSecurity.StartTls, "mangrove@hospital.example", "mangrove", "");

    public static TheoryData<string, string> Wrong => new()
    {
        { "log", "audit.unavailable" },
        { "space", "19 % free" },
        { "backup", "the last is 9 h old" },
        { "drill", "the last is 9 days old" },
        { "keys", "data" },
        { "certificates", "server in 13 days" },
        { "clock", "by 7 min" },
        { "sign-in", "61 within an hour" },
        { "watch", "2 wait" },
        { "letters", "3 wait" },
        { "glass-overdue", "1 person suspended" },
        { "glass-often", "6 times within 30 days by one person" },
        { "incident", "2 open" },
    };

    [Theory, MemberData(nameof(Wrong))]
    public void Each_rule_says_what_is_beyond_its_limit_and_nothing_when_all_is_well(string id, string said)
    {
        var well = Well.At(DateTimeOffset.UnixEpoch);
        var rule = AlarmRules.All.Single(one => one.Id == id);
        Assert.All(AlarmRules.All, one => Assert.Null(one.Judge(well)));
        Assert.Equal(said, rule.Judge(Bad(id, well)));
        Assert.Single(AlarmRules.All, one => one.Judge(Bad(id, well)) is not null);
    }

    [Fact]
    public async Task An_alarm_begins_once_is_told_by_letter_and_entry_is_seen_by_a_person_and_ends()
    {
        var (house, desk) = await Desk();
        await Set(house, desk);
        var bad = Bad("space", Well.At(house.Clock.GetUtcNow()));
        Assert.Equal(1, await desk.Alarms.Judge(bad, default));
        Assert.Equal(0, await desk.Alarms.Judge(bad, default));
        var alarm = Assert.Single(await desk.Alarms.Open(default));
        Assert.Equal(("space", "19 % free"), (alarm.Rule, alarm.Detail));
        Assert.Equal(["19 % free"], (await house.Entries("ALARM_BEGAN")).Select(entry => entry.Reason));
        Assert.Equal("system:watch", Assert.Single(await house.Entries("ALARM_BEGAN")).Actor);

        // To the administrators, and not to the privacy officer.
        var carrier = new PaperCarrier();
        Assert.Equal(2, await desk.Outbox.Deliver(carrier, default));
        Assert.Equal(["it@hospital.example", "night@hospital.example"], carrier.Carried.Select(one => one.Address));
        Assert.All(carrier.Carried, one => Assert.Equal(("Mangrove alarm: space", Secret), (one.Subject, one.Password)));
        Assert.StartsWith("Little space is left: 19 % free.\nTime: ", carrier.Carried[0].Body, StringComparison.Ordinal);
        Assert.Equal(0, await desk.Outbox.Deliver(carrier, default));
        Assert.All(await desk.Outbox.Newest(10, default), letter => Assert.Equal(("2.0.0 queued as 4F2", 1), (letter.Receipt, letter.Tries)));

        await house.Member("nina");
        await Assert.ThrowsAsync<Refused>(async () => await desk.Alarms.See((await house.Enter("nina")).Actor, alarm.Id, default));
        Assert.True((await desk.Alarms.See(house.SetUp.Setup, alarm.Id, default)).Ok);
        Assert.Equal("alarm.none", (await desk.Alarms.See(house.SetUp.Setup, alarm.Id, default)).Error!.Code);
        Assert.NotNull(Assert.Single(await desk.Alarms.Open(default)).Seen);
        Assert.Equal(["access.role", "19 % free", "alarm.none"], (await house.Entries("SEE_ALARM")).Select(entry => entry.Reason));

        // A figure that swings about its limit is one alarm.
        Assert.Equal(0, await desk.Alarms.Judge(Well.At(house.Clock.GetUtcNow()), default));
        house.Clock.Pass(TimeSpan.FromMinutes(16));
        Assert.Equal(1, await desk.Alarms.Judge(Well.At(house.Clock.GetUtcNow()), default));
        Assert.Empty(await desk.Alarms.Open(default));
        Assert.Equal(2, await desk.Outbox.Deliver(carrier, default));
        Assert.Equal("Mangrove: over: space", carrier.Carried[^1].Subject);
        Assert.Equal(["after 16 min"], (await house.Entries("ALARM_ENDED")).Select(entry => entry.Reason));

        // And begins anew.
        Assert.Equal(1, await desk.Alarms.Judge(bad, default));
        Assert.Equal(2, (await desk.Alarms.Newest(10, default)).Count);
    }

    [Fact]
    public async Task What_the_log_cannot_take_is_an_alarm_for_both_all_the_same()
    {
        var (house, desk) = await Desk();
        await Set(house, desk);
        Assert.Equal(1, await desk.Alarms.Judge(Bad("log", Well.At(house.Clock.GetUtcNow())), default));
        Assert.Empty(await house.Entries("ALARM_BEGAN"));
        var carrier = new PaperCarrier();
        Assert.Equal(3, await desk.Outbox.Deliver(carrier, default));
        Assert.Contains(carrier.Carried, one => one.Address == "privacy@hospital.example");
    }

    [Fact]
    public async Task A_letter_that_is_not_taken_waits_longer_each_time_is_given_up_after_five_days_and_never_lost_before()
    {
        var (house, desk) = await Desk();
        await Set(house, desk);
        Assert.Equal(3, (await desk.Mail.Test(house.SetUp.Setup, default)).Value);
        var carrier = new PaperCarrier { Trouble = new RefusedInput("mail.unreachable", "no") };
        Assert.Equal(0, await desk.Outbox.Deliver(carrier, default));
        Assert.All(await desk.Outbox.Newest(10, default), letter => Assert.Equal((1, "mail.unreachable", null), (letter.Tries, letter.Problem, letter.Delivered)));

        // Not before its time, then again.
        Assert.Equal(0, await desk.Outbox.Deliver(carrier, default));
        Assert.All(await desk.Outbox.Newest(10, default), letter => Assert.Equal(1, letter.Tries));
        house.Clock.Pass(TimeSpan.FromSeconds(61));
        await desk.Outbox.Deliver(carrier, default);
        Assert.All(await desk.Outbox.Newest(10, default), letter => Assert.Equal(2, letter.Tries));
        house.Clock.Pass(TimeSpan.FromHours(2));
        Assert.Equal(3, await desk.Outbox.Late(default));

        // The power is cut in the middle: it is sent again.
        carrier.Trouble = new IOException("The power is gone.");
        await Assert.ThrowsAsync<IOException>(() => desk.Outbox.Deliver(carrier, default));
        house.Clock.Pass(TimeSpan.FromMinutes(6));
        carrier.Trouble = null;
        Assert.Equal(3, await desk.Outbox.Deliver(carrier, default));
        Assert.Equal(3, carrier.Carried.Count);
        Assert.Equal(0, await desk.Outbox.Late(default));

        Assert.True((await desk.Mail.Test(house.SetUp.Setup, default)).Ok);
        carrier.Trouble = new RefusedInput("mail.refused", "no");
        for (var day = 0; day < 7; day++)
        {
            house.Clock.Pass(TimeSpan.FromDays(1));
            await desk.Outbox.Deliver(carrier, default);
        }

        Assert.Equal(3, (await desk.Outbox.Newest(10, default)).Count(letter => letter is { GivenUp: not null, Problem: "mail.refused" }));
        carrier.Trouble = null;
        house.Clock.Pass(TimeSpan.FromDays(1));
        Assert.Equal(0, await desk.Outbox.Deliver(carrier, default));
    }

    [Fact]
    public async Task Letters_stand_with_what_they_tell_of_or_not_at_all()
    {
        var (house, desk) = await Desk();
        await Set(house, desk);
        await house.Desk.Sessions.Change(
            async change =>
            {
                Assert.Equal(1, await Outbox.Put(change.Connection, "notice", MailAudience.PrivacyOfficer, "Mangrove: notice 17", "Entry 17.", house.Clock.GetUtcNow(), default));
                change.Keep = false;
                return true;
            },
            default);
        Assert.Empty(await desk.Outbox.Newest(10, default));
        await using var connection = await house.Store.Open(default);
        await Assert.ThrowsAsync<ArgumentException>(() => Outbox.Put(connection, "notice", MailAudience.Administrators, "two\r\nBcc: lines", "x", house.Clock.GetUtcNow(), default));
        await Assert.ThrowsAsync<ArgumentException>(() => Outbox.Put(connection, "notice", MailAudience.Administrators, "Zoë", "x", house.Clock.GetUtcNow(), default));
    }

    [Theory]
    [InlineData("mail.host", "mail host", 587, MailSecurity.Tls, "a@b.example", "")]
    [InlineData("mail.host", "mail\r\nX", 587, MailSecurity.Tls, "a@b.example", "")]
    [InlineData("mail.port", "mail.example", 0, MailSecurity.Tls, "a@b.example", "")]
    [InlineData("mail.security", "mail.example", 25, MailSecurity.Unchosen, "a@b.example", "")]
    [InlineData("mail.needs-tls", "mail.example", 25, MailSecurity.None, "a@b.example", "")]
    [InlineData("mail.sender", "mail.example", 587, MailSecurity.Tls, "a@b.example>\r\nRCPT TO:<x@y.example", "")]
    [InlineData("mail.sender", "mail.example", 587, MailSecurity.Tls, "nobody", "")]
    [InlineData("mail.authority", "mail.example", 587, MailSecurity.Tls, "a@b.example", "no certificate")]
    public async Task A_server_that_will_not_do_is_refused_by_its_code_and_nothing_changes(string code, string host, int port, MailSecurity security, string sender, string authority)
    {
        var (house, desk) = await Desk();
        await Set(house, desk);
        var refused = await desk.Mail.Change(house.SetUp.Setup, new MailServer(host, port, security, sender, "", authority), "another", ["it@hospital.example"], [], default);
        Assert.Equal(code, refused.Error!.Code);
        var state = await desk.Mail.State(default);
        Assert.Equal(Server, state.Server);
        Assert.Equal(Secret, await desk.Mail.Password(default));
        Assert.Equal(code, (await house.Entries("CHANGE_MAIL"))[^1].Reason);
    }

    [Fact]
    public async Task Who_sets_mail_is_an_administrator_and_the_password_never_goes_to_another_server()
    {
        var (house, desk) = await Desk();
        await Set(house, desk);
        await house.Member("nina");
        var nurse = (await house.Enter("nina")).Actor;
        await Assert.ThrowsAsync<Refused>(() => desk.Mail.Change(nurse, Server, null, ["a@b.example"], [], default));
        await Assert.ThrowsAsync<Refused>(() => desk.Mail.Test(nurse, default));
        await Assert.ThrowsAsync<Refused>(() => desk.Look(nurse, mail: true, default));
        foreach (var bad in new string[][] { [], ["it@hospital"], ["x y@hospital.example"], [.. Enumerable.Range(0, 21).Select(at => $"a{at}@b.example")] })
        {
            var refused = await desk.Mail.Change(house.SetUp.Setup, Server, null, bad, [], default);
            Assert.Equal(bad is ["it@hospital"] ? null : "mail.administrators", refused.Error?.Code);
        }

        // Sealed, and in no table as it is.
        Assert.Equal(Secret, await desk.Mail.Password(default));
        if (house.Store.IsSqlite)
        {
            Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
            Assert.All(Directory.GetFiles(LastFolder), file => Assert.DoesNotContain(Secret, Encoding.Latin1.GetString(File.ReadAllBytes(file)), StringComparison.Ordinal));
        }

        Assert.True((await desk.Mail.Change(house.SetUp.Setup, Server with { Sender = "other@hospital.example" }, null, ["it@hospital.example"], [], default)).Value.HasPassword);
        Assert.False((await desk.Mail.Change(house.SetUp.Setup, Server with { Host = "elsewhere.example" }, null, ["it@hospital.example"], [], default)).Value.HasPassword);
        Assert.True((await desk.Mail.Change(house.SetUp.Setup, Server, Secret, ["it@hospital.example"], [], default)).Value.HasPassword);
        Assert.False((await desk.Mail.Change(house.SetUp.Setup, Server, "", ["it@hospital.example"], [], default)).Value.HasPassword);
        var entries = await house.Entries("CHANGE_MAIL");
        Assert.Contains(entries, entry => entry.Reason == "mail.hospital.example:587 by STARTTLS -> elsewhere.example:587 by STARTTLS, 1 administrators, 0 for privacy, password forgotten");
        Assert.All(entries, entry => Assert.DoesNotContain(Secret, entry.Reason, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_password_that_was_changed_in_the_store_goes_nowhere_and_is_saved_anew()
    {
        var (house, desk) = await Desk();
        await Set(house, desk);
        Assert.True((await desk.Mail.Test(house.SetUp.Setup, default)).Ok);
        await using (var connection = await house.KeyStore.Open(default))
        {
            var sealedBytes = (byte[])(await connection.Scalar("SELECT wrapped FROM secret WHERE name = 'mail-password'", default))!;
            sealedBytes[^1] ^= 1;
            await connection.Run("UPDATE secret SET wrapped = @wrapped WHERE name = 'mail-password'", default, ("@wrapped", sealedBytes));
        }

        var carrier = new PaperCarrier();
        Assert.Equal("mail.password-broken", (await Assert.ThrowsAsync<RefusedInput>(() => desk.Outbox.Deliver(carrier, default))).Code);
        Assert.Empty(carrier.Carried);
        Assert.True((await desk.Mail.State(default)).HasPassword);
        await Set(house, desk);
        Assert.Equal(3, await desk.Outbox.Deliver(carrier, default));
    }

    [Fact]
    public async Task Without_a_server_nothing_is_sent_and_what_waits_goes_when_there_is_one()
    {
        var (house, desk) = await Desk();
        var carrier = new PaperCarrier();
        Assert.Equal("mail.none", (await desk.Mail.Test(house.SetUp.Setup, default)).Error!.Code);
        Assert.Equal(1, await desk.Alarms.Judge(Bad("backup", Well.At(house.Clock.GetUtcNow())), default));
        Assert.Equal(0, await desk.Outbox.Deliver(carrier, default));
        await Set(house, desk);
        Assert.Equal(0, await desk.Outbox.Deliver(carrier, default));
        Assert.Single(await desk.Alarms.Open(default));
    }

    [Fact]
    public async Task Samples_are_all_kept_for_two_days_then_one_an_hour_then_none()
    {
        var (house, desk) = await Desk();
        var first = house.Clock.GetUtcNow();
        for (var at = 0; at < 30; at++)
        {
            await desk.Keep(Well.At(first + TimeSpan.FromMinutes(5 * at)) with { LogEntries = at, Median = null }, default);
        }

        var day = await desk.Since(first, default);
        Assert.Equal([.. Enumerable.Range(0, 30)], day[HealthDesk.LogEntries].Select(one => (int)one.Value));
        Assert.Equal([600L], day[HealthDesk.Space].Select(one => one.Value).Distinct());
        Assert.Equal([120L], day[HealthDesk.Backup].Select(one => one.Value).Distinct());
        Assert.Equal([72L], day[HealthDesk.Drill].Select(one => one.Value).Distinct());
        Assert.Equal([200L], day[HealthDesk.Certificate].Select(one => one.Value).Distinct());
        Assert.DoesNotContain(HealthDesk.Median, day.Keys);
        Assert.Contains(HealthDesk.Slowest, day.Keys);

        await desk.Keep(Well.At(first + TimeSpan.FromDays(3)), default);
        var thinned = (await desk.Since(first, default))[HealthDesk.LogEntries];
        var hours = Enumerable.Range(0, 30).Select(at => (first + TimeSpan.FromMinutes(5 * at)).ToUnixTimeSeconds() / 3600).Distinct().Count();
        Assert.Equal(hours + 1, thinned.Count);
        Assert.Equal(0, thinned[0].Value);

        await desk.Keep(Well.At(first + TimeSpan.FromDays(64)), default);
        Assert.Single((await desk.Since(first, default))[HealthDesk.LogEntries]);
    }

    [Fact]
    public void A_clock_that_was_set_is_found_either_way_and_shown_for_an_hour()
    {
        var clock = new FakeClock();
        var watch = new ClockWatch(clock);
        clock.Pass(TimeSpan.FromMinutes(1));
        watch.Look();
        Assert.Equal(TimeSpan.Zero, watch.Off);
        clock.Pass(TimeSpan.FromMinutes(1));
        clock.SetWall(TimeSpan.FromMinutes(2));
        watch.Look();
        Assert.Equal(TimeSpan.Zero, watch.Off);
        clock.SetWall(TimeSpan.FromMinutes(-7));
        clock.Pass(TimeSpan.FromMinutes(1));
        watch.Look();
        Assert.Equal(TimeSpan.FromMinutes(7), watch.Off);
        clock.Pass(TimeSpan.FromMinutes(59));
        watch.Look();
        Assert.Equal(TimeSpan.FromMinutes(7), watch.Off);
        clock.Pass(TimeSpan.FromMinutes(2));
        Assert.Equal(TimeSpan.Zero, watch.Off);
        clock.SetWall(TimeSpan.FromHours(3));
        watch.Look();
        Assert.Equal(TimeSpan.FromHours(3), watch.Off);
    }

    [Theory]
    [InlineData(null, 0.5, 0, 0, 0, 0)]
    [InlineData(5.0, 0.5, 10, 0, 0, 0)]
    [InlineData(10.0, 1.0, 10, 0, 0, 0)]
    [InlineData(15.0, 0.75, 10, 10, 0, 0)]
    [InlineData(39.9, 0.95, 10, 0, 10, 1)]
    [InlineData(40.0, 0.5, 0, 0, 0, 7)]
    public void Half_of_the_answers_came_within_so_long(double? within, double part, params int[] counted) =>
        Assert.Equal(within, Quantile.Of([10, 20, 40], [.. counted.Select(one => (long)one)], part) is { } value ? Math.Round(value, 6) : null);

    [Fact]
    public async Task Wrong_sign_ins_of_the_last_hour_are_counted()
    {
        var (house, desk) = await Desk();
        Assert.Equal(0, await desk.WrongSignIns(default));
        for (var at = 0; at < 3; at++)
        {
            await house.SignIn.Password("nobody", "wrong wrong wrong wrong", "Ward-3-Tablet", default);
        }

        Assert.Equal(3, await desk.WrongSignIns(default));
        house.Clock.Pass(TimeSpan.FromHours(2));
        Assert.Equal(0, await desk.WrongSignIns(default));
    }

    private static HealthFacts Bad(string id, HealthFacts well) => id switch
    {
        "log" => well with { LogFailure = "audit.unavailable" },
        "space" => well with { Free = 19 },
        "backup" => well with { BackupAge = TimeSpan.FromHours(9), BackupOverdue = true },
        "drill" => well with { DrillAge = TimeSpan.FromDays(9) },
        "keys" => well with { KeysOverdue = ["data"] },
        "certificates" => well with { Certificates = [new CertificateDate("server", well.At + TimeSpan.FromDays(13), TimeSpan.FromDays(14))] },
        "clock" => well with { ClockOff = TimeSpan.FromMinutes(7) },
        "sign-in" => well with { WrongSignIns = 61 },
        "watch" => well with { FindingsWaiting = 2 },
        "glass-overdue" => well with { GlassSuspended = 1 },
        "glass-often" => well with { GlassMost = 6 },
        "incident" => well with { IncidentsDue = 2 },
        _ => well with { LettersLate = 3 },
    };

    private static async Task Set(IdentityHouse house, HealthDesk desk) => Assert.True((await desk.Mail.Change(
        house.SetUp.Setup, Server, Secret, ["it@hospital.example", "night@hospital.example"], ["privacy@hospital.example"], default)).Ok);

    private async Task<(IdentityHouse House, HealthDesk Desk)> Desk()
    {
        var house = await House();
        return (house, house.Health);
    }
}

public sealed class HealthOnSqliteTests : HealthTests
{
    protected override Task<StorageOptions> NewStorage() => Task.FromResult(InNewFolder());
}

public sealed class HealthOnPostgresTests : HealthTests
{
    protected override Task<StorageOptions> NewStorage() => PostgresStorage.Create();
}
