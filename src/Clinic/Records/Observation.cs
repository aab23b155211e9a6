using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Access;

namespace Mangrove.Clinic.Records;

/// <summary>What kind of finding; decides who may read it.</summary>
public enum ObservationKind
{
    Vital = 1,
    BodyMeasure = 2,
    Laboratory = 3,
    Other = 4,
}

/// <summary>One finding: a vital sign, a measure, a laboratory result, another observation.</summary>
public sealed class Observation : SealedRow
{
    public static readonly Field<Observation, ObservedValue> ValueField = new(
        "observation",
        "value",
        "observation",
        row => CategoryOf(row.Kind),
        row => row.Value,
        (row, value) => row.Value = value,
        ClinicJson.Default.ObservedValue);

    public static readonly FieldUse Vitals = ValueField.As(Category.Vitals);

    public static readonly FieldUse BodyMeasures = ValueField.As(Category.BodyMeasures);

    public static readonly FieldUse LabResults = ValueField.As(Category.LabResults);

    public static readonly FieldUse Others = ValueField.As(Category.OtherObservations);

    public ObservationKind Kind { get; init; }

    public Guid? VisitId { get; init; }

    /// <summary>The laboratory order that this result answers.</summary>
    public Guid? OrderId { get; init; }

    public DateTimeOffset TakenAt { get; init; }

    public StaffId? By { get; init; }

    /// <summary>A corrected result points to the one that replaced it; the old value stays.</summary>
    public Guid? ReplacedBy { get; set; }

    public Sealed<ObservedValue> Value { get; set; }

    public static Category CategoryOf(ObservationKind kind) => kind switch
    {
        ObservationKind.Vital => Category.Vitals,
        ObservationKind.BodyMeasure => Category.BodyMeasures,
        ObservationKind.Laboratory => Category.LabResults,
        _ => Category.OtherObservations,
    };
}

/// <summary>A coded finding with its value. Numbers are exact as recorded; screens round.</summary>
public sealed record ObservedValue
{
    /// <summary>LOINC code where there is one.</summary>
    public string? Code { get; init; }

    public string? System { get; init; }

    public required string Display { get; init; }

    public decimal? Number { get; init; }

    /// <summary>Unit as shown.</summary>
    public string? Unit { get; init; }

    /// <summary>UCUM code.</summary>
    public string? UnitCode { get; init; }

    /// <summary>Text or coded answer where the value is no number.</summary>
    public string? Text { get; init; }

    public IReadOnlyList<ObservedValue> Components { get; init; } = [];

    public decimal? Low { get; init; }

    public decimal? High { get; init; }

    /// <summary>Normal, Low, High, CriticalLow or CriticalHigh at the time of recording; null when not judged.</summary>
    public string? Flag { get; init; }

    /// <summary>FHIR status: final, preliminary, amended …</summary>
    public string Status { get; init; } = "final";

    /// <summary>The hospital's own test code, for results of this laboratory.</summary>
    public string? TestCode { get; init; }

    public string? Note { get; init; }

    /// <summary>When it was written down, for a late entry: then the row's time is when it was measured.</summary>
    public DateTimeOffset? Recorded { get; init; }

    /// <summary>Nothing: PHI never reaches a log by accident.</summary>
    public override string ToString() => nameof(ObservedValue);
}
