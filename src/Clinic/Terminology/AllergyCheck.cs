namespace Mangrove.Clinic.Terminology;

/// <summary>How bad the recorded reaction was. What is not known counts as the worst.</summary>
public enum ReactionSeverity
{
    Unknown = 0,
    Mild = 1,
    Moderate = 2,
    Severe = 3,
    Anaphylaxis = 4,
}

/// <summary>What the check needs of one allergy record.</summary>
/// <param name="Substance">As written by whoever recorded it.</param>
/// <param name="Code">A code of <see cref="AllergySubstances"/> or <see cref="MedicineCatalogue"/>, or an RxNorm ingredient; null when only text is known.</param>
/// <param name="Intolerance">True for an unpleasant effect that is no allergy, such as nausea.</param>
public sealed record RecordedAllergy(string Substance, string? Code, ReactionSeverity Severity, bool Intolerance = false);

/// <summary>
/// Holds a medicine against the recorded allergies, by substance, by class and by cross-reactivity. Needs no network and
/// no service: a check that can fail silently is none. A record that cannot be matched to anything known is reported,
/// because silence would look like safety.
/// </summary>
public sealed class AllergyCheck
{
    private static readonly Lazy<AllergyCheck> Shipped = new(() => new AllergyCheck(MedicineCatalogue.Load(), AllergySubstances.Load()));

    private readonly MedicineCatalogue medicines;
    private readonly AllergySubstances substances;
    private readonly PhraseFinder<MedicineGroup> groupNames;
    private readonly CrossReaction[] crossReactions;

    private AllergyCheck(MedicineCatalogue medicines, AllergySubstances substances)
    {
        this.medicines = medicines;
        this.substances = substances;
        groupNames = new PhraseFinder<MedicineGroup>(medicines.Groups.Values
            .Where(group => group.IsAllergyGroup)
            .SelectMany(group => group.Synonyms.Prepend(group.Name), (group, name) => (name, group)));
        var table = DataTable.Read("allergy-cross-reactivity.txt");
        SourceNote = table.SourceNote;
        crossReactions = [.. table.Rows.Select(row => new CrossReaction(
            Group(row, "from"),
            Group(row, "to"),
            Enum.Parse<SafetyGrade>(row["mild"]),
            Enum.Parse<SafetyGrade>(row["worst"]),
            row["reason"]))];
    }

    public string SourceNote { get; }

    public static AllergyCheck Load() => Shipped.Value;

    /// <summary>Whether an allergy record names something that the check can compare with medicines or knows to be none.</summary>
    public bool Knows(RecordedAllergy allergy)
    {
        var meaning = Meaning(allergy);
        return meaning.Medicines.Count != 0 || meaning.Groups.Count != 0 || meaning.Other;
    }

    /// <summary>All findings, the gravest first; one for each allergy at most, besides notes on records that match nothing.</summary>
    public IReadOnlyList<SafetyFinding> Check(IEnumerable<RecordedAllergy> allergies, Medicine medicine)
    {
        var findings = new List<SafetyFinding>();
        foreach (var allergy in allergies)
        {
            var meaning = Meaning(allergy);
            if (meaning.Medicines.Count == 0 && meaning.Groups.Count == 0 && !meaning.Other)
            {
                findings.Add(new SafetyFinding(
                    SafetyGrade.Note,
                    SafetyCheck.Allergy,
                    "allergy.not-matched",
                    $"{medicine.DisplayName} and \"{allergy.Substance}\"",
                    "This allergy is recorded in words that the check does not know, so it was not compared.",
                    "Compare it yourself, and record the allergy from the list."));
            }
            else if (Worst(allergy, meaning, medicine) is { } finding)
            {
                findings.Add(finding);
            }
        }

        return [.. findings.OrderByDescending(finding => finding.Grade)];
    }

    private static SafetyGrade BySubstance(RecordedAllergy allergy) => allergy switch
    {
        { Severity: ReactionSeverity.Anaphylaxis } => SafetyGrade.Block,
        { Intolerance: true, Severity: ReactionSeverity.Mild or ReactionSeverity.Moderate } => SafetyGrade.Note,
        { Intolerance: true } => SafetyGrade.Warn,
        { Severity: ReactionSeverity.Mild or ReactionSeverity.Moderate } => SafetyGrade.Warn,
        _ => SafetyGrade.Block,
    };

    private static bool WasMild(RecordedAllergy allergy) =>
        allergy.Severity is ReactionSeverity.Mild or ReactionSeverity.Moderate || (allergy.Intolerance && allergy.Severity != ReactionSeverity.Anaphylaxis);

    private static string Recorded(RecordedAllergy allergy) => allergy.Severity switch
    {
        ReactionSeverity.Unknown => "severity not recorded, so taken as the worst",
        ReactionSeverity.Mild => "mild reaction recorded",
        ReactionSeverity.Moderate => "moderate reaction recorded",
        ReactionSeverity.Severe => "severe reaction recorded",
        _ => "anaphylaxis recorded",
    };

    private static string Advice(SafetyGrade grade) => grade switch
    {
        SafetyGrade.Block => "Choose a medicine of another group.",
        SafetyGrade.Warn => "Choose another medicine, or give a reason and watch the first dose.",
        _ => "Watch the first dose.",
    };

    private SafetyFinding? Worst(RecordedAllergy allergy, Understood meaning, Medicine medicine)
    {
        SafetyFinding? worst = null;
        void Offer(SafetyGrade grade, string code, string effect)
        {
            if (worst is null || grade > worst.Grade)
            {
                worst = new SafetyFinding(grade, SafetyCheck.Allergy, code, $"{medicine.DisplayName} and allergy to {allergy.Substance}", effect, Advice(grade));
            }
        }

        if (meaning.Medicines.Contains(medicine))
        {
            Offer(BySubstance(allergy), "allergy.substance", $"Allergic to this medicine: {Recorded(allergy)}.");
        }
        else if (meaning.Medicines.FirstOrDefault(known => Contains(medicine, known) || Contains(known, medicine)) is { } part)
        {
            Offer(BySubstance(allergy), "allergy.substance", $"Contains or belongs to {part.DisplayName}: {Recorded(allergy)}.");
        }

        var sensitive = meaning.Groups.Concat(meaning.Medicines.SelectMany(known => known.AllergyGroups)).Distinct().ToList();
        if (sensitive.FirstOrDefault(group => medicine.Groups.Contains(group) && IsClass(group)) is { } same)
        {
            // The same class by name is the class allergy itself; by way of one medicine it is a near certainty for the
            // groups below, so both take the substance's grade.
            Offer(BySubstance(allergy), "allergy.class", $"Belongs to the {same.Name}: {Recorded(allergy)}.");
        }

        foreach (var cross in crossReactions)
        {
            if (sensitive.Contains(cross.From) && medicine.Groups.Contains(cross.To))
            {
                Offer(WasMild(allergy) ? cross.Mild : cross.Worst, "allergy.cross", $"{cross.Reason} ({Recorded(allergy)})");
            }
        }

        foreach (var caution in meaning.Cautions)
        {
            if (medicine.In(caution))
            {
                Offer(SafetyGrade.Note, "allergy.component", $"May carry a trace of what is recorded ({Recorded(allergy)}).");
            }
        }

        return worst;
    }

    // Beta-lactams as a whole are too wide for a class allergy by way of one medicine: penicillin and cephalosporin
    // differ, and the cross-reactivity table says how.
    private static bool IsClass(MedicineGroup group) => group.Code != "beta-lactam";

    // Combinations carry the names of their parts: co-amoxiclav is "amoxicillin with clavulanic acid".
    private static bool Contains(Medicine whole, Medicine part) => whole != part
        && (whole.Name.Contains(" with ", StringComparison.Ordinal) || whole.Synonyms.Any(name => name.Contains(' ', StringComparison.Ordinal)))
        && whole.Synonyms.Prepend(whole.Name).Any(name => $" {Words.Plain(name)} ".Contains($" {Words.Plain(part.Name)} ", StringComparison.Ordinal));

    private Understood Meaning(RecordedAllergy allergy)
    {
        var understood = new Understood([], [], [], false);
        if (allergy.Code is { } code)
        {
            if ((medicines.Find(code) ?? medicines.ByRxNorm(code)) is { } coded)
            {
                understood.Medicines.Add(coded);
            }

            if (substances.Find(code) is { } listed)
            {
                understood = Take(understood, listed);
            }
        }

        // Text is read even when there is a code: a wrong code must not hide what a person wrote.
        foreach (var named in medicines.NamedIn(allergy.Substance))
        {
            understood.Medicines.Add(named);
        }

        foreach (var group in groupNames.Find(allergy.Substance))
        {
            understood.Groups.Add(group);
        }

        return substances.NamedIn(allergy.Substance).Aggregate(understood, Take);
    }

    private Understood Take(Understood understood, AllergySubstance substance)
    {
        foreach (var group in substance.Groups)
        {
            understood.Groups.Add(medicines.Groups[group]);
        }

        foreach (var caution in substance.CautionGroups)
        {
            understood.Cautions.Add(caution);
        }

        return understood with { Other = true };
    }

    private MedicineGroup Group(DataRow row, string column) =>
        medicines.Groups.TryGetValue(row[column], out var group) ? group : throw row.Wrong($"there is no group {row[column]}.");

    private sealed record CrossReaction(MedicineGroup From, MedicineGroup To, SafetyGrade Mild, SafetyGrade Worst, string Reason);

    private sealed record Understood(HashSet<Medicine> Medicines, HashSet<MedicineGroup> Groups, HashSet<string> Cautions, bool Other);
}
