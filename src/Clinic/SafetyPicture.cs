using System.Globalization;
using System.Text.RegularExpressions;
using Mangrove.Clinic.Records;
using Mangrove.Clinic.Terminology;
using Mangrove.Vault;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Clinic;

/// <summary>A medicine that somebody takes, as the checks compare it.</summary>
/// <param name="Prescription">The line it came from: a line is not compared with itself.</param>
/// <param name="Medicine">As the medicine list has it.</param>
/// <param name="Known">What it stands for in the hospital's list; several for a combination, none when the list does not know it.</param>
public sealed record MedicineTaken(Guid Prescription, MedicineInUse Medicine, IReadOnlyList<Medicine> Known)
{
    /// <summary>Nothing: PHI never reaches a log by accident.</summary>
    public override string ToString() => nameof(MedicineTaken);
}

/// <summary>
/// What a safety check of a medicine needs to know about a patient: allergies, medicines in use, age, weight, pregnancy.
/// Prescribing and dispensing hold a line against the same picture by the same check. The rules themselves are the
/// terminology's; this is how the record's words reach them.
/// </summary>
/// <param name="Allergies">Active allergies.</param>
/// <param name="AllergiesAsked">False when nobody has recorded allergies or their absence.</param>
/// <param name="InUseNow">Medicines in use.</param>
/// <param name="Age">Null when the birth date is not known.</param>
/// <param name="WeightKg">The last weight, or null.</param>
/// <param name="WeighedAt">When that was.</param>
/// <param name="Pregnant">Whether the last triage within the visit stated a pregnancy; null for a role that does not read triage.</param>
public sealed partial record SafetyPicture(
    IReadOnlyList<RecordedAllergy> Allergies,
    bool AllergiesAsked,
    IReadOnlyList<MedicineTaken> InUseNow,
    Age? Age,
    decimal? WeightKg,
    DateTimeOffset? WeighedAt,
    bool? Pregnant)
{
    private const string BodyWeight = "29463-7";

    /// <summary>The fields that <see cref="Read"/> opens for a prescriber.</summary>
    public static IReadOnlyList<FieldUse> Fields { get; } =
        [Patient.PersonField, Allergy.RecordField, Prescription.MedicineField, Observation.BodyMeasures, TriageAssessment.OutcomeField];

    /// <summary>The same without triage, which a pharmacist does not read: a warning of pregnancy reaches the counter with the line.</summary>
    public static IReadOnlyList<FieldUse> FieldsAtTheCounter { get; } = [.. Fields.Where(field => field != TriageAssessment.OutcomeField)];

    /// <summary>Medicines in use that the hospital's list knows.</summary>
    public IReadOnlyList<Medicine> Taken => [.. InUseNow.SelectMany(one => one.Known).Distinct()];

    /// <summary>Reads the picture through an opening that was granted <see cref="Fields"/> or <see cref="FieldsAtTheCounter"/>.</summary>
    /// <param name="opening">Opens the fields.</param>
    /// <param name="clinic">Where the rows are.</param>
    /// <param name="patient">Whose.</param>
    /// <param name="visitId">Whose triage states a pregnancy.</param>
    /// <param name="today">The hospital's own day: ages and ends of courses go by it.</param>
    /// <param name="cancel">Ends the wait.</param>
    public static async Task<SafetyPicture> Read(Opening opening, ClinicContext clinic, Patient patient, Guid? visitId, DateOnly today, CancellationToken cancel)
    {
        var id = patient.PatientId;
        var asked = false;
        var allergies = new List<RecordedAllergy>();
        foreach (var row in await clinic.Allergies.AsNoTracking().Where(row => row.PatientId == id).ToListAsync(cancel))
        {
            if (opening.Read(row, Allergy.RecordField) is { Status: "active" } record)
            {
                asked = true;
                if (!record.NoneKnown)
                {
                    allergies.Add(Recorded(record));
                }
            }
        }

        var taken = new List<MedicineTaken>();
        var lines = await clinic.Prescriptions.AsNoTracking().Where(row => row.PatientId == id && row.Status != PrescriptionStatus.Stopped).ToListAsync(cancel);
        foreach (var row in lines)
        {
            if (opening.Read(row, Prescription.MedicineField) is { } medicine && InUse(medicine, today))
            {
                taken.Add(new MedicineTaken(row.Id, medicine, Known(medicine)));
            }
        }

        var measures = await clinic.Observations.AsNoTracking()
            .Where(row => row.PatientId == id && row.Kind == ObservationKind.BodyMeasure && row.ReplacedBy == null)
            .OrderByDescending(row => row.TakenAt)
            .Take(20)
            .ToListAsync(cancel);
        (decimal Kilograms, DateTimeOffset At)? weight = null;
        foreach (var row in measures)
        {
            if (opening.Read(row, Observation.ValueField) is { Code: BodyWeight, Number: { } kilograms })
            {
                weight = (kilograms, row.TakenAt);
                break;
            }
        }

        bool? pregnant = opening.MayRead(TriageAssessment.OutcomeField) ? false : null;
        if (pregnant is not null && visitId is { } visit
            && await clinic.Triages.AsNoTracking().Where(row => row.VisitId == visit && row.PatientId == id).OrderByDescending(row => row.At).FirstOrDefaultAsync(cancel) is { } triage)
        {
            pregnant = opening.Read(triage, TriageAssessment.OutcomeField)?.Pregnant ?? false;
        }

        Age? age = opening.Read(patient, Patient.PersonField)?.BornOn() is { } born ? Terminology.Age.On(born, today) : null;
        return new SafetyPicture(allergies, asked, taken, age, weight?.Kilograms, weight?.At, pregnant);
    }

    /// <summary>The record as the allergy check reads it. A severity that is not known stays unknown, which counts as the worst.</summary>
    public static RecordedAllergy Recorded(AllergyRecord record)
    {
        var severity = record.Reaction?.Contains("anaphyla", StringComparison.OrdinalIgnoreCase) == true
            ? ReactionSeverity.Anaphylaxis
            : record.Severity?.ToLowerInvariant() switch
            {
                "mild" => ReactionSeverity.Mild,
                "moderate" => ReactionSeverity.Moderate,
                "severe" => ReactionSeverity.Severe,
                _ => ReactionSeverity.Unknown,
            };
        return new RecordedAllergy(record.Substance ?? "", record.Code, severity);
    }

    /// <summary>Whether a medicine of the list is being taken on this day: active, and its course is not over.</summary>
    public static bool InUse(MedicineInUse medicine, DateOnly today) =>
        medicine.Status == "active"
        && (medicine.Until is not { Length: >= 10 } until
            || !DateOnly.TryParseExact(until[..10], "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var last)
            || last >= today);

    /// <summary>Medicines of the hospital's list that a medicine in use stands for; several for a combination, none when its name is not known.</summary>
    public static IReadOnlyList<Medicine> Known(MedicineInUse medicine)
    {
        var catalogue = MedicineCatalogue.Load();
        return medicine.Code is { } code && catalogue.Find(code) is { } coded ? [coded] : catalogue.NamedIn(medicine.Name);
    }

    /// <summary>Every finding for one more medicine beside those taken and those ordered with it, the gravest first.</summary>
    /// <param name="medicine">What is to be added.</param>
    /// <param name="beside">Medicines of the same prescription.</param>
    /// <param name="doseMg">Milligrams at each dose, where they can be known.</param>
    /// <param name="timesADay">Doses a day, where they can be known.</param>
    /// <param name="itself">The line that is checked, where it stands among the medicines in use already.</param>
    public IReadOnlyList<SafetyFinding> Check(Medicine medicine, IEnumerable<Medicine> beside, decimal? doseMg, decimal? timesADay, Guid? itself = null)
    {
        var findings = new List<SafetyFinding>(AllergyCheck.Load().Check(Allergies, medicine));
        if (!AllergiesAsked)
        {
            findings.Add(new SafetyFinding(SafetyGrade.Note, SafetyCheck.Allergy, "allergy.not-recorded", medicine.DisplayName, "Allergies are not recorded, so nothing was compared.", "Ask first, and have the answer recorded."));
        }

        var others = InUseNow.Where(one => one.Prescription != itself).ToList();
        findings.AddRange(InteractionTable.Load().Check(medicine, others.SelectMany(one => one.Known).Concat(beside).Distinct()));
        var notCompared = others.Where(one => one.Known.Count == 0).Select(one => one.Medicine.Name).Distinct(StringComparer.Ordinal).ToList();
        if (notCompared.Count > 0)
        {
            findings.Add(new SafetyFinding(
                SafetyGrade.Note, SafetyCheck.Interaction, "interaction.not-compared", medicine.DisplayName,
                $"Not compared, because the list does not know them: {string.Join(", ", notCompared)}.", "Compare them yourself."));
        }

        if (doseMg is > 0 and { } dose && timesADay is > 0 and { } times && Age is { } age)
        {
            findings.AddRange(DoseCheck.Check(medicine, dose, times, age, WeightKg));
        }

        if (Pregnant == true && DoseCheck.InPregnancy(medicine) is { } pregnancy)
        {
            findings.Add(pregnancy);
        }

        return [.. findings.OrderByDescending(finding => finding.Grade)];
    }

    /// <summary>
    /// Milligrams of one dose, from the product's strength: <c>2 tablets of 500 mg</c>, <c>5 mL of 120 mg/5 mL</c>, or the
    /// milligrams themselves. Null where the strength is of several substances, in percent or in units.
    /// </summary>
    public static decimal? DoseMg(MedicineProduct product, decimal quantity, string unit)
    {
        if (InMg(unit) is { } direct)
        {
            return quantity * direct;
        }

        var strength = StrengthText().Match(product.Strength.Replace(",", "", StringComparison.Ordinal));
        if (!strength.Success || InMg(strength.Groups["unit"].Value) is not { } factor)
        {
            return null;
        }

        var amount = decimal.Parse(strength.Groups["amount"].Value, CultureInfo.InvariantCulture) * factor;
        var volume = strength.Groups["volume"];
        var perVolume = strength.Groups["ml"].Success;
        return (perVolume, unit.Equals("mL", StringComparison.OrdinalIgnoreCase)) switch
        {
            (true, true) => quantity * amount / (volume.Success ? decimal.Parse(volume.Value, CultureInfo.InvariantCulture) : 1m),
            (false, false) => quantity * amount,
            _ => null,
        };
    }

    /// <summary>Nothing: PHI never reaches a log by accident.</summary>
    public override string ToString() => nameof(SafetyPicture);

    private static decimal? InMg(string unit) => unit switch
    {
        "g" => 1000m,
        "mg" => 1m,
        "mcg" => 0.001m,
        _ => null,
    };

    [GeneratedRegex(@"^(?<amount>\d+(\.\d+)?) (?<unit>g|mg|mcg)(/(?<volume>[1-9]\d*(\.\d+)?)? ?(?<ml>mL))?$", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 100)]
    private static partial Regex StrengthText();
}
