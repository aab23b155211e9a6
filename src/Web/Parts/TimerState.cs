namespace Mangrove.Web.Parts;

/// <summary>How a timer stands against its target.</summary>
public enum TimerState
{
    Plain,
    Near,
    Over,
}
