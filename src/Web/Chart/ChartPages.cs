using Mangrove.Clinic.Chart;
using Mangrove.Clinic.Consultation;
using Mangrove.Clinic.Records;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Access;
using Mangrove.Vault.Glass;
using Mangrove.Vault.Identity;
using Mangrove.Web.Glass;
using Mangrove.Web.Session;
using Mangrove.Web.Shell;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Mangrove.Web.Chart;

/// <summary>The chart, as each role reads it, and the addendum to a signed note.</summary>
internal static class ChartPages
{
    public static void Map(IEndpointRouteBuilder app)
    {
        app.MapGet("/patients/{patient:guid}", Show);
        app.MapPost("/patients/{patient:guid}/notes/{note:guid}/addenda", Add);
    }

    private static async Task<IResult> Show(Guid patient, HttpContext http, OpenChart chart, IdentityDesk desk, TimeProvider clock, CancellationToken cancel) =>
        await Page(new PatientId(patient), null, http, chart, desk, clock, cancel);

    private static async Task<IResult> Page(PatientId patient, Error? error, HttpContext http, OpenChart chart, IdentityDesk desk, TimeProvider clock, CancellationToken cancel)
    {
        var actor = http.Actor();
        Result<PatientChart> opened;
        try
        {
            opened = await chart.Run(patient, null, actor, cancel);
        }
        catch (Refused) when (GlassDesk.Breaks(actor))
        {
            return GlassPages.Closed(http, patient);
        }

        if (opened.Error is not null)
        {
            return GlassDesk.Breaks(actor) ? GlassPages.Closed(http, patient) : Refusal.NotFound();
        }

        var open = opened.Value.OpenVisit;
        var home = Stations.For(actor.Role!.Value)[0];
        return Web.Page.Show<ChartPage>(
            new
            {
                Chart = opened.Value,
                Clock = clock,
                Staff = opened.Value.Notes is { Count: > 0 } ? await desk.Staff.Names(cancel) : new Dictionary<StaffId, string>(),
                Back = home.Address,
                BackLabel = home.Label,
                Instead = actor.Role switch
                {
                    Role.LabTech => "Laboratory view",
                    Role.Cashier => "Name and billing only",
                    _ => "Demographics only",
                },
                AgeOnly = actor.Role == Role.LabTech,
                WritesNotes = actor.Writes(Category.Notes),
                Take = actor.Writes(Category.Notes) && open is { Status: not VisitStatus.Consulted } ? $"/patients/{patient}/consultation/{open.Id:N}/take" : null,
                TakeOver = open is { Status: VisitStatus.InConsultation } && open.Doctor != actor.Staff,
                Error = error?.Message,
            },
            error is null ? StatusCodes.Status200OK : StatusCodes.Status422UnprocessableEntity);
    }

    private static async Task<IResult> Add(Guid patient, Guid note, HttpContext http, AddAddendum addendum, OpenChart chart, IdentityDesk desk, TimeProvider clock, CancellationToken cancel)
    {
        var form = await http.Request.ReadFormAsync(cancel);
        var id = new PatientId(patient);
        if (!Guid.TryParseExact(form["id"], "N", out var addendumId))
        {
            return Refusal.NotFound();
        }

        var added = await addendum.Run(id, note, addendumId, form["text"].ToString(), http.Actor(), cancel);
        return added.Error switch
        {
            null => Web.Page.GoTo(http, $"/patients/{id}"),
            { Code: "not-found" } => Refusal.NotFound(),
            { } error => await Page(id, error, http, chart, desk, clock, cancel),
        };
    }
}
