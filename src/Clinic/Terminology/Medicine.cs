using System.Security.Cryptography;
using System.Text;

namespace Mangrove.Clinic.Terminology;

/// <summary>How strongly a finding of a safety check stands in the way.</summary>
public enum SafetyGrade
{
    /// <summary>Shown, nothing asked.</summary>
    Note = 1,

    /// <summary>A reason is needed to go on.</summary>
    Warn = 2,

    /// <summary>There is no way past.</summary>
    Block = 3,
}

/// <summary>A kind of safety check.</summary>
public enum SafetyCheck
{
    Allergy = 1,
    Interaction = 2,
    Duplicate = 3,
    Dose = 4,
    Pregnancy = 5,
}

/// <summary>One finding, as the alert card shows it. The text may name an allergy: it is clinical and belongs on treatment screens only.</summary>
/// <param name="Code">Stable, for the record of overrides: <c>allergy.substance</c>, <c>interaction.warfarin+macrolide</c>.</param>
/// <param name="Title">What meets what: <c>clarithromycin + warfarin</c>.</param>
/// <param name="Effect">What may happen.</param>
/// <param name="Advice">What to do; may be empty.</param>
public sealed record SafetyFinding(SafetyGrade Grade, SafetyCheck Check, string Code, string Title, string Effect, string Advice)
{
    /// <summary>Effect and advice as one text.</summary>
    public string Text => $"{Effect} {Advice}".Trim();

    /// <summary>Binds an answer to exactly this finding: another medicine, another grade or another dose never inherits it.</summary>
    public string Key => KeyOf(Grade, Code, Title, Text);

    /// <summary>The key of a finding that was kept as words.</summary>
    public static string KeyOf(SafetyGrade grade, string code, string title, string text) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{grade}|{code}|{title}|{text}")).AsSpan(0, 6));
}

/// <summary>A medicine in one form and strength: what is prescribed, priced, stocked and handed over.</summary>
/// <param name="PriceCode">Our own, stable: <c>D-1451</c>.</param>
public sealed record MedicineProduct(string PriceCode, string Form, string Strength);

/// <summary>Milligrams for each kilogram of body weight at each dose, for children.</summary>
/// <param name="TimesADay">Doses a day.</param>
/// <param name="MostMg">Most milligrams in one dose; null when not given.</param>
public sealed record PaediatricDose(decimal LowMgPerKg, decimal HighMgPerKg, int TimesADay, decimal? MostMg);

/// <summary>A group of medicines: a class, an allergy group, or a property that rules name.</summary>
/// <param name="IsAllergyGroup">Whether an allergy may be recorded to the whole group.</param>
/// <param name="Duplicate">Grade of the finding when two medicines of the group meet; null for none.</param>
public sealed record MedicineGroup(string Code, string Name, bool IsAllergyGroup, SafetyGrade? Duplicate, IReadOnlyList<string> Synonyms);

/// <summary>One generic medicine.</summary>
/// <param name="Code">Our own, stable: <c>M-145</c>.</param>
/// <param name="DisplayName">The generic name, with tall-man letters where it is on the published lists of look-alike names.</param>
/// <param name="Groups">The first is the sub-class.</param>
/// <param name="Atc">WHO's anatomical therapeutic chemical code.</param>
/// <param name="RxNorm">Ingredient code where known; else null.</param>
/// <param name="MostMgADay">Most milligrams a day for an adult; null when the table has none.</param>
public sealed record Medicine(
    string Code,
    string DisplayName,
    IReadOnlyList<MedicineProduct> Products,
    IReadOnlyList<string> Routes,
    string Atc,
    IReadOnlyList<MedicineGroup> Groups,
    string? RxNorm,
    string AdultDose,
    decimal? MostMgADay,
    PaediatricDose? Paediatric,
    bool PregnancyCaution,
    bool AvoidInPregnancy,
    bool Controlled,
    bool RenalCaution,
    bool HighAlert,
    IReadOnlyList<string> Synonyms)
{
    /// <summary>Without tall-man letters.</summary>
    public string Name => DisplayName.ToLowerInvariant();

    public MedicineGroup SubClass => Groups[0];

    /// <summary>The anatomical main group, the first letter of the ATC code.</summary>
    public string Class => Atc[0] switch
    {
        'A' => "Alimentary tract and metabolism",
        'B' => "Blood and blood-forming organs",
        'C' => "Cardiovascular system",
        'D' => "Dermatologicals",
        'G' => "Genitourinary system and sex hormones",
        'H' => "Systemic hormones",
        'J' => "Anti-infectives",
        'L' => "Antineoplastics and immunomodulators",
        'M' => "Musculoskeletal system",
        'N' => "Nervous system",
        'P' => "Antiparasitics",
        'R' => "Respiratory system",
        'S' => "Sensory organs",
        _ => "Various",
    };

    public IEnumerable<MedicineGroup> AllergyGroups => Groups.Where(group => group.IsAllergyGroup);

    public bool In(string group) => Groups.Any(one => one.Code == group);
}
