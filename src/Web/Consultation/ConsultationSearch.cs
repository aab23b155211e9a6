using Mangrove.Clinic.Terminology;
using Mangrove.Kernel;
using Mangrove.Vault.Access;
using Mangrove.Web.Parts;
using Mangrove.Web.Session;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Mangrove.Web.Consultation;

/// <summary>The lists behind the fields of a consultation. They hold no patient data, and are for those who prescribe.</summary>
internal static class ConsultationSearch
{
    private const int Most = 8;
    private const int LongestQuery = 100;
    private const string Panel = "panel:";

    public static void Map(IEndpointRouteBuilder app, string place)
    {
        app.MapPost(place + "/search/{what}", Search);
        app.MapPost(place + "/form/allergy", ChooseAllergy);
    }

    /// <summary>The tests behind a choice: one, or those of a panel.</summary>
    public static IEnumerable<LaboratoryTest> Tests(string code) => code.StartsWith(Panel, StringComparison.Ordinal)
        ? LaboratoryCatalogue.Load().Panel(code[Panel.Length..])?.Tests ?? []
        : LaboratoryCatalogue.Load().Find(code) is { } test ? [test] : [];

    private static async Task<IResult> Search(Guid patient, Guid visit, string what, HttpContext http, DiagnosisList diagnoses, CancellationToken cancel)
    {
        if (!http.Actor().Writes(Category.Prescriptions))
        {
            return Refusal.NotFound();
        }

        var form = await http.Request.ReadFormAsync(cancel);
        var address = ConsultationModel.Base(new PatientId(patient), visit);
        var (field, label, choose, target, swap) = what switch
        {
            "diagnosis" => ("dx-q", "Diagnoses", "/form/diagnoses", "#dx", "outerHTML"),
            "problem" => ("problem-q", "Problems", "/problems", "#known", "none"),
            "medicine" => ("rx-q", "Medicines", "/form/prescription", "#rx", "outerHTML"),
            "test" => ("lab-q", "Tests and panels", "/form/orders", "#orders", "outerHTML"),
            "allergy" => ("allergy-q", "Substances", "/form/allergy", "#allergy-form", "innerHTML"),
            _ => ("", "", "", "", ""),
        };
        if (field.Length == 0)
        {
            return Refusal.NotFound();
        }

        var query = form[field].ToString().Trim();
        if (query.Length is 0 or > LongestQuery)
        {
            return Results.Content("", "text/html");
        }

        return Page.Show<PickList>(new
        {
            Id = $"{what}-list",
            Label = label,
            Choices = Choices(what, query, diagnoses),
            Query = query,
            Choose = address + choose,
            Target = target,
            Swap = swap,
        });
    }

    private static async Task<IResult> ChooseAllergy(Guid patient, Guid visit, HttpContext http, CancellationToken cancel)
    {
        if (!http.Actor().Writes(Category.Allergies))
        {
            return Refusal.NotFound();
        }

        var form = await http.Request.ReadFormAsync(cancel);
        var code = form["code"].ToString();
        var chosen = MedicineCatalogue.Load().Find(code)?.DisplayName ?? AllergySubstances.Load().Find(code)?.Name;
        return Page.Show<AllergyForm>(new { Address = ConsultationModel.Base(new PatientId(patient), visit), Chosen = chosen, Code = chosen is null ? null : code });
    }

    private static IReadOnlyList<Pick> Choices(string what, string query, DiagnosisList diagnoses) => what switch
    {
        "medicine" => [.. MedicineCatalogue.Load().Search(query, Most).SelectMany(medicine => medicine.Products.Select(product =>
            new Pick(product.PriceCode, DrugLine.Product(medicine, product), medicine.HighAlert ? "high alert" : medicine.Controlled ? "controlled" : null))).Take(Most * 2)],
        "test" =>
        [
            .. LaboratoryCatalogue.Load().Panels
                .Where(panel => panel.Name.Contains(query, StringComparison.OrdinalIgnoreCase) || panel.ShortName.Contains(query, StringComparison.OrdinalIgnoreCase) || panel.Code.Equals(query, StringComparison.OrdinalIgnoreCase))
                .Take(3)
                .Select(panel => new Pick(Panel + panel.Code, panel.Name, FormattableString.Invariant($"panel of {panel.Tests.Count}"))),
            .. LaboratoryCatalogue.Load().Search(query, Most).Select(test => new Pick(test.Code, test.Name, test.Specimen)),
        ],
        "allergy" =>
        [
            .. AllergySubstances.Load().Search(query, 5).Select(substance => new Pick(substance.Code, substance.Name, substance.Category)),
            .. MedicineCatalogue.Load().Search(query, 5).Select(medicine => new Pick(medicine.Code, medicine.DisplayName, "medicine")),
        ],
        _ => [.. diagnoses.Current.Search(query, Most).Select(code => new Pick(code.Code, code.Name))],
    };
}
