namespace Mangrove.Clinic.Terminology;

/// <summary>One dangerous pair. A side is a group of medicines or one medicine.</summary>
public sealed record InteractionRule(string SideA, string SideB, SafetyGrade Grade, string Effect, string Advice);

/// <summary>
/// The dangerous pairs of medicines and duplicate therapy. Built in and versioned with the product, so that it cannot
/// die silently with an outside service.
/// </summary>
public sealed class InteractionTable
{
    private static readonly Lazy<InteractionTable> Shipped = new(() => new InteractionTable(MedicineCatalogue.Load()));

    private readonly InteractionRule[] rules;

    private InteractionTable(MedicineCatalogue medicines)
    {
        var table = DataTable.Read("interactions.txt");
        SourceNote = table.SourceNote;
        rules = [.. table.Rows.Select(row =>
        {
            foreach (var side in (ReadOnlySpan<string>)[row["a"], row["b"]])
            {
                var known = side.StartsWith('=') ? medicines.All.Any(medicine => Is(medicine, side)) : medicines.Groups.ContainsKey(side);
                if (!known)
                {
                    throw row.Wrong($"there is no {side}.");
                }
            }

            return new InteractionRule(row["a"], row["b"], Enum.Parse<SafetyGrade>(row["grade"]), row["effect"], row["advice"]);
        })];
    }

    public string SourceNote { get; }

    public IReadOnlyList<InteractionRule> Rules => rules;

    public static InteractionTable Load() => Shipped.Value;

    /// <summary>What a new medicine does with those already taken: interactions and duplicates, the gravest first.</summary>
    public IReadOnlyList<SafetyFinding> Check(Medicine added, IEnumerable<Medicine> taken)
    {
        var findings = new List<SafetyFinding>();
        foreach (var other in taken.Distinct())
        {
            if (other == added)
            {
                findings.Add(new SafetyFinding(SafetyGrade.Warn, SafetyCheck.Duplicate, "duplicate.medicine", added.DisplayName, "Already taken: the dose would double.", "Change the dose of the present one, or stop it first."));
                continue;
            }

            if (Worst(added, other) is { } rule)
            {
                findings.Add(new SafetyFinding(
                    rule.Grade,
                    SafetyCheck.Interaction,
                    $"interaction.{Key(rule.SideA)}+{Key(rule.SideB)}",
                    $"{added.DisplayName} + {other.DisplayName}",
                    rule.Effect,
                    rule.Advice));
            }

            var shared = added.Groups.Where(group => group.Duplicate is not null && other.Groups.Contains(group)).MaxBy(group => group.Duplicate);
            if (shared is not null)
            {
                findings.Add(new SafetyFinding(
                    shared.Duplicate!.Value,
                    SafetyCheck.Duplicate,
                    "duplicate." + shared.Code,
                    $"{added.DisplayName} + {other.DisplayName}",
                    $"Both are {shared.Name}.",
                    "Give one of them."));
            }
        }

        return [.. findings.OrderByDescending(finding => finding.Grade)];
    }

    private static bool Is(Medicine medicine, string side) => side.StartsWith('=')
        ? medicine.DisplayName.AsSpan().Equals(side.AsSpan(1), StringComparison.OrdinalIgnoreCase)
        : medicine.In(side);

    private static string Key(string side) => side.TrimStart('=').ToLowerInvariant().Replace(' ', '-');

    private InteractionRule? Worst(Medicine left, Medicine right)
    {
        InteractionRule? worst = null;
        foreach (var rule in rules)
        {
            if ((worst is null || rule.Grade > worst.Grade)
                && ((Is(left, rule.SideA) && Is(right, rule.SideB)) || (Is(right, rule.SideA) && Is(left, rule.SideB))))
            {
                worst = rule;
            }
        }

        return worst;
    }
}
