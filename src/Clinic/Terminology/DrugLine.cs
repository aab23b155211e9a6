using System.Globalization;

namespace Mangrove.Clinic.Terminology;

/// <summary>
/// How doses and medicines are written: no zero behind the figure (5 mg, never 5.0 mg), a zero before the point
/// (0.5 mg, never .5 mg), a space before the unit, a comma from 1,000, no abbreviations.
/// </summary>
public static class DrugLine
{
    public static string Number(decimal value) => value.ToString("#,##0.######", CultureInfo.InvariantCulture);

    /// <summary>The percent sign too keeps its space: <c>0.9 %</c>.</summary>
    public static string Dose(decimal value, string unit) => unit.Length == 0 ? Number(value) : $"{Number(value)} {Unit(unit)}";

    /// <summary><c>clarithromycin 500 mg tablet</c>.</summary>
    public static string Product(Medicine medicine, MedicineProduct product) => $"{medicine.DisplayName} {product.Strength} {product.Form}";

    /// <summary>The whole line: <c>clarithromycin 500 mg tablet 1 tablet twice daily by mouth for 5 days</c>.</summary>
    public static string Full(Medicine medicine, MedicineProduct product, Sig sig) => $"{Product(medicine, product)} {sig.Text}";

    // Handwriting and small print turn these into something else: µg into mg, IU into IV, cc into 00.
    private static string Unit(string unit) => unit switch
    {
        "µg" or "ug" or "μg" => "mcg",
        "U" or "u" => "units",
        "cc" => "mL",
        "ml" => "mL",
        _ => unit,
    };
}
