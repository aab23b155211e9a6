using System.Globalization;
using Mangrove.Clinic.Pharmacy;
using Mangrove.Clinic.Terminology;
using Mangrove.Kernel;
using Mangrove.Web.Parts;

namespace Mangrove.Web.Pharmacy;

/// <summary>Words and figures of the pharmacy's pages.</summary>
internal static class PharmacyText
{
    /// <summary>The product as drug lines write it: <c>clarithromycin 500 mg tablet</c>.</summary>
    public static string Drug(DispensingLine line) => line is { Medicine: { } medicine, Product: { } product }
        ? DrugLine.Product(medicine, product)
        : $"{line.Line.Name} {line.Line.Strength} {line.Line.Form}".TrimEnd();

    /// <summary>The instruction as the patient reads it.</summary>
    public static string Sig(DispensingLine line) => line.Line.Sig is { Length: > 0 } sig ? sig : "as directed by the doctor";

    /// <summary>A number with its unit: <c>10 tablets</c>, <c>1 bottle</c>.</summary>
    public static string Units(DispensingLine line, decimal quantity) =>
        line.Product is { } product ? $"{Svg.Figure(quantity)} {Shelf.Units(product, quantity)}" : Svg.Figure(quantity);

    public static AlertGrade Grade(SafetyGrade grade) => grade switch { SafetyGrade.Block => AlertGrade.Block, SafetyGrade.Warn => AlertGrade.Warn, _ => AlertGrade.Note };

    public static int Minutes(DateTimeOffset since, DateTimeOffset now) => Math.Max(0, (int)(now - since).TotalMinutes);

    public static string Waited(DateTimeOffset since, DateTimeOffset now) => Minutes(since, now) switch
    {
        var minutes and <= 120 => string.Create(CultureInfo.InvariantCulture, $"{minutes} min"),
        var minutes and <= 2880 => string.Create(CultureInfo.InvariantCulture, $"{minutes / 60} h"),
        var minutes => string.Create(CultureInfo.InvariantCulture, $"{minutes / 1440} d"),
    };

    public static string ShortName(PersonName name) => name.Family is null || name.Given.Count == 0 ? name.Lead : $"{name.Lead} {name.Given[0]}";

    public static string TakeField(DispensingLine line, BatchOffer batch) => $"take-{line.Id:N}-{batch.Id:N}";

    public static string AcceptField(DispensingLine line, DispensingFinding finding) => $"ok-{line.Id:N}-{finding.Key}";

    public static string ReasonField(DispensingLine line, DispensingFinding finding) => $"why-{line.Id:N}-{finding.Key}";
}
