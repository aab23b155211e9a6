using System.Diagnostics;
using System.Text.Json;
using Mangrove.Cli;
using Mangrove.Cli.Watch;
using Mangrove.Kernel;
using Mangrove.Vault.Audit;
using Mangrove.Vault.Health;
using Mangrove.Vault.Keys;

namespace Mangrove.Tests.Cli;

/// <summary>The mail server set from the command line by the rules of the page: by administrators, each change an entry, the password nowhere to be seen.</summary>
public abstract class MailVerbTests(SampleHospital sample) : IDisposable
{
    private const string Password = "geheim pass";

    private readonly Folder folder = new();

    public void Dispose()
    {
        folder.Dispose();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task An_administrator_sets_shows_changes_and_tries_the_mail_server_and_the_password_is_seen_by_nobody()
    {
        await using var mail = new TestMail(MailSecurity.StartTls);
        var port = mail.Port.ToString(System.Globalization.CultureInfo.InvariantCulture);
        var authority = folder.Secret("authority.pem", mail.Authority);
        var none = await Do("show");
        Assert.Equal(JsonValueKind.Null, none.Json.GetProperty("server").ValueKind);
        Assert.Equal((2, "mail.none"), Came(await Do("test")));
        Assert.Equal((2, "mail.host"), Came(await Do("set", "--sender", "mangrove@hospital.example")));
        string[] whole = ["--host", "localhost", "--port", port, "--sender", "mangrove@hospital.example", "--login", "mangrove", "--administrator", "it@hospital.example", "--administrator", "night@hospital.example", "--privacy", "privacy@hospital.example", "--authority-file", authority];
        string[] secret = ["--mail-password-file", folder.Secret("mail-password", Password)];
        Assert.Equal((2, "mail.security"), Came(await Do(["set", .. whole])));
        Assert.Equal((2, "mail.password"), Came(await Do(["set", .. whole, .. secret, "--security", "none"])));
        Assert.Equal((2, "usage"), Came(await Do(["set", .. whole, .. secret, "--security", "starttls", "--forget-password"])));
        Assert.Equal((2, "mail.authority"), Came(await Do("set", "--authority-file", folder["nowhere"])));
        Assert.Equal((2, "secret.file-missing"), Came(await Do("set", "--mail-password-file", folder["nowhere"])));
        var (nurse, own) = sample.Login(Role.Nurse);
        Assert.Equal((2, "access.role"), Came(await Executable.Run(["mail", "set", .. whole, "--security", "starttls", "--data", sample.Data, "--as", nurse, "--password-file", folder.Secret("nurse", own), "--json", .. sample.StorageArguments])));
        Assert.Equal((2, "access.role"), Came(await Executable.Run(["mail", "show", "--data", sample.Data, "--as", nurse, "--password-file", folder["nurse"], "--json", .. sample.StorageArguments])));

        var set = await Do(["set", .. whole, .. secret, "--security", "starttls"]);
        Assert.True(set.Exit == 0, set.Out + set.Error);
        Assert.True(set.Json.GetProperty("password").GetBoolean());

        // Another sender keeps the password, another user name forgets it; standard input gives one; one address takes the place of two.
        var sender = await Do("set", "--sender", "alarms@hospital.example", "--administrator", "it@hospital.example");
        Assert.True(sender.Json.GetProperty("password").GetBoolean());
        Assert.Equal(["it@hospital.example"], sender.Json.GetProperty("administrators").EnumerateArray().Select(one => one.GetString()));
        Assert.Equal(["privacy@hospital.example"], sender.Json.GetProperty("privacy").EnumerateArray().Select(one => one.GetString()));
        Assert.False((await Do("set", "--login", "other")).Json.GetProperty("password").GetBoolean());
        var again = await Typed(Password, "set", "--login", "mangrove", "--mail-password-file", "-");
        Assert.True(again.Exit == 0 && again.Json.GetProperty("password").GetBoolean(), again.Out + again.Error);
        Assert.Equal((2, "secret.needed"), Came(await Typed("", "set", "--mail-password-file", "-")));

        var tried = await Do("test");
        Assert.Equal(2, tried.Json.GetProperty("addresses").GetInt32());
        IReadOnlyList<AuditEntry> log;
        await using (var hospital = await Hospital.Open(sample.Storage, new RootSecret { KeyFile = Path.Combine(sample.Data, "demo.key") }, TimeProvider.System, default))
        {
            await hospital.Vault.Health.Outbox.Deliver(new SmtpCarrier(TimeProvider.System), default);
            var (user, password) = sample.Login(Role.Admin);
            var admin = (await hospital.Vault.Identity.SignIn.CommandLine(user, password, default)).Value;
            log = await hospital.Vault.Review.List(admin, new AuditFilter { NewestFirst = false }, null, default);
        }

        Assert.Equal([("RCPT TO:<it@hospital.example>", true, "\0mangrove\0" + Password), ("RCPT TO:<privacy@hospital.example>", true, "\0mangrove\0" + Password)], mail.Letters.Select(letter => (letter.To, letter.Secured, letter.SignedIn!)).Order());
        var shown = await Do("show");
        Assert.Equal(("localhost", mail.Port, "starttls", "alarms@hospital.example", "mangrove"), (shown.Json.GetProperty("server").GetProperty("host").GetString(), shown.Json.GetProperty("server").GetProperty("port").GetInt32(), shown.Json.GetProperty("server").GetProperty("security").GetString(), shown.Json.GetProperty("server").GetProperty("sender").GetString(), shown.Json.GetProperty("server").GetProperty("login").GetString()));
        Assert.Equal(2, shown.Json.GetProperty("letters").EnumerateArray().Count(letter => letter.GetProperty("receipt").GetString() == "2.0.0 queued? as 1"));
        Assert.False((await Do("set", "--forget-password")).Json.GetProperty("password").GetBoolean());
        Assert.Empty((await Do("set", "--privacy", "")).Json.GetProperty("privacy").EnumerateArray());

        // Each change is an entry, each refusal one too, and no answer held the password.
        var changes = log.Where(entry => entry.Action == "CHANGE_MAIL").Select(entry => entry.Reason).ToList();
        Assert.Equal(
            [
                "mail.host", "mail.security", "mail.password", "access.role",
                $"none -> localhost:{port} by STARTTLS, 2 administrators, 1 for privacy, new password",
                $"localhost:{port} by STARTTLS -> localhost:{port} by STARTTLS, 1 administrators, 1 for privacy",
                $"localhost:{port} by STARTTLS -> localhost:{port} by STARTTLS, 1 administrators, 1 for privacy, password forgotten",
                $"localhost:{port} by STARTTLS -> localhost:{port} by STARTTLS, 1 administrators, 1 for privacy, new password",
            ],
            changes);
        Assert.Single(log, entry => entry is { Action: "TEST_MAIL", Reason: "2 addresses" });
        Assert.Contains(log, entry => entry.Action == "VIEW_MAIL");
        Assert.All([set, sender, again, tried, shown], ran => Assert.DoesNotContain(Password, ran.Out + ran.Error, StringComparison.Ordinal));
    }

    private static (int Exit, string? Code) Came(Ran ran) => (ran.Exit, ran.Code);

    private string[] Words(string[] words)
    {
        var (user, password) = sample.Login(Role.Admin);
        return ["mail", .. words, "--data", sample.Data, "--as", user, "--password-file", folder.Secret("admin", password), "--json", .. sample.StorageArguments];
    }

    private Task<Ran> Do(params string[] words) => Executable.Run(Words(words));

    private async Task<Ran> Typed(string line, params string[] words)
    {
        var process = Process.Start(Executable.With(Words(words)))!;
        if (line.Length > 0)
        {
            await process.StandardInput.WriteLineAsync(line);
        }

        return await Executable.Ended(process);
    }
}

public sealed class MailVerbOnSqliteTests(SampleHospital sample) : MailVerbTests(sample), IClassFixture<SampleHospital>;

public sealed class MailVerbOnPostgresTests(SampleOnPostgres sample) : MailVerbTests(sample), IClassFixture<SampleOnPostgres>;
