namespace Mangrove.Clinic.Terminology;

/// <summary>Holds a dose in milligrams against the table's limits, and a medicine against pregnancy.</summary>
public static class DoseCheck
{
    // A dose a tenth above the table is rounding to a tablet, not a slip.
    private const decimal Slack = 1.1m;

    /// <summary>Findings for a dose. A child needs a weight where the table counts by weight; without one that is said.</summary>
    /// <param name="medicine">The medicine.</param>
    /// <param name="doseMg">Milligrams at each dose.</param>
    /// <param name="timesADay">Doses a day; below one for less than daily.</param>
    /// <param name="age">Under 12 years counts as a child.</param>
    /// <param name="weightKg">Null when not known.</param>
    public static IReadOnlyList<SafetyFinding> Check(Medicine medicine, decimal doseMg, decimal timesADay, Age age, decimal? weightKg)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(doseMg);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(timesADay);
        var findings = new List<SafetyFinding>();
        var daily = doseMg * timesADay;
        if (medicine.MostMgADay is { } most && daily > most)
        {
            findings.Add(Finding(
                daily >= most * 2 ? SafetyGrade.Block : SafetyGrade.Warn,
                "dose.above-daily-maximum",
                medicine,
                $"{DrugLine.Dose(daily, "mg")} a day is above the most for an adult, {DrugLine.Dose(most, "mg")}."));
        }

        if (age.Years >= 12 || medicine.Paediatric is not { } child)
        {
            return findings;
        }

        if (weightKg is not { } weight || weight <= 0)
        {
            findings.Add(Finding(SafetyGrade.Warn, "dose.weight-needed", medicine, "The dose for a child goes by weight, and no weight is recorded."));
            return findings;
        }

        var highest = Math.Min(child.HighMgPerKg * weight, child.MostMg ?? decimal.MaxValue);
        var highestDaily = highest * child.TimesADay;
        if (doseMg > highest * Slack && daily > highestDaily * Slack)
        {
            findings.Add(Finding(
                daily >= highestDaily * 2 ? SafetyGrade.Block : SafetyGrade.Warn,
                "dose.above-child-maximum",
                medicine,
                $"{DrugLine.Dose(doseMg, "mg")} is above the most for {DrugLine.Dose(weight, "kg")}, {DrugLine.Dose(decimal.Round(highest, 1), "mg")} at each dose."));
        }
        else if (daily > highestDaily * Slack)
        {
            findings.Add(Finding(
                daily >= highestDaily * 2 ? SafetyGrade.Block : SafetyGrade.Warn,
                "dose.above-child-maximum",
                medicine,
                $"{DrugLine.Dose(daily, "mg")} a day is above the most for {DrugLine.Dose(weight, "kg")}, {DrugLine.Dose(decimal.Round(highestDaily, 1), "mg")}."));
        }
        else if (daily * Slack < Math.Min(child.LowMgPerKg * weight, child.MostMg ?? decimal.MaxValue) * child.TimesADay / 2)
        {
            findings.Add(Finding(
                SafetyGrade.Note,
                "dose.low-for-child",
                medicine,
                $"{DrugLine.Dose(daily, "mg")} a day is less than half the usual for {DrugLine.Dose(weight, "kg")}."));
        }

        return findings;
    }

    /// <summary>The finding for a pregnant person, or null.</summary>
    public static SafetyFinding? InPregnancy(Medicine medicine) => medicine switch
    {
        { AvoidInPregnancy: true } => new SafetyFinding(SafetyGrade.Warn, SafetyCheck.Pregnancy, "pregnancy.avoid", medicine.DisplayName, "Harms or may harm the unborn child.", "Choose another medicine."),
        { PregnancyCaution: true } => new SafetyFinding(SafetyGrade.Note, SafetyCheck.Pregnancy, "pregnancy.caution", medicine.DisplayName, "Needs care in pregnancy.", "Weigh need against risk and the week of pregnancy."),
        _ => null,
    };

    private static SafetyFinding Finding(SafetyGrade grade, string code, Medicine medicine, string effect) =>
        new(grade, SafetyCheck.Dose, code, medicine.DisplayName, effect, "Check the dose, its unit and how often.");
}
