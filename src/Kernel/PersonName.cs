using System.Text.Json.Serialization;

namespace Mangrove.Kernel;

/// <summary>
/// A person's name as FHIR's HumanName carries it. Any part may be missing: single names, text-only names and persons
/// without a name are real. <see cref="Other"/> is the same name in a second script.
/// </summary>
/// <param name="Family">Family name, or null.</param>
/// <param name="Given">Given names in order, possibly empty.</param>
/// <param name="Text">The whole name as written, when the parts are not known.</param>
/// <param name="Other">The name in another script, as written.</param>
public sealed record PersonName(string? Family, IReadOnlyList<string> Given, string? Text = null, string? Other = null)
{
    public static PersonName Unnamed { get; } = new(null, []);

    [JsonIgnore]
    public bool IsEmpty => string.IsNullOrWhiteSpace(Family) && Given.Count == 0 && string.IsNullOrWhiteSpace(Text) && string.IsNullOrWhiteSpace(Other);

    /// <summary>The part that the banner writes first, in capitals where the script has them.</summary>
    [JsonIgnore]
    public string Lead => (Family ?? (Given.Count == 0 ? Text ?? Other ?? "Name not known" : Given[0])).ToUpperInvariant();

    /// <summary>The rest, behind the lead; empty when there is none.</summary>
    [JsonIgnore]
    public string Rest => string.Join(' ', Family is null ? Given.Skip(1) : Given);

    /// <summary><c>HASSAN, Amina Salim</c>.</summary>
    [JsonIgnore]
    public string Display => Rest.Length == 0 ? Lead : $"{Lead}, {Rest}";

    public bool Equals(PersonName? other) => other is not null && Family == other.Family && Text == other.Text
        && Other == other.Other && Given.SequenceEqual(other.Given, StringComparer.Ordinal);

    public override int GetHashCode() => HashCode.Combine(Family, Text, Other, Given.Count);

    /// <summary>Nothing: a name never reaches a log by accident.</summary>
    public override string ToString() => nameof(PersonName);
}
