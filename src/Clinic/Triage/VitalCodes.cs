using Mangrove.Clinic.Records;
using Mangrove.Clinic.Terminology;

namespace Mangrove.Clinic.Triage;

/// <summary>The vital signs in the words of the record: LOINC codes, and which of them a panel carries.</summary>
public static class VitalCodes
{
    public const string Loinc = "http://loinc.org";

    /// <summary>Blood pressure panel; older systems write 55284-4.</summary>
    public const string BloodPressure = "85354-9";

    public const string Oxygen = "3151-8";

    public const string Alertness = "67775-7";

    private static readonly string[] Pressures = [BloodPressure, "55284-4"];

    private static readonly string[] Saturations = ["59408-5", "2708-6"];

    /// <summary>What the observation says of the vital sign, or null.</summary>
    public static decimal? Read(ObservedValue observed, Vital vital) => vital switch
    {
        Vital.Systolic => Pressure(observed, "8480-6"),
        Vital.Diastolic => Pressure(observed, "8462-4"),
        Vital.OxygenSaturation => observed.Code is { } code && Saturations.Contains(code) ? observed.Number : null,
        _ => observed.Code == VitalRanges.Load().Of(vital).Loinc ? observed.Number : null,
    };

    public static ObservationKind KindOf(Vital vital) => vital is Vital.Weight or Vital.Height ? ObservationKind.BodyMeasure : ObservationKind.Vital;

    private static decimal? Pressure(ObservedValue observed, string part) => observed.Code is { } code && Pressures.Contains(code)
        ? observed.Components.FirstOrDefault(component => component.Code == part)?.Number
        : observed.Code == part ? observed.Number : null;
}
