namespace Mangrove.Web.Parts;

/// <summary>Where what the person wrote is kept.</summary>
public enum DraftState
{
    Saved,
    Saving,
    Unsaved,
    Lost,
    Signed,
}
