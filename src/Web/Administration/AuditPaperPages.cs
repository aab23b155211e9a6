using Mangrove.Vault.Access;
using Mangrove.Vault.Audit;
using Mangrove.Vault.Identity;
using Mangrove.Web.Session;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Mangrove.Web.Administration;

/// <summary>The log on paper: its root, to be kept where no server reaches it, and for a patient who was given what of the record.</summary>
internal static class AuditPaperPages
{
    /// <summary>45 CFR 164.528 (a)(1): six years before the date of the request.</summary>
    private const int Years = 6;

    /// <summary>Lines of one accounting. Who has more asks for a part of the six years by the list instead.</summary>
    private const int Most = 5_000;

    public static void Map(IEndpointRouteBuilder app)
    {
        app.MapGet("/admin/audit/root", Root);
        app.MapPost("/admin/audit/disclosures", Disclosures);
    }

    private static async Task<IResult> Root(HttpContext http, AuditReview review, IdentityDesk desk, TimeProvider clock, CancellationToken cancel)
    {
        var (note, checkpoint) = await review.PrintRoot(http.Actor(), cancel);
        return Page.Show<RootPage>(new { Note = note, Checkpoint = checkpoint, Key = review.PublicKey, desk.Hospital, By = http.Actor().DisplayName, Zone = clock.LocalTimeZone, At = clock.GetUtcNow() });
    }

    private static async Task<IResult> Disclosures(HttpContext http, [AsParameters] AuditSources sources, IdentityDesk desk, CancellationToken cancel)
    {
        var (review, staff, integrations, _, _, clock) = sources;
        var actor = http.Actor();
        var question = await AuditQuestion.Read(http, cancel);
        var patient = actor.May(Rights.AuditLog) ? await sources.PatientOf(question.Number, cancel) : null;
        if (patient is not { } known)
        {
            // Without a patient there is no accounting: the page says what is wrong with the number, and refuses whoever may not ask.
            return question.Number.Length > 0 || !actor.May(Rights.AuditLog)
                ? await AuditPages.Show(http, question, sources, cancel)
                : Refusal.Say(StatusCodes.Status422UnprocessableEntity, "audit.patient-needed", "An accounting is for one patient. Go back and type the patient number first.");
        }

        var now = clock.GetUtcNow();
        var since = now.AddYears(-Years);
        var found = await review.Disclosures(actor, known, since, Most + 1, cancel);
        var roster = await staff.Roster(cancel);
        var view = new AuditView(
            question,
            known.Mrn,
            [.. found.TakeLast(Most)],
            found.Count > Most,
            roster.ToDictionary(one => one.User, StringComparer.Ordinal),
            new Dictionary<string, string>(StringComparer.Ordinal),
            clock.LocalTimeZone,
            await integrations.Names(cancel));
        return Page.Show<DisclosuresPage>(new { View = view, desk.Hospital, By = actor.DisplayName, Since = since, At = now });
    }
}
