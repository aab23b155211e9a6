using Mangrove.Clinic.Consultation;
using Mangrove.Kernel;
using Mangrove.Web.Session;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Mangrove.Web.Consultation;

/// <summary>Results that wait for the doctor who ordered them.</summary>
internal static class ResultPages
{
    public static void Map(IEndpointRouteBuilder app)
    {
        app.MapGet("/results", (HttpContext http, ResultsToSign results, TimeProvider clock, CancellationToken cancel) => Show<ResultsPage>(http, results, false, false, clock, cancel));
        app.MapGet("/results/rows", (HttpContext http, ResultsToSign results, TimeProvider clock, CancellationToken cancel) => Show<ResultsList>(http, results, false, true, clock, cancel));
        app.MapGet("/results/critical", (HttpContext http, ResultsToSign results, TimeProvider clock, CancellationToken cancel) => Show<ResultsPage>(http, results, true, false, clock, cancel));
        app.MapGet("/results/critical/rows", (HttpContext http, ResultsToSign results, TimeProvider clock, CancellationToken cancel) => Show<ResultsList>(http, results, true, true, clock, cancel));
        app.MapPost("/patients/{patient:guid}/results/acknowledge", Acknowledge);
    }

    private static async Task<IResult> Show<T>(HttpContext http, ResultsToSign results, bool criticalOnly, bool refresh, TimeProvider clock, CancellationToken cancel)
        where T : Microsoft.AspNetCore.Components.IComponent =>
        Page.Show<T>(new { List = await results.Run(http.Actor(), criticalOnly, refresh, cancel), CriticalOnly = criticalOnly, Clock = clock });

    private static async Task<IResult> Acknowledge(Guid patient, HttpContext http, AcknowledgeResults acknowledge, CancellationToken cancel)
    {
        var form = await http.Request.ReadFormAsync(cancel);
        var orders = form["order"].Select(text => Guid.TryParseExact(text, "N", out var id) ? id : Guid.Empty).Distinct().ToArray();
        var signed = await acknowledge.Run(new PatientId(patient), orders, http.Actor(), cancel);
        return signed.Error switch
        {
            null => Page.GoTo(http, form["back"] == "critical" ? "/results/critical" : "/results"),
            { Code: "not-found" } => Refusal.NotFound(),
            { } error => Refusal.Say(StatusCodes.Status409Conflict, error.Code, error.Message),
        };
    }
}
