namespace Mangrove.Web.Parts;

/// <summary>How a value stands against its range. Shown by mark, word and colour together; one mark is outside, two are critical.</summary>
public enum Finding
{
    /// <summary>There is no range to judge by: nothing is shown.</summary>
    None,
    Normal,
    High,
    Low,
    CriticalHigh,
    CriticalLow,

    /// <summary>Outside in a way that is neither high nor low, such as a positive culture.</summary>
    Abnormal,
}

internal static class FindingMarks
{
    public static string Mark(this Finding finding) => finding switch
    {
        Finding.High or Finding.Abnormal => "▲",
        Finding.Low => "▼",
        Finding.CriticalHigh => "▲▲",
        Finding.CriticalLow => "▼▼",
        _ => "",
    };

    public static string Word(this Finding finding) => finding switch
    {
        Finding.Normal => "normal",
        Finding.High => "High",
        Finding.Low => "Low",
        Finding.CriticalHigh => "Critical high",
        Finding.CriticalLow => "Critical low",
        Finding.Abnormal => "Abnormal",
        _ => "",
    };

    public static bool Critical(this Finding finding) => finding is Finding.CriticalHigh or Finding.CriticalLow;

    public static bool Outside(this Finding finding) => finding is not (Finding.None or Finding.Normal);
}
