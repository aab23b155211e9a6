using System.CommandLine;
using System.Globalization;
using Mangrove.Cli.CommandLine;
using Mangrove.Cli.Installing;
using Mangrove.Cli.Serving;
using Mangrove.Clinic;
using Mangrove.Kernel;

namespace Mangrove.Cli.Verbs;

/// <summary>Installs the program as a service of this system, with its first hospital.</summary>
internal sealed class InstallVerb : OwnVerb
{
    private readonly Option<string?> facility = new("--facility") { Description = "Name of the hospital that is made, where the data folder holds none yet.", HelpName = "NAME" };
    private readonly Option<string> protector = new("--protector") { Description = "How the root key is kept: passphrase (handed to the service by systemd), or keyfile:PATH on another volume.", HelpName = "passphrase|keyfile:PATH", DefaultValueFactory = _ => "passphrase" };
    private readonly Option<bool> acceptSameVolume = new("--accept-same-volume") { Description = "Accept that the key file lies on the volume of the data. Recorded in the log." };
    private readonly Option<string> currency = new("--currency") { Description = "ISO 4217 code of the currency of prices.", HelpName = "CODE", DefaultValueFactory = _ => House.DefaultCurrency };
    private readonly Option<string> admin = new("--admin") { Description = "User name of the first administrator.", HelpName = "USER", DefaultValueFactory = _ => "admin" };
    private readonly Option<string> urls = new("--urls") { Description = "Where the service listens.", HelpName = "https://HOST:PORT", DefaultValueFactory = _ => "https://0.0.0.0:8443" };
    private readonly Option<string?> from = new("--from") { Description = "Where the archive was unpacked; where this program lies when left out.", HelpName = "DIR" };
    private readonly Option<bool> noStart = new("--no-start") { Description = "Do not start the service." };
    private readonly Option<bool> plan = new("--plan") { Description = "Say what would be done, and do nothing." };
    private readonly InstallPlaces places = new();

    public InstallVerb()
        : base("install", "Install the program as a service of this system: account, folders, rights, service, the first hospital. The data folder is /srv/mangrove unless --data says otherwise.")
    {
        Add(facility, protector, acceptSameVolume, Common.PassphraseFile, currency, admin, urls, from, noStart, plan);
        places.AddTo(Command);
    }

    public override async Task<Answer> Run(ParseResult arguments, Call call, TimeProvider clock, CancellationToken cancel)
    {
        InstallPlaces.RequireLinux();
        var address = ServerAddress.Parse(arguments.GetValue(urls)!);
        var chosen = arguments.GetValue(protector)!;
        var planned = places.Read(arguments, call) with { Address = address, KeyFile = chosen.StartsWith("keyfile:", StringComparison.Ordinal) ? chosen["keyfile:".Length..] : null };
        if (planned.KeyFile is null && chosen != "passphrase")
        {
            throw new RefusedInput("keys.protector", "Give --protector passphrase or --protector keyfile:PATH.");
        }

        planned = planned.Checked();
        var installation = new Installation(planned, clock, call.Say) { Unpacked = arguments.GetValue(from) is { } unpacked ? call.Full(unpacked) : AppContext.BaseDirectory };
        var start = !arguments.GetValue(noStart);
        var steps = installation.Steps(start);
        if (arguments.GetValue(plan))
        {
            return Answer.Of(new { planned = true, steps, unit = ServiceUnit.Of(planned) }, string.Join('\n', steps));
        }

        InstallPlaces.RequireRights(planned);
        var founding = arguments.GetValue(facility) is { } name
            ? new Installation.Founding(name.Trim(), arguments.GetValue(currency)!, arguments.GetValue(admin)!, Link(address), arguments.GetValue(acceptSameVolume))
            : null;
        var made = await installation.Run(founding, arguments.GetValue(Common.PassphraseFile) is { } file ? call.Full(file) : null, start, cancel);
        var running = installation.Starts(start);
        return Answer.Of(
            new { data = planned.Data, program = planned.Prefix, unit = planned.UnitFile, user = planned.User, started = running, setupLink = made?.Link, setupLinkUser = made?.User, setupLinkExpires = made?.Expires },
            string.Join('\n', Words(planned, made, running)));
    }

    private static IEnumerable<string> Words(InstallPlan planned, NewHospital? made, bool running)
    {
        yield return running ? "Mangrove is installed and its service is starting: systemctl status mangrove" : "Mangrove is installed. Its service was not started.";
        if (!running)
        {
            yield return "With systemd:      systemctl daemon-reload && systemctl enable --now mangrove";
            yield return $"Without:           {planned.ByHand}";
        }

        if (made is not null)
        {
            yield return string.Create(CultureInfo.InvariantCulture, $"Open this once, at the computer that is to be the first registered device ({made.Device}); there '{made.User}' chooses a password and sets up a phone:");
            yield return "  " + made.Link;
        }
    }

    /// <summary>The address for people: where the service listens on all of them, this machine's name.</summary>
    private static Uri Link(Uri address) => address.Host is "0.0.0.0" or "[::]" ? new UriBuilder(address) { Host = Environment.MachineName }.Uri : address;
}
