using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Mangrove.Kernel;
using Mangrove.Tests.Acceptance.Look;
using Mangrove.Vault.Identity;
using Mangrove.Web;
using Mangrove.Web.Pages;
using Mangrove.Web.Parts;
using Mangrove.Web.Shell;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Playwright;

[assembly: AssemblyFixture(typeof(LookHost))]

namespace Mangrove.Tests.Acceptance.Look;

/// <summary>The web room alone, over TLS on a loopback port, with sample pages in place of the clinic; and one browser.</summary>
public sealed class LookHost : IAsyncLifetime
{
    private readonly X509Certificate2 certificate = MakeCertificate();
    private WebApplication? app;
    private IPlaywright? playwright;

    private static KnownDevice DeskOfRoom4 { get; } = new("OPD-Room-04-Desk", "Outpatients, room 4", "P. Raghunathan", new DateTimeOffset(2026, 9, 3, 8, 0, 0, TimeSpan.Zero));

    private static SignInHolder Doctor { get; } = new("dr.ahmed", "Dr Yusuf Ahmed", new StaffId(42), Role.Doctor, MustEnrol: false);

    private static LockedSession LockedDoctor { get; } = new()
    {
        Holder = new SessionHolder("dr.ahmed", "Dr Yusuf Ahmed", new StaffId(42), "sess_0123456789abcdef"),
        Role = Role.Doctor,
        Device = "OPD-Room-04-Desk",
        At = new DateTimeOffset(2026, 9, 3, 10, 47, 0, TimeSpan.Zero),
        ByItself = true,
        IdleLock = TimeSpan.FromMinutes(5),
        HasPin = true,
        TriesLeft = 3,
        Ends = new DateTimeOffset(2026, 9, 3, 19, 58, 0, TimeSpan.Zero),
    };

    public string Address { get; private set; } = "";

    public IBrowser Browser { get; private set; } = null!;

    /// <summary>Everything that was logged, to prove what was not.</summary>
    internal ConcurrentQueue<string> Log { get; } = new();

    /// <summary>Bodies of the drafts that arrived.</summary>
    internal ConcurrentQueue<IReadOnlyDictionary<string, string>> Drafts { get; } = new();

    /// <summary>While true, drafts are answered with 503.</summary>
    internal bool DraftsFail { get; set; }

    internal int Locks => locks;

    private int locks;

    /// <summary>Whoever has an event stream open.</summary>
    private readonly ConcurrentDictionary<object, Action<string>> listeners = new();

    internal void Say(string topic)
    {
        foreach (var listener in listeners.Values)
        {
            listener(topic);
        }
    }

    public async ValueTask InitializeAsync()
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = "Production" });
        builder.Logging.ClearProviders().AddProvider(new Memory(Log));
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(certificate));
        });
        builder.Services.AddMangroveShell();
        builder.Services.AddSingleton<IShellSource, SampleShell>();
        app = builder.Build();
        app.MapMangroveShell();
        Map(app);
        await app.StartAsync();
        Address = app.Urls.Single();

        // Two browsers, a server and its cryptography share a small machine with whatever else runs there.
        Assertions.SetDefaultExpectTimeout(20_000);
        playwright = await Playwright.CreateAsync();
        playwright.Selectors.SetTestIdAttribute("data-test");
        Browser = await playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions
        {
            ExecutablePath = Environment.GetEnvironmentVariable("MANGROVE_BROWSER") ?? "/usr/bin/chromium",
            Args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
        });
    }

    public async ValueTask DisposeAsync()
    {
        if (Browser is not null)
        {
            await Browser.CloseAsync();
        }

        playwright?.Dispose();
        if (app is not null)
        {
            await app.StopAsync();
            await app.DisposeAsync();
        }

        certificate.Dispose();
    }

    /// <summary>A client that speaks as a page of ours would, unless a test says otherwise.</summary>
    public HttpClient Client(bool asBrowser = true)
    {
        var client = new HttpClient(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = true,
            SslOptions = new()
            {
                CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, CustomTrustStore = { certificate }, RevocationMode = X509RevocationMode.NoCheck },
            },
        })
        {
            BaseAddress = new Uri(Address),
        };
        if (asBrowser)
        {
            client.DefaultRequestHeaders.Add("Sec-Fetch-Site", "same-origin");
        }

        return client;
    }

    private void Map(WebApplication app)
    {
        app.MapGet("/", () => Results.LocalRedirect("/look/components"));
        app.MapGet("/look/components", () => Page.Show<ComponentsPage>());
        app.MapGet("/look/triage", () => Page.Show<TriagePage>());
        app.MapGet("/look/rows", () => Page.Show<TriageRows>());
        app.MapGet("/look/consultation", () => Page.Show<ConsultationPage>());
        app.MapGet("/look/trust", () => Page.Show<TrustPage>());
        app.MapPost("/look/sign", (HttpContext http) => Page.GoTo(http, "/look/triage"));
        app.MapPost("/look/diagnoses", async (HttpContext http) =>
        {
            var query = (await http.Request.ReadFormAsync())["q"].ToString();
            return Page.Show<PickList>(new
            {
                Id = "dxl",
                Label = "Diagnoses",
                Query = query,
                Choose = "/look/chosen",
                Target = "#chosen",
                Choices = (IReadOnlyList<Pick>)[.. new Pick[]
                {
                    new("J18.9", "Pneumonia, unspecified organism", "used here 41×"), new("J18.1", "Lobar pneumonia, unspecified organism"),
                    new("J13", "Pneumonia due to Streptococcus pneumoniae"), new("I10", "<img src=x onerror=alert(1)> hypertension"),
                }.Where(p => p.Text.Contains(query, StringComparison.OrdinalIgnoreCase))],
            });
        });
        app.MapPost("/look/chosen", async (HttpContext http) =>
        {
            return Page.Show<Chip>(new { Tone = (await http.Request.ReadFormAsync())["code"] == "J18.1" ? "brand" : null });
        });
        app.MapPost("/find/palette", async (HttpContext http) =>
        {
            return Page.Show<Found>(new { Query = (await http.Request.ReadFormAsync())["q"].ToString() });
        });
        app.MapGet("/sign-in", () => Page.Show<SignInPage>(new { Hospital = "Kisiwa Bay Hospital", Device = DeskOfRoom4 }));
        app.MapGet("/locked", (string? with) => Page.Show<LockedPage>(new { Session = LockedDoctor, Initials = "YA", Device = "OPD-Room-04-Desk", WithPassword = with == "password" }));
        app.MapGet("/look/code", () => Page.Show<SecondStepPage>(new { Hospital = "Kisiwa Bay Hospital", Holder = Doctor, Device = DeskOfRoom4 }));
        app.MapGet("/look/phone", () => Page.Show<PhonePage>(new { Hospital = "Kisiwa Bay Hospital", Holder = Doctor with { MustEnrol = true }, Enrolment = new Enrolment("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", "otpauth://totp/Kisiwa%20Bay%20Hospital:dr.ahmed?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Kisiwa%20Bay%20Hospital&algorithm=SHA1&digits=6&period=30") }));
        app.MapPost("/lock", () =>
        {
            Interlocked.Increment(ref locks);
            return Results.LocalRedirect("/locked");
        });
        app.MapGet("/look/forbidden", () => Results.StatusCode(StatusCodes.Status403Forbidden));
        app.MapGet("/look/hidden", () => Refusal.NotFound());
        app.MapGet("/look/broken", string () => throw new InvalidOperationException("MARKER-8127 Amina Hassan"));
        app.MapGet("/look/broken-late", () => Page.Show<Icon>(new { Name = "no-such-icon" }));
        app.MapGet("/look/refused", string () => throw new RefusedInput("look.refused", "Choose another day."));
        app.MapPost("/look/token-only", () => Results.NoContent()).DisableAntiforgery();
        app.MapPost("/drafts/look", async (HttpContext http) =>
        {
            var form = await http.Request.ReadFormAsync();
            if (DraftsFail)
            {
                return Results.StatusCode(StatusCodes.Status503ServiceUnavailable);
            }

            Drafts.Enqueue(form.ToDictionary(f => f.Key, f => f.Value.ToString(), StringComparer.Ordinal));
            return Results.Json(new { saved = "10:43:11" });
        });
        app.MapGet("/events", async (HttpContext http) =>
        {
            http.Response.ContentType = "text/event-stream";
            var topics = System.Threading.Channels.Channel.CreateUnbounded<string>();
            listeners[topics] = topic => topics.Writer.TryWrite(topic);
            try
            {
                await http.Response.WriteAsync(": hello\n\n", http.RequestAborted);
                await http.Response.Body.FlushAsync(http.RequestAborted);
                await foreach (var topic in topics.Reader.ReadAllAsync(http.RequestAborted))
                {
                    await http.Response.WriteAsync($"data: {topic}\n\n", http.RequestAborted);
                    await http.Response.Body.FlushAsync(http.RequestAborted);
                }
            }
            finally
            {
                listeners.TryRemove(topics, out _);
            }
        });
    }

    private static X509Certificate2 MakeCertificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=look", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        var now = TimeProvider.System.GetUtcNow();
        using var made = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        return X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pfx), null);
    }

    private sealed class SampleShell : IShellSource
    {
        public ValueTask<ShellModel> Read(HttpContext http, CancellationToken cancel)
        {
            var role = http.Request.Path.Value switch { "/look/trust" => Role.Admin, "/look/consultation" => Role.Doctor, _ => Role.Nurse };
            var stations = Stations.For(role).Select((s, n) => n switch { 0 => s with { Count = 3, Address = http.Request.Path }, 2 when role == Role.Doctor => s with { Count = 1, Urgent = true }, _ => s }).ToList();
            var idle = int.TryParse(http.Request.Query["idle"], out var seconds) ? seconds : 300;
            return ValueTask.FromResult(new ShellModel("H. Abdi", new StaffId(117), role, "Triage-Desk-01", "Kisiwa Bay Hospital", new DateTime(2026, 11, 23, 9, 26, 0, DateTimeKind.Unspecified), stations, idle));
        }
    }

    private sealed class Memory(ConcurrentQueue<string> lines) : ILoggerProvider, ILogger
    {
        public ILogger CreateLogger(string categoryName) => this;

        public void Dispose()
        {
        }

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            lines.Enqueue($"{logLevel} {formatter(state, exception)} {exception}");
    }
}
