namespace Mangrove.Web.Parts;

/// <summary>Ink is the ordinary colour; orange and red mean that a limit is near or passed.</summary>
public enum BarTone
{
    Ink,
    Orange,
    Red,
}
