using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Mangrove.Clinic.Records;
using Mangrove.Clinic.Terminology;

namespace Mangrove.Clinic.Pharmacy;

/// <summary>What the pharmacist does about a finding.</summary>
public enum AnswerNeeded
{
    /// <summary>Shown, nothing asked.</summary>
    None = 0,

    /// <summary>The prescriber gave a reason; the pharmacist accepts it or asks.</summary>
    Accept = 1,

    /// <summary>New since the prescription was signed: the pharmacist's own reason.</summary>
    Reason = 2,

    /// <summary>There is no way past; the line goes back to the prescriber.</summary>
    Never = 3,
}

/// <summary>A finding met at dispensing.</summary>
/// <param name="Key">Binds an answer to exactly this finding.</param>
/// <param name="PrescriberReason">What the prescriber answered to the same finding, or null when it is new.</param>
public sealed record DispensingFinding(string Key, SafetyGrade Grade, string Title, string Text, string? PrescriberReason, bool NewSinceSigned)
{
    public AnswerNeeded Needs => (Grade, PrescriberReason) switch
    {
        (SafetyGrade.Block, _) => AnswerNeeded.Never,
        (SafetyGrade.Warn, null) => AnswerNeeded.Reason,
        (SafetyGrade.Warn, _) => AnswerNeeded.Accept,
        _ => AnswerNeeded.None,
    };

    /// <summary>Nothing: PHI never reaches a log by accident.</summary>
    public override string ToString() => nameof(DispensingFinding);
}

/// <summary>Somebody's medicine in use, as the checks compare it.</summary>
/// <param name="Prescription">The line it came from: a line is not compared with itself.</param>
public sealed record MedicineTaken(Guid Prescription, MedicineInUse Medicine)
{
    /// <summary>Nothing: PHI never reaches a log by accident.</summary>
    public override string ToString() => nameof(MedicineTaken);
}

/// <summary>
/// The safety check run again at the counter, with the allergies and medicines of now: what was written or learnt since
/// the prescription was signed counts.
/// </summary>
internal static class DispensingSafety
{
    public static IReadOnlyList<DispensingFinding> Check(Guid prescription, PrescriptionLine line, Medicine medicine, PatientHeader patient, IEnumerable<MedicineTaken> taken)
    {
        var findings = new List<SafetyFinding>(AllergyCheck.Load().Check(patient.Allergies.Select(Recorded), medicine));
        if (patient.AllergyState is not (AllergyState.Known or AllergyState.NoneKnown))
        {
            findings.Add(new SafetyFinding(SafetyGrade.Note, SafetyCheck.Allergy, "allergy.not-recorded", medicine.DisplayName, "Allergies are not recorded, so nothing was compared.", "Ask before you hand over."));
        }

        var others = taken.Where(one => one.Prescription != prescription).Select(one => (one.Medicine, Known: Known(one.Medicine))).ToList();
        findings.AddRange(InteractionTable.Load().Check(medicine, others.SelectMany(other => other.Known)));
        var unknown = others.Where(other => other.Known.Count == 0).Select(other => other.Medicine.Name).Distinct(StringComparer.Ordinal).ToList();
        if (unknown.Count > 0)
        {
            findings.Add(new SafetyFinding(
                SafetyGrade.Note, SafetyCheck.Interaction, "interaction.not-compared", medicine.DisplayName,
                $"Not compared, because the list does not know them: {string.Join(", ", unknown)}.", "Compare them yourself."));
        }

        // What the prescriber was told and the check finds no more (a dose, a medicine stopped since) is shown again with the reason.
        var again = findings.Select(finding => Finding(line, finding)).ToList();
        again.AddRange(line.Alerts
            .Where(alert => alert.Reason is not null && !findings.Exists(finding => Same(alert, finding)))
            .Select(alert => new DispensingFinding(
                KeyOf(alert.Grade, alert.Title, alert.Text),
                Enum.TryParse<SafetyGrade>(alert.Grade, ignoreCase: true, out var grade) && grade == SafetyGrade.Note ? SafetyGrade.Note : SafetyGrade.Warn,
                alert.Title,
                alert.Text,
                alert.Reason,
                NewSinceSigned: false)));
        return [.. again.DistinctBy(finding => finding.Key).OrderByDescending(finding => finding.Grade)];
    }

    /// <summary>Whether it is being taken on this day: active, and its course is not over.</summary>
    public static bool InUse(MedicineInUse medicine, DateOnly today) =>
        medicine.Status == "active"
        && (medicine.Until is not { Length: >= 10 } until
            || !DateOnly.TryParseExact(until[..10], "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var last)
            || last >= today);

    private static DispensingFinding Finding(PrescriptionLine line, SafetyFinding finding)
    {
        var shown = line.Alerts.FirstOrDefault(alert => Same(alert, finding));
        var text = $"{finding.Effect} {finding.Advice}".Trim();
        return new DispensingFinding(KeyOf(finding.Grade.ToString(), finding.Title, text), finding.Grade, finding.Title, text, shown?.Reason, shown is null);
    }

    private static bool Same(AlertShown alert, SafetyFinding finding) =>
        alert.Title == finding.Title && string.Equals(alert.Grade, finding.Grade.ToString(), StringComparison.OrdinalIgnoreCase);

    private static string KeyOf(string grade, string title, string text) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{grade.ToUpperInvariant()}|{title}|{text}")).AsSpan(0, 6));

    // A combination stands for several medicines; a name that the list does not know for none.
    private static IReadOnlyList<Medicine> Known(MedicineInUse medicine) =>
        medicine.Code is { } code && MedicineCatalogue.Load().Find(code) is { } coded ? [coded] : MedicineCatalogue.Load().NamedIn(medicine.Name);

    // A severity that is not known stays unknown, which counts as the worst.
    private static RecordedAllergy Recorded(AllergyRecord record)
    {
        var severity = record.Reaction?.Contains("anaphyla", StringComparison.OrdinalIgnoreCase) == true
            ? ReactionSeverity.Anaphylaxis
            : Enum.TryParse<ReactionSeverity>(record.Severity, ignoreCase: true, out var known) && Enum.IsDefined(known) ? known : ReactionSeverity.Unknown;
        return new RecordedAllergy(record.Substance ?? "", record.Code, severity);
    }
}
