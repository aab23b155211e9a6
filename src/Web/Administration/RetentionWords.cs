using Mangrove.Vault.Holds;

namespace Mangrove.Web.Administration;

/// <summary>Rules of retention and holds in words.</summary>
internal static class RetentionWords
{
    public static string Title(RecordKind? kind) => kind switch
    {
        null => "DATA_RETENTION_YEARS",
        RecordKind.Chart => "Whole chart",
        RecordKind.Minor => "Minors",
        RecordKind.Deceased => "Deceased",
        RecordKind.Laboratory => "Laboratory and reports",
        RecordKind.Prescriptions => "Prescriptions",
        RecordKind.Billing => "Billing",
        _ => "Another rule",
    };

    public static string From(RecordKind kind, int majority) => kind switch
    {
        RecordKind.Chart => "from the last contact",
        RecordKind.Minor => FormattableString.Invariant($"from the day on which the patient is {majority}, where the first contact was before it"),
        RecordKind.Deceased => "from the death",
        RecordKind.Laboratory => "from the last result or report",
        RecordKind.Prescriptions => "from the last prescription",
        RecordKind.Billing => "from the last charge or payment",
        _ => "from the last contact",
    };
}
