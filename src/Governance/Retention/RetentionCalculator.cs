using Mangrove.Vault.Holds;

namespace Mangrove.Governance.Retention;

/// <summary>Until when a record stays.</summary>
/// <param name="Day">The last day on which it must be there. It is due from the day after.</param>
/// <param name="Because">Of which rule; null where the hospital's DATA_RETENTION_YEARS is the longest.</param>
public readonly record struct KeptUntil(DateOnly Day, RecordKind? Because);

/// <summary>
/// How long a record stays (threats D5): every rule that fits the patient is counted from its own day, and the longest wins.
/// Nothing here knows what time it is, asks a hold or reads a database.
/// </summary>
/// <remarks>
/// A period of n years after a day ends with the n-th return of that day. Where something is not known it is taken as it gives
/// the longest period: nobody's birth is known to have been before their first contact, and an estimate may be five years off.
/// </remarks>
public static class RetentionCalculator
{
    /// <summary>By how many years an estimated birth may be off.</summary>
    public const int EstimateYears = 5;

    /// <summary>The last day on which the record of a patient who is not in care must be there.</summary>
    public static KeptUntil Until(RecordHistory history, RetentionPolicy policy)
    {
        ArgumentNullException.ThrowIfNull(history);
        ArgumentNullException.ThrowIfNull(policy);
        var longest = new KeptUntil(RetentionDays.Later(history.Last, policy.FloorYears), null);
        foreach (var rule in policy.Rules)
        {
            if (From(rule.Kind, history, policy) is { } from && RetentionDays.Later(from, rule.Years) is var day && day > longest.Day)
            {
                longest = new KeptUntil(day, rule.Kind);
            }
        }

        return longest;
    }

    /// <summary>From which day a rule counts; null where it does not concern the patient.</summary>
    private static DateOnly? From(RecordKind kind, RecordHistory history, RetentionPolicy policy) => kind switch
    {
        RecordKind.Chart => history.Last,
        RecordKind.Minor => Majority(history, policy) is var majority && majority > history.First ? majority : null,
        RecordKind.Deceased => !history.Dead ? null : history.DiedBy is { } died && died > history.Last ? died : history.Last,
        RecordKind.Laboratory => history.Laboratory,
        RecordKind.Prescriptions => history.Prescription,
        RecordKind.Billing => history.Billing,

        // A rule that this version does not know, of a later one: the most careful reading of it.
        _ => history.Last,
    };

    private static DateOnly Majority(RecordHistory history, RetentionPolicy policy)
    {
        var born = history.Born switch
        {
            null => history.First,
            { Estimated: false } known => RetentionDays.LatestOf(known),
            { } about => Earlier(RetentionDays.Later(RetentionDays.LatestOf(about), EstimateYears), Later(history.First, RetentionDays.LatestOf(about))),
        };
        return RetentionDays.Later(born, policy.MajorityAge);
    }

    private static DateOnly Earlier(DateOnly one, DateOnly other) => one < other ? one : other;

    private static DateOnly Later(DateOnly one, DateOnly other) => one > other ? one : other;
}
