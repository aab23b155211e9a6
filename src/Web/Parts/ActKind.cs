namespace Mangrove.Web.Parts;

/// <summary>How an entry of the log is drawn: refusals orange, break-glass red.</summary>
public enum ActKind
{
    Ordinary,
    Refused,
    BreakGlass,
}
