namespace Mangrove.Vault.Holds;

/// <summary>What a rule of retention counts its years from. Each is about the whole record of a patient: the longest wins.</summary>
public enum RecordKind
{
    /// <summary>The whole chart: from the last contact.</summary>
    Chart = 1,

    /// <summary>A patient who was a minor at the first contact, so that something of a minor may be in the record: from the day of majority.</summary>
    Minor = 2,

    /// <summary>A patient who has died: from the death, or from the last contact where its day is not known.</summary>
    Deceased = 3,

    /// <summary>Laboratory results and reports: from the last one.</summary>
    Laboratory = 4,

    /// <summary>Prescriptions and what was dispensed: from the last one.</summary>
    Prescriptions = 5,

    /// <summary>Charges and payments: from the last one.</summary>
    Billing = 6,
}

/// <summary>A rule in force.</summary>
/// <param name="Kind">What it counts from.</param>
/// <param name="Years">Whole years. 0 to 100.</param>
/// <param name="Source">The law or code that it comes from, as it was when the hospital adopted it; or that it is the hospital's own.</param>
public sealed record RetentionRule(RecordKind Kind, int Years, string Source);

/// <summary>Rules that a hospital can adopt, of one country.</summary>
/// <param name="Country">ISO 3166-1 alpha-2, or <see cref="Own"/>.</param>
/// <param name="MajorityAge">Age in years at which a minor is of age there. 15 to 25.</param>
/// <param name="Rules">One for each kind that the country has a rule for.</param>
public sealed record RetentionTemplate(string Country, int MajorityAge, IReadOnlyList<RetentionRule> Rules)
{
    /// <summary>A hospital that writes every rule itself.</summary>
    public const string Own = "own";
}

/// <summary>The retention of a hospital, as it is in force.</summary>
/// <param name="Country">Whose rules were adopted last; null while none were, and then nothing is ever due.</param>
/// <param name="MajorityAge">Age of majority in years.</param>
/// <param name="Rules">By kind, each once.</param>
/// <param name="FloorYears"><c>DATA_RETENTION_YEARS</c>: from the last contact, whatever the rules say.</param>
public sealed record RetentionPolicy(string? Country, int MajorityAge, IReadOnlyList<RetentionRule> Rules, int FloorYears)
{
    /// <summary>Years of a kind; null where there is no rule.</summary>
    public int? Of(RecordKind kind) => Rules.FirstOrDefault(rule => rule.Kind == kind)?.Years;
}
