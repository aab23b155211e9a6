using System.CommandLine;
using System.Globalization;
using Mangrove.Cli.CommandLine;
using Mangrove.Kernel;
using Mangrove.Vault.Health;

namespace Mangrove.Cli.Verbs;

/// <summary>What the verbs about letters share. The password of the mail server is never shown.</summary>
internal abstract class MailVerb(string verb, string description) : HospitalVerb(verb, description, "mail", actsAsSomebody: true)
{
    protected static string Slug(MailSecurity security) => security switch { MailSecurity.Tls => "tls", MailSecurity.StartTls => "starttls", _ => "none" };

    protected static Answer Shown(MailState state, IReadOnlyList<Letter> letters) => Answer.Of(
        new
        {
            server = state.Server is not { } server ? null : new { host = server.Host, port = server.Port, security = Slug(server.Security), sender = server.Sender, login = server.Login, authority = server.Authority },
            password = state.HasPassword,
            administrators = state.Administrators,
            privacy = state.PrivacyOfficer,
            letters = letters.Select(letter => new { subject = letter.Subject, to = letter.Address, written = letter.Created, tries = letter.Tries, delivered = letter.Delivered, receipt = letter.Receipt, problem = letter.Problem, givenUp = letter.GivenUp }),
        },
        state.Server is not { } set
            ? "No mail server is set: alarms stand on the page Health alone. Set one with 'mangrove mail set'."
            : string.Join('\n', [
                string.Create(CultureInfo.InvariantCulture, $"server          {set.Host}:{set.Port}, {Slug(set.Security)}"),
                $"sender          {set.Sender}",
                $"user name       {(set.Login.Length == 0 ? "none" : set.Login)}, {(state.HasPassword ? "a password is kept" : "no password")}",
                $"authority       {(set.Authority.Length == 0 ? "those that the system trusts" : "a certificate of its own")}",
                $"administrators  {string.Join(' ', state.Administrators)}",
                $"privacy         {(state.PrivacyOfficer.Count == 0 ? "nobody" : string.Join(' ', state.PrivacyOfficer))}",
                .. letters.Select(letter => string.Create(CultureInfo.InvariantCulture, $"{letter.Created:yyyy-MM-dd HH:mm} UTC  {letter.Address}  {letter.Subject}: {(letter.Delivered is not null ? $"taken, {letter.Receipt}" : letter.Problem ?? "waits")}")),
            ]));
}

/// <summary>Where letters go, and what became of the last ones.</summary>
internal sealed class MailShowVerb() : MailVerb("show", "Show the mail server, who gets letters, and what became of the last ones. Never the password.")
{
    private const int Last = 10;

    public override async Task<Answer> Run(Hospital hospital, ParseResult arguments, Call call, CancellationToken cancel)
    {
        var health = hospital.Vault.Health;
        await health.Look(await Actor(hospital, arguments, call, cancel), mail: true, cancel);
        return Shown(await health.Mail.State(cancel), await health.Outbox.Newest(Last, cancel));
    }
}

/// <summary>Sets the mail server and who gets letters. What is not named stays as it is.</summary>
internal sealed class MailSetVerb : MailVerb
{
    private const string StandardInput = "-";

    // Before what was read where the command was typed: an empty text is an answer too.
    private const string Given = "=";

    private readonly Option<string?> host = new("--host") { Description = "The mail server.", HelpName = "NAME" };
    private readonly Option<int?> port = new("--port") { Description = "Its port: usual are 587 and 465.", HelpName = "PORT" };
    private readonly Option<string?> security = new("--security") { Description = "starttls, tls, or none for a server on this machine.", HelpName = "starttls|tls|none" };
    private readonly Option<string?> sender = new("--sender") { Description = "The address that letters come from.", HelpName = "ADDRESS" };
    private readonly Option<string?> login = new("--login") { Description = "The user name at the mail server; \"\" for none.", HelpName = "NAME" };
    private readonly Option<string?> password = new("--mail-password-file") { Description = "A file whose first line is the password at the mail server; - for standard input.", HelpName = "FILE" };
    private readonly Option<bool> forget = new("--forget-password") { Description = "Keep no password at the mail server." };
    private readonly Option<string[]> administrators = new("--administrator") { Description = "An address of somebody who looks after the machine; once for each. Replaces those that are set.", HelpName = "ADDRESS" };
    private readonly Option<string[]> privacy = new("--privacy") { Description = "An address of whoever answers for privacy; once for each. Replaces those that are set; \"\" for nobody.", HelpName = "ADDRESS" };
    private readonly Option<string?> authority = new("--authority-file") { Description = "A PEM file of the authority that signed the server's certificate; \"\" for those that the system trusts.", HelpName = "FILE" };

    public MailSetVerb()
        : base("set", "Set the mail server and who gets letters. What is not named stays; another server, port or user name forgets the password.") =>
        Add(host, port, security, sender, login, password, forget, administrators, privacy, authority);

    /// <summary>The password and the certificate lie where the command is typed, and go to no server by name.</summary>
    public override IReadOnlyList<string> AskHere(ParseResult arguments)
    {
        if (arguments.GetValue(forget) && arguments.GetValue(password) is not null)
        {
            throw new RefusedInput("usage", "Give --mail-password-file or --forget-password, not both. See --help.");
        }

        var secret = arguments.GetValue(password) switch
        {
            null => arguments.GetValue(forget) ? Given : "",
            StandardInput => Given + (Console.In.ReadLine() is { Length: > 0 } line ? line : throw new RefusedInput("secret.needed", "Standard input ended before the password. Its first line is the password at the mail server.")),
            var file => Given + new string(CommandLine.Typed.FirstLine(Path.GetFullPath(file))),
        };
        var certificate = arguments.GetValue(authority) switch
        {
            null => "",
            "" => Given,
            var file => Given + Pem(Path.GetFullPath(file)),
        };
        return [secret, certificate];
    }

    public override async Task<Answer> Run(Hospital hospital, ParseResult arguments, Call call, CancellationToken cancel)
    {
        var actor = await Actor(hospital, arguments, call, cancel);
        var desk = hospital.Vault.Health.Mail;
        var now = await desk.State(cancel);
        var (secret, certificate) = call.Typed is [var first, var second] ? (first, second) : ("", "");
        var server = new MailServer(
            arguments.GetValue(host) ?? now.Server?.Host ?? "",
            arguments.GetValue(port) ?? now.Server?.Port ?? -1,
            arguments.GetValue(security) switch
            {
                null => now.Server?.Security ?? MailSecurity.Unchosen,
                "tls" => MailSecurity.Tls,
                "starttls" => MailSecurity.StartTls,
                "none" => MailSecurity.None,
                _ => MailSecurity.Unchosen,
            },
            arguments.GetValue(sender) ?? now.Server?.Sender ?? "",
            arguments.GetValue(login) ?? now.Server?.Login ?? "",
            certificate.Length > 0 ? certificate[Given.Length..].Trim() : now.Server?.Authority ?? "");
        var changed = await desk.Change(
            actor,
            server,
            secret.Length > 0 ? secret[Given.Length..] : null,
            Named(arguments.GetValue(administrators), now.Administrators),
            Named(arguments.GetValue(privacy), now.PrivacyOfficer),
            cancel);
        return Shown(changed.Value, []);
    }

    private static IReadOnlyList<string> Named(string[]? given, IReadOnlyList<string> before) => given is { Length: > 0 } ? [.. given.Where(one => one.Length > 0)] : before;

    private static string Pem(string path)
    {
        const int Longest = 64 * 1024;
        try
        {
            return new FileInfo(path) is { Length: <= Longest } ? File.ReadAllText(path) : throw new RefusedInput("mail.authority", "The file of the authority is too long: it holds one certificate in PEM.");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new RefusedInput("mail.authority", "The file of the authority cannot be read. Name a readable file with one certificate in PEM.");
        }
    }
}

/// <summary>Puts a test letter to everybody into the outbox.</summary>
internal sealed class MailTestVerb() : MailVerb("test", "Send a test letter to every address. The running server sends it within a minute; 'mangrove mail show' tells what became of it.")
{
    public override async Task<Answer> Run(Hospital hospital, ParseResult arguments, Call call, CancellationToken cancel)
    {
        var actor = await Actor(hospital, arguments, call, cancel);
        var addresses = (await hospital.Vault.Health.Mail.Test(actor, cancel)).Value;
        return Answer.Of(new { addresses }, string.Create(CultureInfo.InvariantCulture, $"A test letter to {addresses} addresses waits; the running server sends it within a minute. Then: mangrove mail show"));
    }
}
