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

/// <summary>
/// A finding met at dispensing. The line goes through the check of prescribing again, with the allergies, medicines and
/// weight of now: what was written or learnt since the prescription was signed counts.
/// </summary>
/// <param name="Key">Binds an answer to exactly this finding.</param>
/// <param name="PrescriberReason">What the prescriber answered to the same finding, or null when it is new.</param>
public sealed record DispensingFinding(string Key, string Code, SafetyGrade Grade, string Title, string Text, string? PrescriberReason, bool NewSinceSigned)
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

    /// <summary>The findings of a signed line, the gravest first.</summary>
    internal static IReadOnlyList<DispensingFinding> Of(Guid prescription, PrescriptionLine line, Medicine medicine, MedicineProduct product, SafetyPicture picture)
    {
        var dose = line is { Dose: { } quantity, DoseUnit: { } unit } ? SafetyPicture.DoseMg(product, quantity, unit) : null;
        var timesADay = line.Frequency is { } often ? Frequency.Worded(often)?.PerDay : null;
        var findings = picture.Check(medicine, [], dose, timesADay, prescription);
        var shown = line.Alerts.ToLookup(KeyOf);
        var again = findings
            .Select(finding => new DispensingFinding(finding.Key, finding.Code, finding.Grade, finding.Title, finding.Text, shown[finding.Key].FirstOrDefault()?.Reason, !shown.Contains(finding.Key)))
            .ToList();

        // What the prescriber was told and the counter cannot find is shown again: a pregnancy, which stands in the
        // triage, and whatever needed a reason. The same rule with other figures replaces what was said before.
        again.AddRange(line.Alerts
            .Where(alert => alert.Reason is not null || (picture.Pregnant is null && alert.Code.StartsWith("pregnancy.", StringComparison.Ordinal)))
            .Where(alert => !findings.Any(finding => finding.Code == alert.Code && finding.Title == alert.Title))
            .Select(alert => new DispensingFinding(KeyOf(alert), alert.Code, GradeOf(alert), alert.Title, alert.Text, alert.Reason, NewSinceSigned: false)));
        return [.. again.DistinctBy(finding => finding.Key).OrderByDescending(finding => finding.Grade)];
    }

    private static string KeyOf(AlertShown alert) => SafetyFinding.KeyOf(GradeOf(alert), alert.Code, alert.Title, alert.Text);

    // A grade that cannot be read asks for an answer.
    private static SafetyGrade GradeOf(AlertShown alert) =>
        Enum.TryParse<SafetyGrade>(alert.Grade, ignoreCase: true, out var grade) && Enum.IsDefined(grade) ? grade : SafetyGrade.Warn;
}
