using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Access;
using Mangrove.Vault.Audit;
using Mangrove.Vault.Identity;
using Mangrove.Web.Session;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Mangrove.Web.Administration;

/// <summary>The log for administrators: who looked at a patient, what a person looked at, and whether the chain is whole.</summary>
internal static class AuditPages
{
    // A short log is proven while the person waits; a long one says how far it is.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(4);

    public static void Map(IEndpointRouteBuilder app)
    {
        app.MapGet("/admin/audit", (HttpContext http, [AsParameters] AuditSources sources, CancellationToken cancel) => Show(http, new AuditQuestion(), sources, cancel));
        app.MapPost("/admin/audit", async (HttpContext http, [AsParameters] AuditSources sources, CancellationToken cancel) =>
            await Show(http, await AuditQuestion.Read(http, cancel), sources, cancel));
        app.MapPost("/admin/audit/verify", Verify);
        AuditPaperPages.Map(app);
        AuditExportPages.Map(app);
        app.MapGet("/admin/audit/chain", Chain);
    }

    internal static async Task<IResult> Show(HttpContext http, AuditQuestion question, AuditSources sources, CancellationToken cancel)
    {
        var (review, staff, integrations, _, check, clock) = sources;
        var actor = http.Actor();
        if (!actor.May(Rights.AuditLog))
        {
            // Asking is refused and written down before anything else is read.
            await review.List(actor, new AuditFilter { Most = 1 }, null, cancel);
        }

        var patient = await sources.PatientOf(question.Number, cancel);
        var roster = await staff.Roster(cancel);
        var programs = await integrations.Names(cancel);
        var (filter, errors) = question.Filter(patient, roster, programs, clock);
        IReadOnlyList<AuditEntry> found = errors.Count > 0 ? [] : await review.List(actor, filter, patient?.Mrn, cancel);
        var view = new AuditView(
            question,
            patient?.Mrn,
            [.. found.Take(AuditQuestion.PageSize)],
            found.Count > AuditQuestion.PageSize,
            roster.ToDictionary(one => one.User, StringComparer.Ordinal),
            errors,
            clock.LocalTimeZone,
            programs) { Drawn = [.. found.Take(AuditQuestion.Drawn)], Cut = question.Beyond is null && found.Count > AuditQuestion.Drawn };
        if (Page.IsPiece(http))
        {
            return Page.Show<AuditMore>(new { View = view });
        }

        return Page.Show<AuditPage>(
            new { View = view, Chain = ChainView.Of(review, check) },
            errors.Count > 0 ? StatusCodes.Status422UnprocessableEntity : StatusCodes.Status200OK);
    }

    private static async Task<IResult> Verify(HttpContext http, AuditReview review, Door door, LogCheck check, CancellationToken cancel)
    {
        await door.Record(http.Actor(), Rights.AuditLog, new Request { Action = "VERIFY_AUDIT_LOG", Purpose = Purpose.Administration, Resource = "audit" }, cancel);
        await Task.WhenAny(check.Run(), Task.Delay(Patience, cancel));
        return Page.IsPiece(http)
            ? Page.Show<ChainCard>(new { Chain = ChainView.Of(review, check) })
            : Page.GoTo(http, "/admin/audit");
    }

    private static async Task<IResult> Chain(HttpContext http, AuditReview review, Door door, LogCheck check, CancellationToken cancel)
    {
        if (!http.Actor().May(Rights.AuditLog))
        {
            await door.Record(http.Actor(), Rights.AuditLog, new Request { Action = "VERIFY_AUDIT_LOG", Purpose = Purpose.Administration, Resource = "audit" }, cancel);
        }

        return Page.Show<ChainCard>(new { Chain = ChainView.Of(review, check) });
    }
}

/// <summary>One page of entries and what was asked for.</summary>
/// <param name="Question">As typed.</param>
/// <param name="Number">Hospital number of the patient asked for, or null.</param>
/// <param name="Entries">Newest first.</param>
/// <param name="More">Whether older ones follow.</param>
/// <param name="Staff">The staff by user name.</param>
/// <param name="Errors">What is wrong with the question, by field.</param>
/// <param name="Zone">The hospital's own time.</param>
/// <param name="Programs">Names of the programs of others, by how the log names them.</param>
public sealed record AuditView(
    AuditQuestion Question,
    string? Number,
    IReadOnlyList<AuditEntry> Entries,
    bool More,
    IReadOnlyDictionary<string, Colleague> Staff,
    IReadOnlyDictionary<string, string> Errors,
    TimeZoneInfo Zone,
    IReadOnlyDictionary<string, string>? Programs = null)
{
    /// <summary>What the plots and the lists beside them are made of: more than one page, at most <see cref="AuditQuestion.Drawn"/>.</summary>
    public IReadOnlyList<AuditEntry> Drawn { get; init; } = [];

    /// <summary>Whether there are older ones that are not among <see cref="Drawn"/>.</summary>
    public bool Cut { get; init; }

    public DateTimeOffset Local(AuditEntry entry) => TimeZoneInfo.ConvertTime(entry.Timestamp, Zone);

    public string Who(AuditEntry entry) => Staff.TryGetValue(entry.Actor, out var one) ? one.DisplayName
        : ActWords.SystemActors.TryGetValue(entry.Actor, out var work) ? work
        : Programs?.TryGetValue(entry.Actor, out var program) == true ? program
        : entry.Actor == "unknown" ? "Unknown user" : entry.Actor;

    public static string StaffOf(AuditEntry entry) => entry.StaffId.Length > 0 ? entry.StaffId : entry.Actor == "unknown" ? "no account" : ActWords.IsProgram(entry) ? entry.Actor["service:".Length..] : "server";

    public string RoleOf(AuditEntry entry) => Staff.TryGetValue(entry.Actor, out var one) ? one.Role.Title() : entry.Actor == "unknown" ? "not signed in" : ActWords.IsProgram(entry) ? "integration" : "by itself";

    /// <summary>Nothing: the view names a patient.</summary>
    public override string ToString() => nameof(AuditView);
}

/// <summary>Where the chain stands.</summary>
public sealed record ChainView(LogCheckResult? Last, bool Running, long Passed, Checkpoint? Newest, Checkpoint? Anchored, Error? Failure)
{
    internal static ChainView Of(AuditReview review, LogCheck check) => new(check.Last, check.Running, check.Passed, review.Newest, review.Anchored, review.Failure);
}
