namespace Mangrove.Web.Parts;

/// <summary>A note informs, a warning needs a reason, a block has no way past.</summary>
public enum AlertGrade
{
    Note,
    Warn,
    Block,
}
