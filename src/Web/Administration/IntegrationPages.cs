using System.Globalization;
using Mangrove.Kernel;
using Mangrove.Vault.Access;
using Mangrove.Vault.Audit;
using Mangrove.Vault.Clients;
using Mangrove.Vault.Identity;
using Mangrove.Vault.Integrations;
using Mangrove.Web.Session;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Mangrove.Web.Administration;

/// <summary>Programs of others that may read here: registered, agreed, approved by two, stopped and ended by administrators.</summary>
internal static class IntegrationPages
{
    private const string Home = "/admin/integrations";
    private const string One = Home + "/{client}";
    private const int LatelyShown = 8;

    private static readonly string[] DateForms = ["dd-MMM-yyyy", "d-MMM-yyyy", "dd MMM yyyy", "d MMM yyyy", "yyyy-MM-dd"];

    public static void Map(IEndpointRouteBuilder app)
    {
        app.MapGet(Home, (HttpContext http, IntegrationDirectory directory, PolicySettings policy, TimeProvider clock, string? done, CancellationToken cancel) =>
            Show(http, directory, policy, clock, new IntegrationForm(), null, null, done, cancel));
        app.MapPost(Home, Register);
        app.MapPost("/admin/policy", ChangePolicy);
        app.MapGet(One, (HttpContext http, string client, IntegrationDirectory directory, AuditReview review, StaffDirectory staff, TimeProvider clock, string? done, CancellationToken cancel) =>
            Show(http, client, directory, review, staff, clock, new AgreementForm(), null, done, cancel));
        app.MapPost(One + "/agreement", FileAgreement);
        app.MapPost(One + "/approve", async (HttpContext http, string client, IntegrationDirectory directory, AuditReview review, StaffDirectory staff, TimeProvider clock, CancellationToken cancel) =>
        {
            // Nobody approves another agreement than the page showed: it says which one that was.
            var shown = (await http.Request.ReadFormAsync(cancel))["filing"].ToString();
            var filing = int.TryParse(shown, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : -1;
            return await Change(http, client, directory, review, staff, clock, () => directory.Approve(http.Actor(), client, filing, cancel), "approved", cancel);
        });
        app.MapPost(One + "/suspend", (HttpContext http, string client, IntegrationDirectory directory, AuditReview review, StaffDirectory staff, TimeProvider clock, CancellationToken cancel) =>
            Change(http, client, directory, review, staff, clock, () => directory.Suspend(http.Actor(), client, cancel), "suspended", cancel));
        app.MapPost(One + "/resume", (HttpContext http, string client, IntegrationDirectory directory, AuditReview review, StaffDirectory staff, TimeProvider clock, CancellationToken cancel) =>
            Change(http, client, directory, review, staff, clock, () => directory.Resume(http.Actor(), client, cancel), "resumed", cancel));
        app.MapPost(One + "/tokens", (HttpContext http, string client, IntegrationDirectory directory, AuditReview review, StaffDirectory staff, TimeProvider clock, CancellationToken cancel) =>
            Change(http, client, directory, review, staff, clock, () => directory.EndTokens(http.Actor(), client, cancel), "tokens", cancel));
        app.MapPost(One + "/revoke", Revoke);
    }

    /// <summary>The page of one program with what went wrong at its certificates.</summary>
    public static Task<IResult> ShowWith(HttpContext http, string client, CertificateForm typed, Error error, CancellationToken cancel)
    {
        var services = http.RequestServices;
        return Show(
            http,
            client,
            services.GetRequiredService<IntegrationDirectory>(),
            services.GetRequiredService<AuditReview>(),
            services.GetRequiredService<StaffDirectory>(),
            services.GetRequiredService<TimeProvider>(),
            new AgreementForm(),
            error,
            null,
            cancel,
            typed);
    }

    private static async Task<IResult> Register(HttpContext http, IntegrationDirectory directory, PolicySettings policy, TimeProvider clock, CancellationToken cancel)
    {
        var form = await http.Request.ReadFormAsync(cancel);
        var typed = new IntegrationForm(
            form["client"].ToString().Trim(),
            form["name"].ToString().Trim(),
            form["purpose"].ToString(),
            form["key"].ToString().Trim(),
            [.. form["scope"].OfType<string>()]);
        var purpose = Enum.TryParse<Purpose>(typed.Purpose, out var parsed) ? parsed : default;
        var made = await directory.Register(http.Actor(), new NewIntegration(typed.Client, typed.Name, purpose, typed.Key, string.Join(' ', typed.Scopes)), cancel);
        return made.Error is { } error
            ? await Show(http, directory, policy, clock, typed, error, null, null, cancel)
            : Page.GoTo(http, $"{Home}/{made.Value.Client}?done=registered");
    }

    private static async Task<IResult> ChangePolicy(HttpContext http, IntegrationDirectory directory, PolicySettings policy, TimeProvider clock, CancellationToken cancel)
    {
        var form = await http.Request.ReadFormAsync(cancel);
        var changed = await policy.Change(http.Actor(), form["setting"].ToString(), form["years"].ToString().Trim(), cancel);
        return changed.Error is { } error
            ? await Show(http, directory, policy, clock, new IntegrationForm(), null, error, null, cancel)
            : Page.GoTo(http, $"{Home}?done=policy");
    }

    private static async Task<IResult> FileAgreement(HttpContext http, string client, IntegrationDirectory directory, AuditReview review, StaffDirectory staff, TimeProvider clock, CancellationToken cancel)
    {
        var form = await http.Request.ReadFormAsync(cancel);
        var typed = new AgreementForm(form["hash"].ToString().Trim(), form["signer"].ToString().Trim(), form["expires"].ToString().Trim());

        // A day that is none is refused like one that has passed, by the same sentence.
        var expires = DateOnly.TryParseExact(typed.Expires, DateForms, CultureInfo.InvariantCulture, DateTimeStyles.None, out var day) ? day : DateOnly.MinValue;
        var filed = await directory.FileAgreement(http.Actor(), client, new NewAgreement(typed.Hash, typed.Signer, expires), cancel);
        return filed.Error is { } error
            ? await Show(http, client, directory, review, staff, clock, typed, error, null, cancel)
            : Page.GoTo(http, $"{Home}/{filed.Value.Client}?done=filed");
    }

    private static async Task<IResult> Revoke(HttpContext http, string client, IntegrationDirectory directory, AuditReview review, StaffDirectory staff, TimeProvider clock, CancellationToken cancel)
    {
        // Ending cannot be taken back: the client id is typed again, so that a slip of the hand ends nothing.
        var typed = (await http.Request.ReadFormAsync(cancel))["confirm"].ToString().Trim();
        return typed == client
            ? await Change(http, client, directory, review, staff, clock, () => directory.Revoke(http.Actor(), client, cancel), "revoked", cancel)
            : await Show(http, client, directory, review, staff, clock, new AgreementForm(), new Error("integration.confirm", "Nothing was ended. Type the client id of this page to end the integration."), null, cancel);
    }

    private static async Task<IResult> Change(
        HttpContext http,
        string client,
        IntegrationDirectory directory,
        AuditReview review,
        StaffDirectory staff,
        TimeProvider clock,
        Func<Task<Result<Integration>>> act,
        string done,
        CancellationToken cancel) => (await act()).Error is { } error
        ? await Show(http, client, directory, review, staff, clock, new AgreementForm(), error, null, cancel)
        : Page.GoTo(http, $"{Home}/{client}?done={done}");

    private static async Task<IResult> Show(
        HttpContext http,
        IntegrationDirectory directory,
        PolicySettings policy,
        TimeProvider clock,
        IntegrationForm typed,
        Error? error,
        Error? policyError,
        string? done,
        CancellationToken cancel) => Page.Show<IntegrationsPage>(
        new
        {
            All = await directory.List(http.Actor(), cancel),
            Policy = await policy.Read(http.Actor(), cancel),
            Typed = typed,
            Error = error,
            PolicyError = policyError,
            Done = done == "policy" ? "The period is longer now. It cannot be made shorter again." : null,
            Now = clock.GetLocalNow(),
        },
        error is null && policyError is null ? StatusCodes.Status200OK : StatusCodes.Status422UnprocessableEntity);

    private static async Task<IResult> Show(
        HttpContext http,
        string client,
        IntegrationDirectory directory,
        AuditReview review,
        StaffDirectory staff,
        TimeProvider clock,
        AgreementForm typed,
        Error? error,
        string? done,
        CancellationToken cancel,
        CertificateForm? asked = null)
    {
        if ((await directory.List(http.Actor(), cancel)).FirstOrDefault(one => one.Client == client) is not { } integration)
        {
            return Refusal.NotFound();
        }

        var entries = await review.List(http.Actor(), new AuditFilter { Actor = IntegrationWords.Actor(integration), Most = LatelyShown }, null, cancel);
        var roster = await staff.Roster(cancel);
        return Page.Show<IntegrationPage>(
            new
            {
                One = integration,
                Lately = new AuditView(
                    new AuditQuestion(),
                    null,
                    entries,
                    entries.Count == LatelyShown,
                    roster.ToDictionary(one => one.User, StringComparer.Ordinal),
                    new Dictionary<string, string>(StringComparer.Ordinal),
                    clock.LocalTimeZone),
                Names = roster.ToDictionary(one => one.Staff, one => one.DisplayName),
                Me = http.Actor().Staff,
                Server = $"{http.Request.Scheme}://{http.Request.Host}",
                Certificates = await http.RequestServices.GetRequiredService<ClientCertificates>().List(http.Actor(), ClientKind.Program, integration.Client, cancel),
                Asked = asked ?? new CertificateForm(),
                Typed = typed,
                Error = error,
                Done = IntegrationWords.Done(done) ?? CertificatePages.Done(done),
                Now = clock.GetLocalNow(),
            },
            error is null ? StatusCodes.Status200OK : StatusCodes.Status422UnprocessableEntity);
    }
}

/// <summary>A new integration as typed.</summary>
public sealed record IntegrationForm(string Client, string Name, string Purpose, string Key, IReadOnlyList<string> Scopes)
{
    public IntegrationForm()
        : this(string.Empty, string.Empty, string.Empty, string.Empty, [])
    {
    }
}

/// <summary>An agreement as typed.</summary>
public sealed record AgreementForm(string Hash = "", string Signer = "", string Expires = "");
