using System.CommandLine;
using Mangrove.Cli.CommandLine;
using Mangrove.Cli.Downtime;
using Mangrove.Cli.Serving;
using Mangrove.Cli.Upgrades;
using Mangrove.Clinic;
using Mangrove.Kernel;
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

    private readonly Option<bool> readOnly = new("--read-only") { Description = "Serve a read-only copy of a hospital, made of the newest backup of --from in the folder --data, which holds such copies and nothing else. It follows newer backups by itself." };
    private readonly Option<string?> from = new("--from") { Description = "With --read-only: the target of the hospital's backups, or the hospital's folder in it.", HelpName = "TARGET" };
    private readonly Option<string[]> shares = new("--share-file") { Description = "With --read-only: a file with the text of one printed sheet; once for each sheet.", HelpName = "FILE" };
    private readonly Option<bool> anyDevice = new("--any-device") { Description = "With --read-only: let devices in that cannot show that they are registered. A browser shows it under the hospital's own name only." };

    public ServeVerb()
        : base("serve", "Serve the hospital, or a read-only copy of it during a downtime.")
    {
        Common.AddUnsealing(Command);
        Add(urls, clientUrls, readOnly, from, shares, anyDevice);
    }

    /// <summary>Set by the program, because the server answers commands with the same verbs.</summary>
    public CommandShell? Shell { get; set; }

    public override async Task<Answer> Run(ParseResult arguments, Call call, TimeProvider clock, CancellationToken cancel)
    {
        var asked = arguments.GetValue(urls) is { Length: > 0 } given ? given.Select(ServerAddress.Parse).ToArray() : null;
        var clients = (arguments.GetValue(clientUrls) ?? []).Select(ServerAddress.Parse).ToArray();
        if (arguments.GetValue(readOnly))
        {
            return await ServeCopy(arguments, call, asked, clock, cancel);
        }

        if (arguments.GetValue(from) is not null || arguments.GetValue(anyDevice) || arguments.GetValue(shares) is { Length: > 0 })
        {
            throw new RefusedInput("downtime.not-asked", "--from, --share-file and --any-device belong to --read-only. Add that, or leave them out.");
        }

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

    private async Task<Answer> ServeCopy(ParseResult arguments, Call call, Uri[]? asked, TimeProvider clock, CancellationToken cancel)
    {
        var source = arguments.GetValue(from) ?? throw new RefusedInput("downtime.no-source", "Name the target of the hospital's backups with --from.");
        if (arguments.GetValue(Common.Storage) != StorageKind.Sqlite || arguments.GetValue(clientUrls) is { Length: > 0 } || arguments.GetValue(Common.PinFile) is not null)
        {
            throw new RefusedInput("downtime.options", "A read-only copy lies in files, answers people only, and is opened by what opens a backup: leave --storage, --client-urls and --pin-file out.");
        }

        Certificates.ReadAhead();
        var data = Common.FolderOf(arguments, call);
        using var place = DowntimeFolder.Take(data);
        char[]? typed = null;
        try
        {
            await using var service = new DowntimeService(
                place,
                call.Full(source),
                bundle =>
                {
                    var (opening, known) = RecoverySecrets.Of(arguments, call, arguments.GetValue(shares) ?? [], bundle);
                    typed = known?.Passphrase;
                    return opening;
                },
                arguments.GetValue(anyDevice),
                asked,
                clock,
                call.Say);
            await service.Start(cancel);
            var address = service.Address.GetLeftPart(UriPartial.Authority);
            call.Say($"ready {address}");
            await service.Run(cancel);
            call.Say("stopped");
            return Answer.Of(new { data, url = address, number = service.Copy.Mark.Number, created = service.Copy.Mark.Created, stopped = true }, "The read-only copy was closed in order. What people looked at is in the folder 'logs': hand it in with 'mangrove downtime hand-in'.");
        }
        finally
        {
            Array.Clear(typed ?? []);
        }
    }
}
