using Mangrove.Kernel;
using Mangrove.Vault.Index;

namespace Mangrove.Vault.Watching;

/// <summary>A member of staff as the judge needs them.</summary>
internal sealed record WatchedStaff(int Number, string User, string DisplayName, string? Department);

/// <summary>
/// Answers about people from the patient index and the list of staff. Names are compared inside the vault; what leaves is
/// whether they are alike.
/// </summary>
internal sealed class WatchedPeople(
    PatientIndex index,
    WatchLimits limits,
    IReadOnlyList<WatchedStaff> staff,
    IReadOnlyDictionary<Guid, WatchFlag> flags,
    IReadOnlySet<(string User, Guid? Patient, string Rule)> excused,
    FamilyNames families) : IWatchedPeople
{
    // In front of a name it is none.
    private static readonly HashSet<string> Titles = new(StringComparer.Ordinal) { "dr", "prof", "mr", "mrs", "ms", "miss", "sr", "sister", "nurse", "st", "bi", "bwana", "eng", "hon", "rev", "fr" };

    private readonly Dictionary<string, (WatchedStaff Staff, string[] Words)> byUser =
        staff.ToDictionary(one => one.User, one => (one, Words(one.DisplayName)), StringComparer.Ordinal);

    private readonly ILookup<string, (WatchedStaff Staff, string[] Words)> byFamily = staff
        .Select(one => (Staff: one, Words: Words(one.DisplayName)))
        .SelectMany(one => one.Words.Distinct(StringComparer.Ordinal).Select(word => (word, one)))
        .ToLookup(one => one.word, one => one.one, StringComparer.Ordinal);

    public (bool Known, string? Department) Staff(string user) => byUser.TryGetValue(user, out var one) ? (true, one.Staff.Department) : default;

    public WatchFlag Flag(Guid patient) => flags.GetValueOrDefault(patient);

    public bool Excused(string user, Guid? patient, string rule) => patient is not null && excused.Contains((user, patient, rule));

    public NameTie Tie(string user, Guid patient)
    {
        if (index.NameOf(new PatientId(patient)) is not { Family: { Length: > 0 } family } name || !byUser.TryGetValue(user, out var reader))
        {
            return NameTie.None;
        }

        var own = Folding.Fold(family).Trim();
        var given = name.Given.SelectMany(Words).ToArray();
        var tie = NameTie.None;
        foreach (var (other, words) in byFamily[own])
        {
            if (given.Any(words.Contains))
            {
                tie |= other.User == reader.Staff.User ? NameTie.Self : NameTie.Colleague;
            }
        }

        if (reader.Words.Length > 1 && reader.Words[^1] == own)
        {
            tie |= NameTie.SameFamily;
            if ((long)families.Count(own) * limits.RareName <= index.Count)
            {
                tie |= NameTie.Rare;
            }
        }

        return tie;
    }

    internal static string[] Words(string name) =>
        [.. Folding.Fold(name).Split([' ', '.', ',', '-', '\''], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Where(static word => !Titles.Contains(word))];
}

/// <summary>How many patients have a family name, counted by its hash: no name stays here.</summary>
internal sealed class FamilyNames
{
    private Dictionary<int, int> counts = [];

    public int Count(string folded) => counts.GetValueOrDefault(string.GetHashCode(folded, StringComparison.Ordinal));

    /// <summary>Counts anew.</summary>
    public void Take(PatientIndex index)
    {
        var anew = new Dictionary<int, int>();
        foreach (var family in index.Families())
        {
            var hash = string.GetHashCode(Folding.Fold(family).Trim(), StringComparison.Ordinal);
            anew[hash] = anew.GetValueOrDefault(hash) + 1;
        }

        counts = anew;
    }
}
