using System.Globalization;
using Mangrove.Kernel;
using Mangrove.Vault.Identity;
using Mangrove.Web.Session;

namespace Mangrove.Web.Shell;

/// <summary>Sign-ins of before and wrong tries, in words.</summary>
internal static class TraceWords
{
    /// <summary>What to do about wrong tries.</summary>
    public const string Advice = "If they were not yours, change your password and tell an administrator now.";

    public static string Last(SignInTrace trace) => trace is { Before: { } before, BeforeAt: { } device }
        ? $"You signed in last on {At(before, device)}"
        : "This is your first sign-in on record";

    public static string At(DateTimeOffset time, string device) => $"{When(time)} at {Place(device)}";

    private static string When(DateTimeOffset time) => $"{ClinicalTime.Day(time.ToLocalTime())} {ClinicalTime.Minute(time.ToLocalTime())}";

    /// <summary>The registered name of a device; an address is no name, and says nothing to the person.</summary>
    private static string Place(string device) => SignInPages.NameOf(device) is { } name && name != SignIn.UnregisteredDevice ? name : "an unregistered device";

    public static string Tries(int count, DateTimeOffset? last) => count switch
    {
        0 => "None",
        1 => $"One wrong try{Latest(last)}",
        _ => string.Create(CultureInfo.InvariantCulture, $"{count} wrong tries{Latest(last)}"),
    };

    private static string Latest(DateTimeOffset? last) => last is { } time ? $" (the latest {When(time)})" : "";
}
