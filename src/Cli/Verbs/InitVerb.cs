using System.CommandLine;
using Mangrove.Cli.CommandLine;
using Mangrove.Cli.Serving;
using Mangrove.Clinic;
using Mangrove.Kernel;
using Mangrove.Vault.Keys;

namespace Mangrove.Cli.Verbs;

/// <summary>Makes a hospital.</summary>
internal sealed class InitVerb : OwnVerb
{
    private readonly Option<string> facility = new("--facility") { Description = "Name of the hospital.", HelpName = "NAME", Required = true };
    private readonly Option<string?> protector = new("--protector") { Description = "How the root key is kept: passphrase (the default), or keyfile:PATH on another volume.", HelpName = "passphrase|keyfile:PATH" };
    private readonly Option<bool> acceptSameVolume = new("--accept-same-volume") { Description = "Accept that the key file lies on the volume of the data. Recorded in the log." };
    private readonly Option<string> currency = new("--currency") { Description = "ISO 4217 code of the currency of prices.", HelpName = "CODE", DefaultValueFactory = _ => House.DefaultCurrency };
    private readonly Option<string> address = new("--url") { Description = "Where the pages will be found.", HelpName = "https://HOST:PORT", DefaultValueFactory = _ => ServerAddress.Default };
    private readonly Option<string> user = new("--admin") { Description = "User name of the first administrator.", HelpName = "USER", DefaultValueFactory = _ => "admin" };

    public InitVerb()
        : base("init", "Make a hospital: keys, databases, certificates, and the first administrator by a one-time link.") =>
        Add(facility, protector, acceptSameVolume, Common.PassphraseFile, Common.Storage, Common.Connection, currency, address, user);

    public override async Task<Answer> Run(ParseResult arguments, Call call, TimeProvider clock, CancellationToken cancel)
    {
        var plan = new FoundingPlan
        {
            Storage = Common.StorageOf(arguments, call),
            Secret = SecretOf(arguments, call),
            FacilityName = arguments.GetValue(facility)!.Trim(),
            Currency = arguments.GetValue(currency)!,
            Address = ServerAddress.Parse(arguments.GetValue(address)!),
        };
        var login = arguments.GetValue(user)!;
        var (made, link, device) = await Founding.Make(
            plan,
            async (hospital, setUp, token) => (
                hospital.Vault.Facility,
                (await hospital.Vault.Identity.FirstAdministrator.Create(setUp, login, "Administrator", token)).Value,
                await hospital.Vault.Identity.Devices.Found(setUp, token)),
            clock,
            cancel);

        // Both codes stand behind the #: no address that a server or a log sees has them.
        var setupLink = new Uri(plan.Address, $"/welcome#code={Uri.EscapeDataString(link.Token)}&device={device.Code}").ToString();
        if (plan.Secret.Passphrase is not null)
        {
            call.Say("Nobody can open this hospital without its passphrase, and nobody can reset it. Keep a copy of it in a safe place.");
        }

        return Answer.Of(
            new { data = plan.Storage.Folder, facility = plan.FacilityName, facilityId = made, setupLink, setupLinkUser = link.User, setupLinkExpires = link.Expires, setupDevice = device.Name },
            $"""
            {plan.FacilityName} is ready in {plan.Storage.Folder}.
            Start it:   mangrove serve --data {plan.Storage.Folder} --urls {plan.Address.GetLeftPart(UriPartial.Authority)}
            Then open this once, at the computer that is to be the first registered device ({device.Name}); there '{link.User}'
            chooses a password and sets up a phone:
              {setupLink}
            """);
    }

    private RootSecret SecretOf(ParseResult arguments, Call call)
    {
        const string KeyFile = "keyfile:";
        var kind = arguments.GetValue(protector);
        if (kind is not null && kind.StartsWith(KeyFile, StringComparison.Ordinal) && kind.Length > KeyFile.Length)
        {
            return arguments.GetValue(Common.PassphraseFile) is null
                ? new RootSecret { KeyFile = call.Full(kind[KeyFile.Length..]), AcceptSameVolume = arguments.GetValue(acceptSameVolume) }
                : throw new RefusedInput("keys.two-protectors", "Choose one: a key file or a passphrase.");
        }

        if (kind is not (null or "passphrase"))
        {
            throw new RefusedInput("keys.protector", "Give --protector passphrase or --protector keyfile:PATH.");
        }

        if (arguments.GetValue(Common.PassphraseFile) is { } file)
        {
            return new RootSecret { Passphrase = Typed.FirstLine(call.Full(file)) };
        }

        if (!Typed.Possible)
        {
            throw new RefusedInput("keys.no-secret", "Give the passphrase of the root key with --passphrase-file, or name a key file with --protector keyfile:PATH.");
        }

        var first = Typed.Ask("Choose a passphrase for the root key (15 characters or more): ");
        return first.AsSpan().SequenceEqual(Typed.Ask("The same again: "))
            ? new RootSecret { Passphrase = first }
            : throw new RefusedInput("keys.passphrase-differs", "The two passphrases differ. Nothing was made; try again.");
    }
}
