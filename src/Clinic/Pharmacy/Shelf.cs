using Mangrove.Clinic.Records;
using Mangrove.Clinic.Terminology;

namespace Mangrove.Clinic.Pharmacy;

/// <summary>
/// How a prescribed line finds its product on the shelf, and how much of it the course needs. Stock is counted in what is
/// handed over: one tablet, one suppository, one bottle, one tube; so is the price.
/// </summary>
public static class Shelf
{
    private static readonly string[] CountedForms = ["tablet", "capsule", "suppository", "pessary", "patch", "sachet", "implant", "lozenge"];

    /// <summary>How a batch names its product: <c>500 mg tablet</c>.</summary>
    public static string NameOf(MedicineProduct product) => $"{product.Strength} {product.Form}";

    /// <summary>The product of a line; null when the hospital's list does not have it (any more).</summary>
    public static (Medicine Medicine, MedicineProduct Product)? ProductOf(PrescriptionLine line) =>
        line.MedicineCode is { } code && MedicineCatalogue.Load().Find(code) is { } medicine
        && medicine.Products.FirstOrDefault(product => product.Strength == line.Strength && product.Form == line.Form) is { } found
            ? (medicine, found)
            : null;

    /// <summary>The product of a batch.</summary>
    public static (Medicine Medicine, MedicineProduct Product)? ProductOf(string medicineCode, string product) =>
        MedicineCatalogue.Load().Find(medicineCode) is { } medicine && medicine.Products.FirstOrDefault(one => NameOf(one) == product) is { } found
            ? (medicine, found)
            : null;

    /// <summary>
    /// Units that the whole course takes, where they can be counted; null for bottles, tubes and inhalers (the course is
    /// in millilitres or puffs) and for medicines without an end, where the pharmacist decides.
    /// </summary>
    public static decimal? Needed(PrescriptionLine line, MedicineProduct product) =>
        IsCounted(product) && line.DoseUnit is { } unit && CountedForms.Contains(unit.ToLowerInvariant(), StringComparer.Ordinal) ? line.Quantity : null;

    /// <summary>Whether single pieces are handed over; else whole packs.</summary>
    public static bool IsCounted(MedicineProduct product) => CountedForms.Any(form => product.Form.EndsWith(form, StringComparison.OrdinalIgnoreCase));

    /// <summary>The unit in words: <c>tablets</c>, <c>packs</c>.</summary>
    public static string Units(MedicineProduct product, decimal quantity)
    {
        var one = CountedForms.FirstOrDefault(form => product.Form.EndsWith(form, StringComparison.OrdinalIgnoreCase)) ?? "pack";
        return quantity == 1 ? one : one switch { "suppository" => "suppositories", "pessary" => "pessaries", "patch" => "patches", _ => one + "s" };
    }

    /// <summary>The last day on which the course is taken, when it begins today.</summary>
    public static DateOnly LastDay(PrescriptionLine line, DateOnly today) => line.Days is { } days and > 0 ? today.AddDays(days - 1) : today;
}
