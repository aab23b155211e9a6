using System.Globalization;

namespace Mangrove.Clinic.Terminology;

/// <summary>Five levels of urgency with the time within which a clinician should see the patient.</summary>
public sealed record TriageCategory(int Number, string Name, int TargetMinutes)
{
    public static IReadOnlyList<TriageCategory> All { get; } =
    [
        new(1, "Immediate", 0),
        new(2, "Very urgent", 10),
        new(3, "Urgent", 60),
        new(4, "Standard", 120),
        new(5, "Non-urgent", 240),
    ];

    /// <summary><c>see now</c>, <c>10 min</c>.</summary>
    public string Target => TargetMinutes == 0 ? "see now" : string.Create(CultureInfo.InvariantCulture, $"{TargetMinutes} min");

    public static TriageCategory Of(int number) => number is >= 1 and <= 5
        ? All[number - 1]
        : throw new ArgumentOutOfRangeException(nameof(number), number, "Categories are 1 to 5.");

    /// <summary>
    /// What is proposed to the nurse, who decides: 1 from a score of 9 or an unresponsive patient, 2 from 7, 3 from 5 or
    /// a single 3, 4 from 1, else 5. Our own steps over the bands of NEWS2, which itself proposes no category.
    /// </summary>
    public static TriageCategory Propose(News2Score score) => score switch
    {
        { Unresponsive: true } or { Total: >= 9 } => Of(1),
        { Total: >= 7 } => Of(2),
        { Total: >= 5 } or { AnySingleThree: true } => Of(3),
        { Total: >= 1 } => Of(4),
        _ => Of(5),
    };
}
