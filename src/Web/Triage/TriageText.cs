using System.Globalization;
using Mangrove.Clinic.Terminology;
using Mangrove.Clinic.Triage;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Web.Parts;

namespace Mangrove.Web.Triage;

/// <summary>Words and figures of the triage pages.</summary>
internal static class TriageText
{
    public static string Meta(BirthAndSex? person, string mrn, DateOnly today)
    {
        var sex = person?.Sex switch { AdministrativeSex.Female => "F", AdministrativeSex.Male => "M", AdministrativeSex.Other => "other", _ => "sex not known" };
        var age = person?.BornOn() is { } born ? $"{(born.Estimated ? "about " : "")}{born.AgeOn(today).ToString(CultureInfo.InvariantCulture)} y" : "age not known";
        return $"{sex} · {age} · {mrn}";
    }

    public static Finding Finding(ResultFlag flag) => flag switch
    {
        ResultFlag.Normal => Parts.Finding.Normal,
        ResultFlag.Low => Parts.Finding.Low,
        ResultFlag.High => Parts.Finding.High,
        ResultFlag.CriticalLow => Parts.Finding.CriticalLow,
        ResultFlag.CriticalHigh => Parts.Finding.CriticalHigh,
        _ => Parts.Finding.None,
    };

    public static News2Parameter? Scores(Vital vital) => vital switch
    {
        Vital.RespiratoryRate => News2Parameter.Breaths,
        Vital.OxygenSaturation => News2Parameter.Saturation,
        Vital.Systolic => News2Parameter.Systolic,
        Vital.Pulse => News2Parameter.Pulse,
        Vital.Temperature => News2Parameter.Temperature,
        _ => null,
    };

    public static string Label(Vital vital) => vital switch
    {
        Vital.RespiratoryRate => "Breaths",
        Vital.OxygenSaturation => "SpO₂",
        Vital.Temperature => "Temp.",
        _ => vital.ToString(),
    };

    public static string Figure(decimal value) => value.ToString("0.###", CultureInfo.InvariantCulture);

    /// <summary>The earlier values; the one typed now stands above them.</summary>
    public static IReadOnlyList<PlotPoint> Trend(IReadOnlyList<OpenTriage.Measured> earlier) =>
        [.. earlier.Select(one => new PlotPoint(ClinicalTime.DayMonth(one.At.ToLocalTime()), one.Value))];
}
