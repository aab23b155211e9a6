using Mangrove.Kernel;
using Mangrove.Vault.Glass;

namespace Mangrove.Web.Glass;

/// <summary>Emergency access in the words of the hospital.</summary>
internal static class GlassWords
{
    /// <summary>The reasons in the order of their keys, with the value that a form sends.</summary>
    public static IReadOnlyList<(GlassReason Reason, string Value)> Reasons { get; } =
    [
        (GlassReason.LifeAtRisk, "life-at-risk"),
        (GlassReason.Unconscious, "unconscious"),
        (GlassReason.Cover, "cover"),
        (GlassReason.PublicSafety, "public-safety"),
    ];

    /// <summary>What a review comes to, with the value that a form sends.</summary>
    public static IReadOnlyList<(GlassOutcome Outcome, string Value)> Outcomes { get; } =
    [
        (GlassOutcome.Appropriate, "appropriate"),
        (GlassOutcome.NotAppropriate, "not-appropriate"),
        (GlassOutcome.MoreAsked, "more"),
    ];

    public static string InWords(this GlassReason reason) => reason switch
    {
        GlassReason.LifeAtRisk => "Life at risk now",
        GlassReason.Unconscious => "Patient unconscious, cannot consent",
        GlassReason.Cover => "Cover for an absent colleague",
        GlassReason.PublicSafety => "Public safety",
        _ => "No reason",
    };

    public static string InWords(this GlassOutcome outcome) => outcome switch
    {
        GlassOutcome.Appropriate => "Appropriate",
        GlassOutcome.NotAppropriate => "Not appropriate",
        GlassOutcome.MoreAsked => "More asked",
        _ => "Not reviewed",
    };

    public static string InWords(this GlassEnd end) => end switch
    {
        GlassEnd.Time => "60 minutes were over",
        GlassEnd.Closed => "closed by the person",
        GlassEnd.Locked => "the screen was locked",
        _ => "the session ended",
    };

    /// <summary>Where an access stands: icon, colour and words.</summary>
    public static (string Icon, string Tone, string Words) Standing(GlassGrant grant) => grant.Standing switch
    {
        GlassStanding.Open => ("lock-open", "red", "open now"),
        GlassStanding.Owed => ("pencil", "", grant.Outcome == GlassOutcome.MoreAsked ? "more is asked" : "justification owed"),
        GlassStanding.Overdue => ("alert-triangle", "orange", "not justified in time"),
        GlassStanding.ToReview => ("eye", "", "waits for review"),
        _ => ("check", "", grant.Outcome!.Value.InWords().ToLowerInvariant()),
    };

    public static string When(DateTimeOffset at) => $"{ClinicalTime.Day(at.ToLocalTime())} {ClinicalTime.Minute(at.ToLocalTime())}";

    /// <summary>A device as people name it: the address where none is registered.</summary>
    public static string Device(string device) => device.StartsWith("address:", StringComparison.Ordinal) ? device["address:".Length..] : device;
}
