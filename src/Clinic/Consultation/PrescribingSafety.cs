using System.Globalization;
using Mangrove.Clinic.Records;
using Mangrove.Clinic.Terminology;
using Mangrove.Kernel;

namespace Mangrove.Clinic.Consultation;

/// <summary>A finding at its line, with the prescriber's answer.</summary>
/// <param name="Key">Binds a reason to exactly this finding: another finding never inherits it.</param>
public sealed record AnsweredFinding(string Key, SafetyFinding Finding, string? Reason)
{
    public bool Open => Finding.Grade == SafetyGrade.Block || (Finding.Grade == SafetyGrade.Warn && Reason is null);

    /// <summary>Nothing: PHI never reaches a log by accident.</summary>
    public override string ToString() => nameof(AnsweredFinding);
}

/// <summary>A line of the prescription, read and checked.</summary>
/// <param name="Errors">What is wrong with a field, by its name.</param>
public sealed record CheckedLine(
    PrescriptionDraft Draft,
    Medicine? Medicine,
    MedicineProduct? Product,
    Sig? Sig,
    IReadOnlyDictionary<string, string> Errors,
    IReadOnlyList<AnsweredFinding> Findings)
{
    public bool Blocked => Findings.Any(found => found.Finding.Grade == SafetyGrade.Block);

    public int ReasonsNeeded => Findings.Count(found => found.Finding.Grade == SafetyGrade.Warn && found.Reason is null);

    /// <summary>Nothing: PHI never reaches a log by accident.</summary>
    public override string ToString() => nameof(CheckedLine);
}

/// <summary>
/// Reads the typed lines and holds each against the patient and against the others: a note informs, a warning needs a
/// reason, a block has no way past.
/// </summary>
public static class PrescribingSafety
{
    public const int LongestReason = 500;
    private const int ShortestReason = 3;

    public static IReadOnlyList<CheckedLine> Check(IReadOnlyList<PrescriptionDraft> drafts, SafetyPicture picture)
    {
        var catalogue = MedicineCatalogue.Load();
        var medicines = drafts.Select(draft => catalogue.ByPriceCode(draft.Product)).ToArray();
        return [.. drafts.Select((draft, at) =>
        {
            if (medicines[at] is not { } chosen)
            {
                return new CheckedLine(draft, null, null, null, One("product", "This medicine is not in the hospital's list. Remove the line and choose another."), []);
            }

            var (sig, errors) = Read(draft);
            var beside = medicines.Where((other, otherAt) => otherAt != at && other is not null).Select(other => other!.Value.Medicine);
            var dose = sig is null ? null : SafetyPicture.DoseMg(chosen.Product, sig.Quantity, sig.Unit);
            var findings = picture.Check(chosen.Medicine, beside, dose, sig?.Frequency.PerDay);
            return new CheckedLine(draft, chosen.Medicine, chosen.Product, sig, errors, [.. findings.Select(finding =>
            {
                return new AnsweredFinding(finding.Key, finding, draft.Reasons.TryGetValue(finding.Key, out var reason) && reason.Trim().Length >= ShortestReason ? reason.Trim() : null);
            })]);
        })];
    }

    /// <summary>The first thing that keeps the lines from being signed, or null.</summary>
    public static Error? Hindrance(IReadOnlyList<CheckedLine> lines) => lines switch
    {
        _ when lines.Any(line => line.Errors.Count > 0) => new Error("prescription.line", "A line of the prescription is not complete. Mend the fields marked in red."),
        _ when lines.Any(line => line.Blocked) => new Error("prescription.blocked", "A medicine is blocked by the safety check. Remove it or choose another."),
        _ when lines.Any(line => line.ReasonsNeeded > 0) => new Error("prescription.reason-needed", "A warning has no reason yet. Say why you go on, or remove the medicine."),
        _ => null,
    };

    /// <summary>The line as it is stored, with every alert that was shown.</summary>
    public static PrescriptionLine Stored(CheckedLine line)
    {
        return PrescriptionLine.Of(line.Medicine!, line.Product!, line.Sig!) with
        {
            Alerts = [.. line.Findings.Select(found => AlertShown.Of(found.Finding, found.Reason))],
        };
    }

    /// <summary>The same in the words of the medicine list.</summary>
    public static MedicineInUse InUse(CheckedLine line, DateOnly today)
    {
        var (medicine, product, sig) = (line.Medicine!, line.Product!, line.Sig!);
        var until = sig switch
        {
            { Days: { } days } => today.AddDays(days - 1),
            { Frequency.Code: "once" or "at-once" } => today,
            _ => (DateOnly?)null,
        };
        return new MedicineInUse(medicine.DisplayName, $"{product.Strength} {product.Form}", sig.Text, medicine.Code, "active", until?.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture));
    }

    /// <summary>A new line for a product, filled with what is usual.</summary>
    public static PrescriptionDraft NewLine(string key, Medicine medicine, MedicineProduct product) => new(
        key,
        product.PriceCode,
        "1",
        UnitOf(product.Form),
        "",
        medicine.Routes.Count == 1 ? medicine.Routes[0] : RouteOf(product.Form) is { } route && medicine.Routes.Contains(route) ? route : medicine.Routes.Count > 0 ? medicine.Routes[0] : "",
        "",
        new Dictionary<string, string>(StringComparer.Ordinal));

    private static (Sig? Sig, IReadOnlyDictionary<string, string> Errors) Read(PrescriptionDraft draft)
    {
        var errors = new Dictionary<string, string>(StringComparer.Ordinal);
        if (!decimal.TryParse(draft.Quantity, NumberStyles.AllowDecimalPoint | NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out var quantity)
            || quantity is <= 0 or > 10_000)
        {
            errors["quantity"] = "Give how much at each dose, such as 1 or 0.5.";
        }

        if (string.IsNullOrWhiteSpace(draft.Unit))
        {
            errors["unit"] = "Give the unit, such as tablet or mL.";
        }

        if (Frequency.Find(draft.Frequency) is not { } frequency)
        {
            errors["frequency"] = "Choose how often.";
            frequency = null;
        }

        if (Route.Find(draft.Route) is not { } route)
        {
            errors["route"] = "Choose the route.";
            route = null;
        }

        int? days = null;
        if (!string.IsNullOrWhiteSpace(draft.Days))
        {
            if (int.TryParse(draft.Days, NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out var some) && some is >= 1 and <= 730)
            {
                days = some;
            }
            else
            {
                errors["days"] = "Give 1 to 730 days, or leave it empty for a medicine that goes on.";
            }
        }

        if (errors.Count > 0)
        {
            return (null, errors);
        }

        var sig = Sig.Make(quantity, draft.Unit, frequency!, route!, days);
        return sig.Error is { } wrong ? (null, One("unit", wrong.Message)) : (sig.Value, errors);
    }

    private static Dictionary<string, string> One(string field, string message) => new(StringComparer.Ordinal) { [field] = message };

    private static string UnitOf(string form) => form switch
    {
        _ when form.EndsWith("tablet", StringComparison.Ordinal) => "tablet",
        _ when form.EndsWith("capsule", StringComparison.Ordinal) => "capsule",
        _ when form.EndsWith("drops", StringComparison.Ordinal) => "drop",
        "inhaler" => "puff",
        "spray" or "nasal spray" => "spray",
        "suppository" or "pessary" or "patch" or "sachet" or "implant" => form,
        "cream" or "gel" or "lotion" or "ointment" or "eye ointment" or "shampoo" or "powder" => "application",
        _ => "mL",
    };

    private static string? RouteOf(string form) => form switch
    {
        _ when form.StartsWith("eye", StringComparison.Ordinal) => "oph",
        "nasal spray" or "nasal drops" => "nas",
        "sublingual tablet" => "sl",
        _ when form.EndsWith("tablet", StringComparison.Ordinal) || form.EndsWith("capsule", StringComparison.Ordinal) => "po",
        "suspension" or "oral solution" or "sachet" => "po",
        "infusion" or "injection" => "iv",
        "inhaler" => "inh",
        "nebuliser solution" => "neb",
        "suppository" or "rectal solution" => "pr",
        "pessary" => "pv",
        "patch" => "td",
        "cream" or "gel" or "lotion" or "ointment" or "shampoo" or "powder" => "top",
        _ => null,
    };
}
