using Mangrove.Clinic.Consultation;
using Mangrove.Kernel;
using Mangrove.Vault.Identity;
using Mangrove.Web.Session;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Mangrove.Web.Consultation;

/// <summary>
/// Acts on the record from within a consultation: problems, medicines, allergies. Each first keeps what is being
/// written, does its own, and opens the page anew.
/// </summary>
internal static class ConsultationActs
{
    public static void Map(IEndpointRouteBuilder app, string place)
    {
        app.MapPost(place + "/problems", (Guid patient, Guid visit, HttpContext http, AddProblem add, ConsultationDraft draft, CancellationToken cancel) =>
            Do(patient, visit, http, draft, async (id, form, actor) => (await add.Run(id, form["code"].ToString(), null, actor, cancel)).Error, cancel));
        app.MapPost(place + "/problems/{problem:guid}/resolve", (Guid patient, Guid visit, Guid problem, HttpContext http, ResolveProblem resolve, ConsultationDraft draft, CancellationToken cancel) =>
            Do(patient, visit, http, draft, async (id, _, actor) => (await resolve.Run(id, problem, actor, cancel)).Error, cancel));
        app.MapPost(place + "/medicines/{line:guid}/stop", (Guid patient, Guid visit, Guid line, HttpContext http, StopMedicine stop, ConsultationDraft draft, CancellationToken cancel) =>
            Do(patient, visit, http, draft, async (id, _, actor) => (await stop.Run(id, line, actor, cancel)).Error, cancel));
        app.MapPost(place + "/allergies/none", (Guid patient, Guid visit, HttpContext http, RecordNoAllergies none, ConsultationDraft draft, CancellationToken cancel) =>
            Do(patient, visit, http, draft, async (id, _, actor) => (await none.Run(id, actor, cancel)).Error, cancel));
        app.MapPost(place + "/allergies/{allergy:guid}/withdraw", (Guid patient, Guid visit, Guid allergy, HttpContext http, WithdrawAllergy withdraw, ConsultationDraft draft, CancellationToken cancel) =>
            Do(patient, visit, http, draft, async (id, _, actor) => (await withdraw.Run(id, allergy, actor, cancel)).Error, cancel));
        app.MapPost(place + "/allergies", Allergy);
    }

    private static async Task<IResult> Allergy(Guid patient, Guid visit, HttpContext http, RecordAllergy record, ConsultationDraft draft, CancellationToken cancel)
    {
        var id = new PatientId(patient);
        var posted = await http.Request.ReadFormAsync(cancel);
        if (await ConsultationPages.Keep(patient, visit, ConsultationFields.Read(posted), http, draft, cancel) is { } refused)
        {
            return refused;
        }

        var (substance, code) = (posted["allergy-substance"].ToString(), posted["allergy-code"].ToString());
        var severity = posted["allergy-severity"].ToString();
        var done = await record.Run(
            id,
            new RecordAllergy.Form(substance, code.Length == 0 ? null : code, posted["allergy-reaction"].ToString(), severity.Length == 0 ? null : severity),
            http.Actor(),
            cancel);
        return done.Error switch
        {
            null => Page.GoTo(http, ConsultationModel.Base(id, visit)),
            { Code: "not-found" } => Refusal.NotFound(),
            { } error => Page.Again<AllergyForm>(new { Address = ConsultationModel.Base(id, visit), Chosen = substance, Code = code, Error = error.Message }),
        };
    }

    private static async Task<IResult> Do(
        Guid patient, Guid visit, HttpContext http, ConsultationDraft draft, Func<PatientId, IFormCollection, Actor, Task<Error?>> act, CancellationToken cancel)
    {
        var id = new PatientId(patient);
        var posted = await http.Request.ReadFormAsync(cancel);
        if (await ConsultationPages.Keep(patient, visit, ConsultationFields.Read(posted), http, draft, cancel) is { } refused)
        {
            return refused;
        }

        return await act(id, posted, http.Actor()) switch
        {
            null => Page.GoTo(http, ConsultationModel.Base(id, visit)),
            { Code: "not-found" } => Refusal.NotFound(),
            { } error => Refusal.Say(StatusCodes.Status409Conflict, error.Code, error.Message),
        };
    }
}
