namespace Mangrove.Web.Parts;

/// <summary>Where what the person wrote is kept.</summary>
public enum DraftState
{
    Saved,
    Saving,
    Unsaved,
    Lost,
    Signed,

    /// <summary>Nothing was written yet, so there is nothing to keep.</summary>
    None,
}
