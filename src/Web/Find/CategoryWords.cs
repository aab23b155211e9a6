using Mangrove.Vault.Access;

namespace Mangrove.Web.Find;

/// <summary>The categories of fields in the words of the hospital.</summary>
internal static class CategoryWords
{
    public static string InWords(this Category category) => category switch
    {
        Category.BirthAndSex => "birth and sex",
        Category.BodyMeasures => "weight and height",
        Category.LabOrders => "laboratory orders",
        Category.LabResults => "laboratory results",
        Category.Encounters => "earlier encounters",
        Category.OtherObservations => "other observations",
        Category.Medicines => "medicines in use",
        Category.Notes => "clinical notes",
        _ => category.ToString().ToLowerInvariant(),
    };
}
