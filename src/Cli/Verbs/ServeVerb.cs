using System.CommandLine;
using Mangrove.Cli.CommandLine;
using Mangrove.Cli.Serving;
using Mangrove.Cli.Upgrades;
using Mangrove.Clinic;
using Mangrove.Vault;

namespace Mangrove.Cli.Verbs;

/// <summary>Serves the hospital until it is told to stop.</summary>
internal sealed class ServeVerb : OwnVerb
{
    private static readonly TimeSpan AfterFirstPages = TimeSpan.FromSeconds(1);

    private readonly Option<string[]> urls = new("--urls")
    {
        Description = "Where to listen; several with a semicolon. Default: the address given at set-up. https://0.0.0.0:PORT means every address of this machine.",
        HelpName = "https://HOST:PORT",
        CustomParser = result => [.. result.Tokens.SelectMany(token => token.Value.Split([';', ','], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))],
    };

    private readonly Option<string[]> clientUrls = new("--client-urls")
    {
        Description = "Where programs and desktop devices with a certificate of this hospital are answered; nobody else is. Nowhere when left out.",
        HelpName = "https://HOST:PORT",
        CustomParser = result => [.. result.Tokens.SelectMany(token => token.Value.Split([';', ','], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))],
    };

    public ServeVerb()
        : base("serve", "Serve the hospital.")
    {
        Common.AddUnsealing(Command);
        Add(urls, clientUrls);
    }

    /// <summary>Set by the program, because the server answers commands with the same verbs.</summary>
    public CommandShell? Shell { get; set; }

    public override async Task<Answer> Run(ParseResult arguments, Call call, TimeProvider clock, CancellationToken cancel)
    {
        var asked = arguments.GetValue(urls) is { Length: > 0 } given ? given.Select(ServerAddress.Parse).ToArray() : null;
        var clients = (arguments.GetValue(clientUrls) ?? []).Select(ServerAddress.Parse).ToArray();
        Certificates.ReadAhead();
        var storage = Common.StorageOf(arguments, call);
        Founding.RequireFounded(storage.Folder);
        var taken = FolderLock.Take(storage.Folder);
        Hospital hospital;
        try
        {
            var secret = Common.SecretOf(arguments, call);

            // Whoever installs a new version starts the service and expects it to serve. On PostgreSQL other servers may stand
            // on the same database, and no copy is made of it: there a person says when.
            if (storage.Kind == StorageKind.Sqlite && await HospitalUpgrade.Needed(storage, cancel))
            {
                await new HospitalUpgrade(storage, secret, clock).Run(line => call.Say("upgrade: " + line), cancel);
            }

            hospital = await Hospital.Open(taken, storage, secret, clock, OlderSchema.Refuse, cancel);
        }
        catch
        {
            taken.Dispose();
            throw;
        }

        await using (hospital)
        {
            asked ??= [ServerAddress.Parse(await House.Read(hospital.Clinics, Furnishings.AddressSetting, cancel) ?? ServerAddress.Default)];
            await using var server = await Server.Start(hospital, asked, clients, Shell, cancel);
            call.Say($"ready {server.Address.GetLeftPart(UriPartial.Authority)}");
            if (server.ClientAddress is { } forClients)
            {
                call.Say($"clients {forClients.GetLeftPart(UriPartial.Authority)}");
            }

            // It takes every processor for a while: whoever waits for the sign-in page goes first, and until it is whole a
            // search says that it does not see everybody.
            hospital.StartIndexing(AfterFirstPages);
            await server.Stopped(cancel);
            call.Say("stopped");
            return Answer.Of(new { data = storage.Folder, url = server.Address.GetLeftPart(UriPartial.Authority), clientUrl = server.ClientAddress?.GetLeftPart(UriPartial.Authority), stopped = true }, "The hospital was closed in order.");
        }
    }
}
