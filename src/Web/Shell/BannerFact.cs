namespace Mangrove.Web.Shell;

/// <summary>One labelled fact of the patient banner.</summary>
/// <param name="Label">Born, Sex, Number, Weight, Visit.</param>
/// <param name="Value">As the screen writes it: <c>14-Mar-1967 (59 y)</c>.</param>
/// <param name="WideOnly">Hidden below 1100 px; only for what the page can do without.</param>
public sealed record BannerFact(string Label, string Value, bool WideOnly = false);

/// <summary>What is known about a patient's allergies. The default is the one that makes people careful.</summary>
public enum AllergyState
{
    Unavailable,
    NotRecorded,
    NoneKnown,
    KnownReactions,

    /// <summary>The role sees no clinical data; the banner says what it sees instead.</summary>
    RoleView,
}
