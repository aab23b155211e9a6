using System.CommandLine;
using Mangrove.Cli.CommandLine;
using Mangrove.Cli.Serving;
using Mangrove.Clinic;

namespace Mangrove.Cli.Verbs;

/// <summary>Makes a hospital.</summary>
internal sealed class InitVerb : OwnVerb
{
    private readonly Option<string> facility = new("--facility") { Description = "Name of the hospital.", HelpName = "NAME", Required = true };
    private readonly WantedProtector protector = new("How the root key is kept: passphrase (the default), keyfile:PATH on another volume, tpm (of this machine), or pkcs11:LABEL (a token).", required: false, anew: false);
    private readonly Option<string> currency = new("--currency") { Description = "ISO 4217 code of the currency of prices.", HelpName = "CODE", DefaultValueFactory = _ => House.DefaultCurrency };
    private readonly Option<string> address = new("--url") { Description = "Where the pages will be found.", HelpName = "https://HOST:PORT", DefaultValueFactory = _ => ServerAddress.Default };
    private readonly Option<string> user = new("--admin") { Description = "User name of the first administrator.", HelpName = "USER", DefaultValueFactory = _ => "admin" };

    public InitVerb()
        : base("init", "Make a hospital: keys, databases, certificates, and the first administrator by a one-time link.") =>
        Add([facility, .. protector.Options, Common.Storage, Common.Connection, currency, address, user]);

    public override async Task<Answer> Run(ParseResult arguments, Call call, TimeProvider clock, CancellationToken cancel)
    {
        var plan = new FoundingPlan
        {
            Storage = Common.StorageOf(arguments, call),
            Secret = protector.Chosen(arguments, call, ask: true, forBackups: null),
            FacilityName = arguments.GetValue(facility)!.Trim(),
            Currency = arguments.GetValue(currency)!,
            Address = ServerAddress.Parse(arguments.GetValue(address)!),
        };
        var login = arguments.GetValue(user)!;
        var made = await NewHospital.Make(plan, login, clock, cancel);
        if (plan.Secret.ForBackups is not null)
        {
            call.Say("Without its TPM or token nobody can open this hospital. Then its backups and their passphrase are all there is: keep a copy of that in a safe place, and make recovery sheets.");
        }
        else if (plan.Secret.Passphrase is not null)
        {
            call.Say("Nobody can open this hospital without its passphrase, and nobody can reset it. Keep a copy of it in a safe place.");
        }

        return Answer.Of(
            new { data = plan.Storage.Folder, facility = plan.FacilityName, facilityId = made.Facility, setupLink = made.Link, setupLinkUser = made.User, setupLinkExpires = made.Expires, setupDevice = made.Device },
            $"""
            {plan.FacilityName} is ready in {plan.Storage.Folder}.
            Start it:   mangrove serve --data {plan.Storage.Folder} --urls {plan.Address.GetLeftPart(UriPartial.Authority)}
            Then open this once, at the computer that is to be the first registered device ({made.Device}); there '{made.User}'
            chooses a password and sets up a phone:
              {made.Link}
            """);
    }
}
