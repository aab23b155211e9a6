using System.Net;
using System.Text;
using Mangrove.Cli.Watch;
using Mangrove.Kernel;
using Mangrove.Vault.Health;

namespace Mangrove.Tests.Cli;

/// <summary>Letters to a server of mail: by TLS that is checked or not at all, and every way in which a server can fail is a code (threats P7).</summary>
public sealed class MailTests
{
    private static readonly Letter Letter = new(Guid.Parse("0f2e8d51-7c1b-4f0e-9a55-3d2b8c6a7e10"), "alarm", "it@hospital.example", "Mangrove alarm: space", ".A line that begins with a point\nand an ü.\n", DateTimeOffset.UnixEpoch, 0, null, null, null, null);

    [Theory]
    [InlineData(MailSecurity.Tls)]
    [InlineData(MailSecurity.StartTls)]
    public async Task A_letter_arrives_whole_by_TLS_with_the_password_inside_it(MailSecurity security)
    {
        await using var mail = new TestMail(security);
        Assert.Equal("2.0.0 queued? as 1", await Carry(mail.Named("mangrove"), "geheim pass"));
        var arrived = Assert.Single(mail.Letters);
        Assert.Equal(("MAIL FROM:<mangrove@hospital.example>", "RCPT TO:<it@hospital.example>", true, "\0mangrove\0geheim pass"), (arrived.From, arrived.To, arrived.Secured, arrived.SignedIn));
        Assert.Contains("Subject: Mangrove alarm: space\n", arrived.Text, StringComparison.Ordinal);
        Assert.Contains("Message-ID: <0f2e8d517c1b4f0e9a553d2b8c6a7e10@hospital.example>\n", arrived.Text, StringComparison.Ordinal);
        Assert.Contains("Auto-Submitted: auto-generated\n", arrived.Text, StringComparison.Ordinal);
        var body = Encoding.UTF8.GetString(Convert.FromBase64String(arrived.Text[(arrived.Text.IndexOf("\n\n", StringComparison.Ordinal) + 2)..]));
        Assert.Equal(Letter.Body.ReplaceLineEndings("\r\n"), body);
        Assert.All(mail.InTheClear, line => Assert.True(line is "STARTTLS" || line.StartsWith("EHLO ", StringComparison.Ordinal), line));
    }

    [Fact]
    public async Task To_a_server_on_this_machine_it_may_go_without_TLS_and_no_password_does()
    {
        await using var mail = new TestMail(MailSecurity.None);
        Assert.Equal("2.0.0 queued? as 1", await Carry(mail.Named(), null));
        Assert.False(Assert.Single(mail.Letters).Secured);
        Assert.Equal("mail.password-needed", await Code(mail.Named("mangrove"), "geheim pass"));
        Assert.DoesNotContain(mail.InTheClear, line => line.StartsWith("AUTH", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_certificate_of_a_stranger_or_of_another_name_gets_nothing()
    {
        await using var mail = new TestMail(MailSecurity.StartTls);
        await using var other = new TestMail(MailSecurity.Tls, name: "mail.elsewhere.example");
        Assert.Equal("mail.certificate", await Code(mail.Named("mangrove", ""), "geheim pass"));
        Assert.Equal("mail.certificate", await Code(mail.Named("mangrove", other.Authority), "geheim pass"));
        Assert.Equal("mail.certificate", await Code(other.Named("mangrove"), "geheim pass"));
        Assert.Empty(mail.Letters.Concat(other.Letters));
    }

    [Theory]
    [InlineData(MailManner.RefusesRecipient, "mail.recipient-refused")]
    [InlineData(MailManner.RefusesForNow, "mail.recipient-refused")]
    [InlineData(MailManner.RefusesPassword, "mail.login-refused")]
    [InlineData(MailManner.HangsUpInTheLetter, "mail.unreachable")]
    [InlineData(MailManner.OffersNoStartTls, "mail.no-starttls")]
    [InlineData(MailManner.SaysMoreBeforeTls, "mail.refused")]
    [InlineData(MailManner.IsNoMailServer, "mail.not-smtp")]
    [InlineData(MailManner.SaysWithoutEnd, "mail.not-smtp")]
    [InlineData(MailManner.NeverAnswers, "mail.slow")]
    public async Task Each_way_of_failing_is_a_code_and_nothing_counts_as_delivered(MailManner manner, string code)
    {
        await using var mail = new TestMail(MailSecurity.StartTls, manner);
        Assert.Equal(code, await Code(mail.Named("mangrove"), "geheim pass"));
        Assert.Empty(mail.Letters);
        Assert.DoesNotContain(mail.InTheClear, line => line.StartsWith("AUTH", StringComparison.Ordinal) || line.StartsWith("MAIL", StringComparison.Ordinal));

        // The next letter goes, when it behaves.
        mail.Manner = MailManner.Takes;
        Assert.Equal("2.0.0 queued? as 1", await Carry(mail.Named("mangrove"), "geheim pass"));
    }

    [Fact]
    public async Task Where_nobody_listens_is_a_code_too()
    {
        int port;
        await using (var mail = new TestMail(MailSecurity.Tls))
        {
            port = mail.Port;
        }

        Assert.Equal("mail.unreachable", await Code(new MailServer("localhost", port, MailSecurity.Tls, "mangrove@hospital.example", "", ""), null));
    }

    private static Task<string> Carry(MailServer server, string? password) =>
        new SmtpCarrier(TimeProvider.System) { Patience = TimeSpan.FromSeconds(3) }.Carry(server, password, Letter, TestContext.Current.CancellationToken);

    private static async Task<string> Code(MailServer server, string? password) => (await Assert.ThrowsAsync<RefusedInput>(() => Carry(server, password))).Code;
}

/// <summary>The page of health and of mail on a whole hospital, and letters from the page to the server.</summary>
public sealed class HealthPageTests(SampleHospital sample) : IClassFixture<SampleHospital>
{
    [Fact]
    public async Task An_administrator_sets_mail_gets_a_letter_sees_the_alarms_and_sees_to_one()
    {
        await using var mail = new TestMail(MailSecurity.StartTls);
        await using var hosted = await HostedHospital.Open(sample, sample.Storage, TimeProvider.System, Ids.New);
        using var browser = await hosted.SignIn(Role.Admin);
        var health = await browser.Send("GET", "/admin/health");
        Assert.Equal(HttpStatusCode.OK, health.Status);
        foreach (var key in (string[])["space", "latency", "log", "backup", "drill", "key", "certificate"])
        {
            Assert.Contains($"data-test=\"q-{key}\"", health.Text, StringComparison.Ordinal);
        }

        Dictionary<string, string> form = new(StringComparer.Ordinal)
        {
            ["host"] = "localhost",
            ["port"] = mail.Port.ToString(System.Globalization.CultureInfo.InvariantCulture),
            ["security"] = "none",
            ["sender"] = "mangrove@hospital.example",
            ["login"] = "mangrove",
            ["password"] = "geheim pass",
            ["administrators"] = "it@hospital.example\r\nnight@hospital.example",
            ["privacy"] = "privacy@hospital.example",
            ["authority"] = mail.Authority,
        };
        var refused = await browser.Send("POST", "/admin/mail", form);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, refused.Status);
        Assert.Contains("mail.password", refused.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("geheim pass", refused.Text, StringComparison.Ordinal);
        form["security"] = "starttls";
        Assert.Equal(HttpStatusCode.SeeOther, (await browser.Send("POST", "/admin/mail", form)).Status);
        Assert.Equal(HttpStatusCode.SeeOther, (await browser.Send("POST", "/admin/mail/test", [])).Status);
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        while (mail.Letters.Count(letter => letter.Text.Contains("a test letter", StringComparison.Ordinal)) < 3)
        {
            await Task.Delay(100, patience.Token);
        }

        Assert.Equal(["RCPT TO:<it@hospital.example>", "RCPT TO:<night@hospital.example>", "RCPT TO:<privacy@hospital.example>"], mail.Letters.Where(letter => letter.Text.Contains("a test letter", StringComparison.Ordinal)).Select(letter => letter.To).Order(StringComparer.Ordinal));
        Assert.All(mail.Letters, letter => Assert.True(letter.Secured));
        var page = (await browser.Send("GET", "/admin/mail")).Text;
        Assert.DoesNotContain("geheim pass", page, StringComparison.Ordinal);
        Assert.Contains("2.0.0 queued? as 1", page, StringComparison.Ordinal);

        // This hospital has no backup, which is an alarm, on both pages; a person sees to it.
        while ((await hosted.Hospital.Vault.Health.Alarms.Open(default)).All(alarm => alarm.Rule != "backup"))
        {
            await Task.Delay(100, patience.Token);
        }

        var alarm = (await hosted.Hospital.Vault.Health.Alarms.Open(default)).Single(one => one.Rule == "backup");
        Assert.Contains("The backup is overdue", (await browser.Send("GET", "/admin")).Text, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.SeeOther, (await browser.Send("POST", "/admin/health/see", new(StringComparer.Ordinal) { ["alarm"] = alarm.Id.ToString("N") })).Status);
        Assert.Matches("half within [0-9.]+ ms, 95 of 100 within [0-9.]+ ms", (await browser.Send("GET", "/admin/health")).Text);
        Assert.Contains("seen by", (await browser.Send("GET", "/admin/health?range=week")).Text, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await browser.Send("POST", "/admin/health/see", new(StringComparer.Ordinal) { ["alarm"] = alarm.Id.ToString("N") })).Status);
        var log = await hosted.Log();
        Assert.Contains(log, entry => entry.Action == "CHANGE_MAIL" && entry.Reason == $"none -> localhost:{mail.Port} by STARTTLS, 2 administrators, 1 for privacy, new password");
        Assert.Contains(log, entry => entry.Action == "SEE_ALARM" && entry.Resource == "alarm:backup");
        Assert.Contains(log, entry => entry.Action == "ALARM_BEGAN" && entry.Actor == "system:watch");
    }
}
