using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Mangrove.Api;
using Mangrove.Cli.Backups;
using Mangrove.Cli.CommandLine;
using Mangrove.Cli.Destruction;
using Mangrove.Cli.Watch;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Backups;
using Mangrove.Vault.Clients;
using Mangrove.Vault.Glass;
using Mangrove.Vault.Health;
using Mangrove.Vault.Identity;
using Mangrove.Vault.Incidents;
using Mangrove.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.AuthenticatedEncryption;
using Microsoft.AspNetCore.DataProtection.AuthenticatedEncryption.ConfigurationModel;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using Microsoft.Extensions.Options;

namespace Mangrove.Cli.Serving;

/// <summary>
/// The hospital's server: pages, live streams and the local socket over one open hospital, by TLS 1.3 only. Nothing of
/// it is read from environment variables or settings files, so nothing of it can be switched off there.
/// </summary>
public sealed class Server : IAsyncDisposable
{
    private readonly WebApplication running;
    private readonly ShownCertificate shown;
    private readonly FormKeys ring;
    private readonly ClientGate? doorman;

    private Server(WebApplication app, ShownCertificate certificate, FormKeys forms, ClientGate? clients, Uri address, Uri? clientAddress)
    {
        running = app;
        shown = certificate;
        ring = forms;
        doorman = clients;
        Address = address;
        ClientAddress = clientAddress;
    }

    /// <summary>Where the first page is, with the port that was really taken.</summary>
    public Uri Address { get; private set; }

    /// <summary>Where clients with a certificate are answered, with the port that was really taken; null where none are.</summary>
    public Uri? ClientAddress { get; }

    /// <summary>Every address that it answers, for whoever checks them all.</summary>
    public IReadOnlyList<Endpoint> Endpoints => running.Services.GetRequiredService<EndpointDataSource>().Endpoints;

    /// <summary>Starts serving; when the task ends, the first page can be fetched.</summary>
    /// <exception cref="RefusedInput"><c>serve.port-in-use</c>, <c>serve.port-denied</c>, <c>serve.address-unknown</c>, <c>serve.sensitive-logging</c>.</exception>
    public static Task<Server> Start(Hospital hospital, Uri address, CancellationToken cancel) => Start(hospital, [address], [], null, cancel);

    /// <summary>As the other, with a second listener for clients with a certificate.</summary>
    /// <exception cref="RefusedInput"><c>serve.port-in-use</c>, <c>serve.port-denied</c>, <c>serve.address-unknown</c>, <c>serve.sensitive-logging</c>.</exception>
    public static Task<Server> Start(Hospital hospital, Uri address, Uri clients, CancellationToken cancel) => Start(hospital, [address], [clients], null, cancel);

    internal static async Task<Server> Start(Hospital hospital, IReadOnlyList<Uri> addresses, IReadOnlyList<Uri> clients, CommandShell? shell, CancellationToken cancel)
    {
        SensitiveLogging.Refuse(hospital.Storage);

        // The mapper's options cost a start some time, so they are looked at beside the rest of it.
        var mapper = Task.Run(() => SensitiveLogging.Refuse(hospital.Clinics.Options), cancel);
        var hosts = HostsOf([.. addresses, .. clients]);
        var certificate = await ShownCertificate.Take(hospital.Vault.Secrets, hospital.Vault.FacilityName, hosts, hospital.Clock, cancel);
        var forms = await FormKeys.Load(hospital.Vault.Secrets, cancel);
        WebApplication? app = null;
        ClientGate? gate = null;
        try
        {
            gate = clients.Count == 0 ? null : await hospital.Vault.Clients.Gate(cancel);
            app = Build(hospital, addresses, shell, certificate, forms, gate is null ? null : (clients, new ClientListener(hospital.Vault.Clients, gate, certificate)));
            await mapper;
            await forms.Renew(app.Services.GetRequiredService<IKeyManager>(), hospital.Clock, cancel);
            await app.StartAsync(cancel);
            return new Server(app, certificate, forms, gate, Taken(app, addresses[0], 0), clients.Count == 0 ? null : Taken(app, clients[0], addresses.Count));
        }
        catch (Exception error)
        {
            if (app is not null)
            {
                await app.DisposeAsync();
            }

            certificate.Dispose();
            forms.Dispose();
            gate?.Dispose();
            throw Reason(error) is { } reason ? new RefusedInput(reason) : error;
        }
    }

    /// <summary>Waits until the process is told to stop (SIGTERM, Ctrl+C) or <paramref name="cancel"/>.</summary>
    public Task Stopped(CancellationToken cancel) => HostingAbstractionsHostExtensions.WaitForShutdownAsync(running, cancel);

    /// <summary>Looks at the certificate's dates now, as it does once a day by itself; true when a new one took its place.</summary>
    public Task<bool> RenewCertificate(CancellationToken cancel) => shown.Renew(cancel);

    /// <summary>Stops: running answers end, streams close, the port is given back.</summary>
    public async ValueTask DisposeAsync()
    {
        // Disposing alone would pull the services from under the work that still runs beside the pages.
        if (!running.Lifetime.ApplicationStopped.IsCancellationRequested)
        {
            await running.StopAsync(CancellationToken.None);
        }

        await running.DisposeAsync();
        shown.Dispose();
        ring.Dispose();
        doorman?.Dispose();
    }

    private static WebApplication Build(Hospital hospital, IReadOnlyList<Uri> addresses, CommandShell? shell, ShownCertificate certificate, FormKeys forms, (IReadOnlyList<Uri> Addresses, ClientListener Listener)? clients)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = "mangrove", EnvironmentName = "Production" });
        builder.Logging.AddConsole(console =>
        {
            console.FormatterName = LogLines.FormatterName;
            console.LogToStandardErrorThreshold = LogLevel.Trace;
        });
        builder.Logging.AddConsoleFormatter<LogLines, ConsoleFormatterOptions>();
        builder.Logging.SetMinimumLevel(LogLevel.Warning);
        builder.Logging.AddFilter("Mangrove", LogLevel.Information);

        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
        {
            Limits.Apply(kestrel);
            foreach (var address in addresses)
            {
                Listen(kestrel, address, listen => ForBrowsers(listen, certificate));
            }

            foreach (var address in clients?.Addresses ?? [])
            {
                Listen(kestrel, address, clients!.Value.Listener.Apply);
            }
        });
        builder.Services.Configure<FormOptions>(Limits.Apply);
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(10));
        builder.Services.AddHostFiltering(filter =>
        {
            filter.AllowEmptyHosts = false;
            filter.AllowedHosts = [.. certificate.Names.Select(name => name.Contains(':', StringComparison.Ordinal) ? $"[{name}]" : name)];
        });
        builder.Services.AddDataProtection().SetApplicationName("mangrove").UseCryptographicAlgorithms(new AuthenticatedEncryptorConfiguration { EncryptionAlgorithm = EncryptionAlgorithm.AES_256_GCM });
        builder.Services.AddSingleton(forms);
        builder.Services.Configure<KeyManagementOptions>(keys =>
        {
            keys.XmlRepository = forms;
            keys.XmlEncryptor = forms.Encryptor();
            keys.AutoGenerateKeys = false;
        });
        builder.Services.AddHostedService<FormKeyRenewal>();
        builder.Services.AddHostedService(services => new CertificateRenewal(certificate, services.GetRequiredService<TimeProvider>()));
        builder.Services.AddRoutingCore();

        hospital.AddTo(builder.Services);
        builder.Services.AddSingleton(hospital);
        builder.Services.AddHostedService<SessionSweep>();
        builder.Services.AddHostedService<GlassKeeper>();
        builder.Services.AddHostedService<IncidentKeeper>();
        builder.Services.AddSingleton<IMemoryPoolFactory<byte>, WipedMemory.Factory>();
        builder.Services.AddHostedService<MemorySweep>();
        builder.Services.AddSingleton(hospital.Vault.Space);
        builder.Services.AddSingleton(hospital.Backups);
        builder.Services.AddSingleton<IBackupWork>(hospital.Backups);
        if (hospital.Vault.Copy is { } copy)
        {
            builder.Services.AddSingleton(copy);
        }
        else
        {
            builder.Services.AddHostedService<SpaceKeeper>();
            builder.Services.AddHostedService<ActKeeper>();
            builder.Services.AddHostedService<RetentionKeeper>();
            builder.Services.AddHostedService<BackupTimetable>();
            builder.Services.AddHostedService<KeyWork>();
            builder.Services.AddHostedService<AccessWatch>();
            builder.Services.AddHostedService<DestructionKeeper>();
            builder.Services.AddHostedService(static services => services.GetRequiredService<HealthWatch>());
        }

        builder.Services.AddMangroveWeb();
        builder.Services.AddSingleton<Health>();
        builder.Services.AddSingleton<RequestCounts>();
        builder.Services.AddSingleton<ILetterCarrier, SmtpCarrier>();
        builder.Services.AddSingleton<HealthWatch>();
        builder.Services.AddSingleton<IHealthSource>(static services => services.GetRequiredService<HealthWatch>());
        if (shell is not null)
        {
            builder.Services.AddSingleton(shell);
            builder.Services.AddHostedService<LocalSocket>();
        }

        SensitiveLogging.Refuse(builder.Services);
        var app = builder.Build();
        SensitiveLogging.Refuse(app.Services.GetRequiredService<IOptions<LoggerFilterOptions>>().Value, app.Services.GetRequiredService<IOptions<ConsoleLoggerOptions>>().Value);
        var counts = app.Services.GetRequiredService<RequestCounts>();
        app.Use(next => http => counts.Count(http, next));
        app.UseHostFiltering();
        app.MapMangroveWeb(static web =>
        {
            web.UseMiddleware<ConnectionClient>();
            web.UseMangroveServices();
        });

        // Programs of others wait for the hospital itself: what they would read here may be old, and they see no banner.
        if (hospital.Vault.Copy is null)
        {
            app.MapMangroveApi();
        }

        app.Services.GetRequiredService<Health>().Map(app);
        return app;
    }

    private static void ForBrowsers(ListenOptions listen, ShownCertificate certificate)
    {
        listen.Protocols = HttpProtocols.Http1AndHttp2;
        listen.UseHttps(new TlsHandshakeCallbackOptions { OnConnection = _ => ValueTask.FromResult(certificate.Options), HandshakeTimeout = Limits.LongestHandshake });
    }

    private static void Listen(KestrelServerOptions kestrel, Uri address, Action<ListenOptions> secure)
    {
        // A free port can be drawn on one address only, so "localhost:0" means the loopback of IPv4.
        if (IPAddress.TryParse(address.Host.Trim('[', ']'), out var ip))
        {
            kestrel.Listen(ip, address.Port, secure);
        }
        else if (address.IsLoopback && address.Port == 0)
        {
            kestrel.Listen(IPAddress.Loopback, 0, secure);
        }
        else if (address.IsLoopback)
        {
            kestrel.ListenLocalhost(address.Port, secure);
        }
        else
        {
            kestrel.ListenAnyIP(address.Port, secure);
        }
    }

    /// <summary>The names under which pages may be asked for: those given, and this machine's addresses when it listens on all of them.</summary>
    private static string[] HostsOf(IReadOnlyList<Uri> addresses)
    {
        var hosts = new List<string>();
        foreach (var address in addresses)
        {
            var host = address.Host.Trim('[', ']');
            if (IPAddress.TryParse(host, out var ip) && (ip.Equals(IPAddress.Any) || ip.Equals(IPAddress.IPv6Any)))
            {
                hosts.AddRange(NetworkInterface.GetAllNetworkInterfaces()
                    .Where(card => card.OperationalStatus == OperationalStatus.Up)
                    .SelectMany(card => card.GetIPProperties().UnicastAddresses)
                    .Where(one => one.Address.AddressFamily == AddressFamily.InterNetwork || !one.Address.IsIPv6LinkLocal)
                    .Select(one => one.Address.ToString()));
            }
            else
            {
                hosts.Add(host);
            }
        }

        return [.. hosts.Distinct(StringComparer.OrdinalIgnoreCase)];
    }

    /// <param name="app">That listens.</param>
    /// <param name="asked">What was asked for.</param>
    /// <param name="place">Its place among all that were: they are bound in that order.</param>
    private static Uri Taken(WebApplication app, Uri asked, int place)
    {
        if (asked.Port != 0)
        {
            return asked;
        }

        var taken = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.ElementAt(place);
        return new UriBuilder(asked) { Port = new Uri(taken.Replace("[::]", "localhost", StringComparison.Ordinal)).Port }.Uri;
    }

    private static Error? Reason(Exception error) => error switch
    {
        AddressInUseException or IOException { InnerException: AddressInUseException } =>
            new Error("serve.port-in-use", "Another program is using this port. Stop it, or name another one with --urls or --client-urls https://HOST:PORT."),
        SocketException { SocketErrorCode: SocketError.AccessDenied } or IOException { InnerException: SocketException { SocketErrorCode: SocketError.AccessDenied } } =>
            new Error("serve.port-denied", "This account may not listen on this port. Use a port of 1024 or above, or give the account that right."),
        SocketException { SocketErrorCode: SocketError.AddressNotAvailable } or IOException { InnerException: SocketException { SocketErrorCode: SocketError.AddressNotAvailable } } =>
            new Error("serve.address-unknown", "This machine does not have that address. Name one that it has, or https://0.0.0.0:PORT for all of them."),
        _ => null,
    };
}
