using System.Text.Json.Serialization;

namespace Mangrove.Clinic.Consultation;

/// <summary>
/// Everything a doctor is writing about one visit, as typed: it is what the draft keeps and what signing reads. Text
/// that is not valid yet stays as it is, so that nothing typed is lost.
/// </summary>
public sealed record ConsultationForm
{
    public const int LongestPart = 20_000;
    public const int MostLines = 40;

    /// <summary>Made when the page was first opened; becomes the note's id, so that sending twice signs once.</summary>
    public Guid NoteId { get; init; }

    /// <summary>When this copy of the page was opened, in ticks. An older copy may not overwrite what a newer one wrote.</summary>
    public long Opened { get; init; }

    public string Subjective { get; init; } = "";

    public string Objective { get; init; } = "";

    public string Assessment { get; init; } = "";

    public string Plan { get; init; } = "";

    /// <summary>When it happened, as typed (<see cref="LateEntry.Read"/>); empty for now.</summary>
    public string HappenedAt { get; init; } = "";

    /// <summary>ICD-10 codes in the order of importance.</summary>
    public IReadOnlyList<string> Diagnoses { get; init; } = [];

    public IReadOnlyList<PrescriptionDraft> Prescriptions { get; init; } = [];

    public IReadOnlyList<OrderDraft> Orders { get; init; } = [];

    /// <summary>Sign now, but keep the visit open until results are back.</summary>
    public bool AwaitResults { get; init; }

    [JsonIgnore]
    public bool IsBlank => Subjective.Length + Objective.Length + Assessment.Length + Plan.Length == 0 && Diagnoses.Count + Prescriptions.Count + Orders.Count == 0;

    /// <summary>Nothing: PHI never reaches a log by accident.</summary>
    public override string ToString() => nameof(ConsultationForm);
}

/// <summary>One line of a prescription as typed.</summary>
/// <param name="Key">Names the line on its page.</param>
/// <param name="Product">Code of the product in the hospital's medicine list, which is its price code too.</param>
/// <param name="Reasons">Reasons to go on past warnings, by the finding's key.</param>
public sealed record PrescriptionDraft(
    string Key,
    string Product,
    string Quantity,
    string Unit,
    string Frequency,
    string Route,
    string Days,
    IReadOnlyDictionary<string, string> Reasons)
{
    /// <summary>Nothing: PHI never reaches a log by accident.</summary>
    public override string ToString() => nameof(PrescriptionDraft);
}

/// <summary>A laboratory test to be ordered.</summary>
public sealed record OrderDraft(string Test, bool Urgent)
{
    /// <summary>Nothing: PHI never reaches a log by accident.</summary>
    public override string ToString() => nameof(OrderDraft);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ConsultationForm))]
internal sealed partial class ConsultationJson : JsonSerializerContext;
