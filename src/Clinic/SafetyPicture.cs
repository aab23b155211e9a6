using System.Globalization;
using System.Text.RegularExpressions;
using Mangrove.Clinic.Records;
using Mangrove.Clinic.Terminology;
using Mangrove.Vault;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Clinic;

/// <summary>
/// What a safety check of a medicine needs to know about a patient: allergies, medicines in use, age, weight, pregnancy.
/// The checks themselves are the terminology's; this is how the record's words reach them.
/// </summary>
/// <param name="Allergies">Active allergies.</param>
/// <param name="AllergiesAsked">False when nobody has recorded allergies or their absence.</param>
/// <param name="Taken">Medicines in use that the hospital's list knows.</param>
/// <param name="NotCompared">Names of medicines in use that the list does not know.</param>
/// <param name="Age">Null when the birth date is not known.</param>
/// <param name="WeightKg">The last weight, or null.</param>
/// <param name="Pregnant">Whether the last triage within the visit stated a pregnancy.</param>
public sealed partial record SafetyPicture(
    IReadOnlyList<RecordedAllergy> Allergies,
    bool AllergiesAsked,
    IReadOnlyList<Medicine> Taken,
    IReadOnlyList<string> NotCompared,
    Age? Age,
    decimal? WeightKg,
    bool Pregnant)
{
    private const string BodyWeight = "29463-7";

    /// <summary>The fields that <see cref="Read"/> opens.</summary>
    public static IReadOnlyList<FieldUse> Fields { get; } =
        [Patient.PersonField, Allergy.RecordField, Prescription.MedicineField, Observation.BodyMeasures, TriageAssessment.OutcomeField];

    /// <summary>Reads the picture through an opening that was granted <see cref="Fields"/>.</summary>
    public static async Task<SafetyPicture> Read(Opening opening, ClinicContext clinic, Patient patient, Guid? visitId, DateTimeOffset now, CancellationToken cancel)
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

        var taken = new List<Medicine>();
        var unknown = new List<string>();
        var lines = await clinic.Prescriptions.AsNoTracking().Where(row => row.PatientId == id && row.Status != PrescriptionStatus.Stopped).ToListAsync(cancel);
        foreach (var row in lines)
        {
            if (opening.Read(row, Prescription.MedicineField) is { } medicine && InUse(medicine, now))
            {
                var known = Known(medicine);
                taken.AddRange(known);
                if (known.Count == 0)
                {
                    unknown.Add(medicine.Name);
                }
            }
        }

        var measures = await clinic.Observations.AsNoTracking()
            .Where(row => row.PatientId == id && row.Kind == ObservationKind.BodyMeasure && row.ReplacedBy == null)
            .OrderByDescending(row => row.TakenAt)
            .Take(20)
            .ToListAsync(cancel);
        decimal? weight = null;
        foreach (var row in measures)
        {
            if (opening.Read(row, Observation.ValueField) is { Code: BodyWeight, Number: { } kilograms })
            {
                weight = kilograms;
                break;
            }
        }

        var pregnant = false;
        if (visitId is { } visit
            && await clinic.Triages.AsNoTracking().Where(row => row.VisitId == visit && row.PatientId == id).OrderByDescending(row => row.At).FirstOrDefaultAsync(cancel) is { } triage)
        {
            pregnant = opening.Read(triage, TriageAssessment.OutcomeField)?.Pregnant ?? false;
        }

        Age? age = opening.Read(patient, Patient.PersonField)?.BornOn() is { } born ? Terminology.Age.On(born, DateOnly.FromDateTime(now.UtcDateTime)) : null;
        return new SafetyPicture(allergies, asked, [.. taken.Distinct()], [.. unknown.Distinct(StringComparer.Ordinal)], age, weight, pregnant);
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

    /// <summary>Whether a medicine of the list is being taken now: active, and its course is not over.</summary>
    public static bool InUse(MedicineInUse medicine, DateTimeOffset now) =>
        medicine.Status == "active"
        && (medicine.Until is not { Length: >= 10 } until
            || !DateOnly.TryParseExact(until[..10], "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var last)
            || last >= DateOnly.FromDateTime(now.UtcDateTime));

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
    public IReadOnlyList<SafetyFinding> Check(Medicine medicine, IEnumerable<Medicine> beside, decimal? doseMg, decimal? timesADay)
    {
        var findings = new List<SafetyFinding>(AllergyCheck.Load().Check(Allergies, medicine));
        if (!AllergiesAsked)
        {
            findings.Add(new SafetyFinding(SafetyGrade.Note, SafetyCheck.Allergy, "allergy.not-recorded", medicine.DisplayName, "Allergies are not recorded, so nothing was compared.", "Ask and record them first."));
        }

        findings.AddRange(InteractionTable.Load().Check(medicine, Taken.Concat(beside)));
        if (NotCompared.Count > 0)
        {
            findings.Add(new SafetyFinding(
                SafetyGrade.Note, SafetyCheck.Interaction, "interaction.not-compared", medicine.DisplayName,
                $"Not compared, because the list does not know them: {string.Join(", ", NotCompared)}.", "Compare them yourself."));
        }

        if (doseMg is > 0 and { } dose && timesADay is > 0 and { } times && Age is { } age)
        {
            findings.AddRange(DoseCheck.Check(medicine, dose, times, age, WeightKg));
        }

        if (Pregnant && DoseCheck.InPregnancy(medicine) is { } pregnancy)
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
