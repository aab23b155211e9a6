using Mangrove.Kernel;

namespace Mangrove.Vault.Index;

/// <summary>A search for patients: words of a name in any order, a hospital number, or the digits of a telephone.</summary>
/// <param name="Text">What was typed.</param>
/// <param name="Most">At most this many hits, best first.</param>
/// <param name="Action">How the log names the search: <c>SEARCH_PATIENT</c>, <c>CHECK_DUPLICATE</c>.</param>
public sealed record PatientQuery(string Text, int Most = 12, string Action = "SEARCH_PATIENT")
{
    /// <summary>Evidence for the duplicate guard: a hit that fits scores higher.</summary>
    public PartialDate? Born { get; init; }

    public AdministrativeSex? Sex { get; init; }

    public string? Phone { get; init; }

    /// <summary>The name in another script, searched besides <see cref="Text"/>.</summary>
    public string? OtherScript { get; init; }

    /// <summary>Nothing: what is typed into a search is PHI.</summary>
    public override string ToString() => nameof(PatientQuery);
}

/// <summary>
/// A patient found, with what the searcher's role may see; the rest is null.
/// </summary>
/// <param name="Score">0 to 100: how well the hit fits the query and its evidence.</param>
public sealed record PatientHit(PatientId Id, string Mrn, int Score, PersonName? Name, BirthAndSex? Person, IReadOnlyList<string>? Phones)
{
    /// <summary>How each part fits: same, sounds alike, fits partly, differs.</summary>
    public MatchEvidence Evidence { get; init; } = new();

    /// <summary>Nothing: a hit is PHI.</summary>
    public override string ToString() => nameof(PatientHit);
}

/// <summary>How well one part of a query fits a registered patient.</summary>
public enum Fit
{
    /// <summary>Not given on one of the sides.</summary>
    Unknown = 0,
    Same = 1,
    SoundsAlike = 2,
    Partly = 3,
    Differs = 4,
}

/// <summary>Evidence of a match in the words that the duplicate guard shows.</summary>
public sealed record MatchEvidence(Fit Family = Fit.Unknown, Fit Given = Fit.Unknown, Fit Other = Fit.Unknown, Fit Born = Fit.Unknown, Fit Sex = Fit.Unknown, Fit Phone = Fit.Unknown);
