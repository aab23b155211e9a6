using Mangrove.Kernel;
using Mangrove.Vault.Access;
using Mangrove.Vault.Integrations;

namespace Mangrove.Web.Administration;

/// <summary>Integrations in words.</summary>
internal static class IntegrationWords
{
    public static string State(Integration one, DateOnly today) => one.State switch
    {
        IntegrationState.Requested => "Agreement awaited",
        IntegrationState.Agreed when one.HasLapsed(today) => "Agreement has run out",
        IntegrationState.Agreed => $"{Approvals(one)} of 2 approvals",
        IntegrationState.Active when one.HasLapsed(today) => "Agreement has run out",
        IntegrationState.Active => "Active",
        IntegrationState.Suspended => "Stopped",
        _ => "Ended",
    };

    /// <summary>Orange only where somebody has to act.</summary>
    public static string? Tone(Integration one, DateOnly today) => one.State switch
    {
        IntegrationState.Revoked => null,
        IntegrationState.Requested => null,
        _ when one.HasLapsed(today) => "orange",
        IntegrationState.Active => "brand",
        _ => "orange",
    };

    public static int Approvals(Integration one) => (one.First is null ? 0 : 1) + (one.Second is null ? 0 : 1);

    public static string Agreement(Integration one) => one.Agreement is { } agreement ? $"until {ClinicalTime.Day(agreement.Expires)}" : "none on file";

    public static string Reads(Integration one) => one.Scopes.Count == 1 ? "1 part" : $"{one.Scopes.Count} parts";

    /// <summary>How the log names the program.</summary>
    public static string Actor(Integration one) => $"service:{one.Client}";

    public static string For(Purpose purpose) => purpose.ToString();

    /// <summary>The end of the agreement is near: whoever renews needs time for two approvals.</summary>
    public static bool EndsSoon(Integration one, DateOnly today) => one is { State: IntegrationState.Active, Agreement: { } agreement } && !one.HasLapsed(today) && agreement.Expires < today.AddDays(30);

    /// <summary>What was just done, by the word that the address carries; nothing for any other word.</summary>
    public static string? Done(string? word) => word switch
    {
        "registered" => "Registered. It may do nothing until an agreement is on file and two administrators have approved.",
        "filed" => "The agreement is on file. Approvals begin anew, and what was given out before has stopped.",
        "approved" => "Your approval is recorded.",
        "suspended" => "Stopped. What was given out ends with the next call.",
        "resumed" => "Resumed. The program asks for a new token.",
        "tokens" => "Every token that was out has ended. The program asks for a new one.",
        "revoked" => "Ended for good. Its client id is never given again.",
        _ => null,
    };
}
