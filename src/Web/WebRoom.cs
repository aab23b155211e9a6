using Mangrove.Vault.Backups;
using Mangrove.Web.Administration;
using Mangrove.Web.Pages;
using Mangrove.Web.Session;
using Mangrove.Web.Shell;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Mangrove.Web;

/// <summary>The web room's public face: pages rendered on the server, their assets, and the rules around every answer.</summary>
public static class WebRoom
{
    /// <summary>
    /// Adds components, antiforgery, settings and the frame of the signed-in person.
    /// </summary>
    public static IServiceCollection AddMangroveWeb(this IServiceCollection services) =>
        services.AddMangroveShell()
            .AddScoped<IShellSource, StaffShell>()
            .AddScoped<Laboratory.SheetPage>()
            .AddScoped<Pharmacy.Counter>()
            .AddSingleton<SessionConnections>()
            .AddSingleton<LogCheck>()
            .AddSingleton<AuditExports>()
            .AddHostedService(provider => provider.GetRequiredService<LogCheck>());

    /// <summary>
    /// Only what surrounds the pages: the caller registers its own <see cref="IShellSource"/>. The gallery of the tests
    /// stands on it, so that every component can be looked at without a hospital behind it.
    /// </summary>
    public static IServiceCollection AddMangroveShell(this IServiceCollection services)
    {
        services.AddHttpContextAccessor();
        services.AddCascadingValue(provider => provider.GetRequiredService<IHttpContextAccessor>().HttpContext);
        services.AddCascadingValue(provider => ScreenSettings.Read(provider.GetRequiredService<IHttpContextAccessor>().HttpContext));
        services.AddCascadingValue(provider => provider.GetService<CopyMark>());
        services.AddAntiforgery(options =>
        {
            options.Cookie.Name = "__Host-mangrove-form";
            options.Cookie.Path = "/";
            options.Cookie.HttpOnly = true;
            options.Cookie.SecurePolicy = CookieSecurePolicy.Always;
            options.Cookie.SameSite = SameSiteMode.Strict;
            options.HeaderName = FormToken.HeaderName;
            options.FormFieldName = FormToken.FieldName;
            options.SuppressXFrameOptionsHeader = true;
        });
        return services;
    }

    /// <summary>
    /// Puts the rules in front of every answer and maps assets, keys, screen settings and the not-found page. Call it
    /// before authentication and before any other endpoint is mapped, so that its rules are the outermost.
    /// </summary>
    /// <param name="app">The application.</param>
    /// <param name="beforeStaff">What else finds an actor, such as the interface of programs.</param>
    public static WebApplication MapMangroveWeb(this WebApplication app, Action<IApplicationBuilder>? beforeStaff = null)
    {
        app.MapMangroveShell();
        beforeStaff?.Invoke(app);
        app.UseMiddleware<StaffSession>();
        if (app.Services.GetService<CopyMark>() is not null)
        {
            app.UseMiddleware<CopyGate>();
        }

        StaffPages.Map(app);
        return app;
    }

    /// <summary>The rules in front of every answer, the assets, the keys and the refusals, without sessions.</summary>
    public static WebApplication MapMangroveShell(this WebApplication app)
    {
        app.UseMiddleware<SecurityHeaders>();
        app.UseMiddleware<AnswerInWords>();
        app.UseRouting();
        app.UseMiddleware<PlainForm>();
        app.UseMiddleware<SameOriginOnly>();

        WebAssets.Map(app);
        app.MapGet("/keys", (HttpContext http, string? back) => Page.Show<KeysPage>(new { Back = LocalPath(back) })).AllowAnonymous();
        app.MapPost("/screen", (Delegate)SaveScreen).AllowAnonymous();
        app.MapFallback(() => Refusal.NotFound()).AllowAnonymous();
        return app;
    }

    private static async Task<IResult> SaveScreen(HttpContext http)
    {
        var form = await http.Request.ReadFormAsync(http.RequestAborted);
        var theme = form["theme"].ToString() switch { "dark" => Theme.Dark, "light" => Theme.Light, _ => Theme.Auto };
        new ScreenSettings(theme, form["dir"] == "rtl", form["letters"] != "off").Write(http);
        return Page.GoTo(http, LocalPath(form["back"]) ?? "/keys");
    }

    /// <summary>An address on this server, or null: a link that leads elsewhere is never followed. Browsers escape what is not plain ASCII, and no header takes it.</summary>
    internal static string? LocalPath(string? path) =>
        path is ['/', ..] && !path.StartsWith("//", StringComparison.Ordinal) && path.All(sign => sign is > ' ' and < '\x7f' and not '\\') ? path : null;
}
